//! What must not be lost on this machine: records and files of the data folder.
//!
//! Nothing here is a cache and nothing here decides: the rooms of a project say
//! when a version is kept and when it may go. Contents are written first and their
//! record last, so that a record's contents are there.

pub(crate) mod agreements;
pub(crate) mod backoff;
pub(crate) mod conflicts;
pub(crate) mod kept;
pub(crate) mod notices;
pub(crate) mod queue;
pub(crate) mod readers;
pub(crate) mod sessions;
pub(crate) mod stash;

/// The file of whoever is called so: a name from elsewhere may hold what no file name may.
fn record_of(folder: &str, name: &str) -> String {
    format!("{folder}/{}.json", &mirror_core::Digest::of(name.as_bytes()).to_string()[..32])
}
