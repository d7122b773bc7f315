//! One project's log: what has been read of it, and the next entry.
//!
//! Entries are read in order, their chain checked, and kept in the data folder
//! (L7). Whatever contradicts what was read before stops the project: nothing
//! is written or deleted until a person has looked.

mod append;
mod checkpoints;
mod entry;
mod local;
mod look;
mod open;
mod read;
mod sharing;

use std::sync::Arc;

use mirror_core::commit::{CheckpointRef, Commit, Later};
use mirror_core::{Digest, History, SharedMap, Timestamp};
use mirror_storage::{Backend, RemotePath, StorageError};

pub use append::Appended;
pub(crate) use entry::read_entry;
pub use local::local_project;
pub(crate) use look::News;
pub use sharing::access_of;
pub(crate) use sharing::share_as_settings_say;

use crate::api::{Parts, ProjectFault};
use crate::error::EngineError;
use crate::outside::{Disk, Outside};

/// The folder of our own files on a backend.
pub const OWN_FOLDER: &str = "_mirror";

/// A path below [`OWN_FOLDER`].
pub(crate) fn own_path(name: &str) -> RemotePath {
    RemotePath::new(format!("{OWN_FOLDER}/{name}")).expect("our own names are normal")
}

/// One entry as it was read.
#[derive(Clone, Debug)]
pub struct LogEntry {
    pub seq: u64,
    pub digest: Digest,
    /// `None` when the bytes are no commit.
    pub commit: Option<Arc<Commit>>,
    /// Why it changes nothing, if so.
    pub void: Option<String>,
}

/// What is known of a project's log.
#[derive(Clone)]
pub struct Log {
    backend: Arc<dyn Backend>,
    data: Arc<dyn Disk>,
    outside: Outside,
    history: History,
    /// Why entries are void, by number.
    voids: SharedMap<u64, String>,
    /// The checkpoint that this machine's copy began with: of its own making,
    /// or vouched for when it was kept.
    made: Option<CheckpointRef>,
    /// When the backend was last asked for the head.
    checked_at: Option<Timestamp>,
    /// Bytes of the entries since the last checkpoint that was made or read.
    grown: u64,
    /// Looks at the head since its entry was last compared (L3).
    pending: u32,
    /// An entry that the log is held to, and has not been compared with yet.
    owed: Option<(u64, Digest)>,
    /// Why the backend could not be asked when the log was opened.
    unreached: Option<ProjectFault>,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Log(head {})", self.history.head())
    }
}

impl Log {
    /// A copy that reads on by itself and keeps nothing.
    pub(crate) fn for_reader(&self, parts: &Parts) -> Self {
        let (data, outside) = (parts.data.clone(), parts.outside.clone());
        Self { data, outside, ..self.clone() }
    }

    pub fn history(&self) -> &History {
        &self.history
    }

    /// For trying a commit out before it is appended.
    pub fn history_mut(&mut self) -> &mut History {
        &mut self.history
    }

    pub fn head(&self) -> u64 {
        self.history.head()
    }

    /// All noughts where not even the first entry is known, as of a project that
    /// can't be opened.
    pub fn project(&self) -> Digest {
        self.history.project().unwrap_or(Digest([0; 32]))
    }

    /// The checkpoint of an earlier run, for a later commit to vouch for (L8).
    pub fn made_checkpoint(&self) -> Option<CheckpointRef> {
        self.made
    }

    pub fn checked_at(&self) -> Option<Timestamp> {
        self.checked_at
    }

    /// Why the backend could not be asked when the log was opened, if so.
    pub(crate) fn unreached(&self) -> Option<&ProjectFault> {
        self.unreached.as_ref()
    }

    /// Why the entry is void, if it is.
    pub fn void_reason(&self, seq: u64) -> Option<&str> {
        let known = self.voids.get(&seq).map(String::as_str);
        let void = self.history.is_void(seq).then_some("it does not fit the log before it");
        known.or(void)
    }
}

/// Stops the project: what was read contradicts what was read before (L7).
pub(crate) fn fork(what: &str) -> EngineError {
    EngineError::Stopped {
        reason: format!("the project's log has forked: {what}; nothing was written or deleted"),
        hint: Some(
            "the backend may have been restored or copied by another program; bring back the log \
             that this machine has read and run `mirrorctl reload`; or take out what only this \
             machine has (`mirrorctl queue drop --all` puts it into the stash, `stash restore ID \
             --output DIR` writes it out; `history PATH` and `show PATH@DIGEST` have what was \
             committed and is still here), then remove the project here and clone it again"
                .to_owned(),
        ),
    }
}

/// Nothing of the project stands where its log was: most likely a disk that is
/// not mounted. Transient, as the log may come back; nothing is written.
#[must_use]
pub fn nothing_there(label: &str) -> EngineError {
    let cause = format!("nothing of the project is at {label}; is its disk mounted?");
    EngineError::Storage(StorageError::Unreachable(cause.into()))
}

/// Another entry 1 at the same place is another project (L1).
#[must_use]
pub fn another_project() -> EngineError {
    EngineError::Stopped {
        reason: "another project stands at this project's place on the backend".to_owned(),
        hint: Some("check the backend's URL; nothing was changed".to_owned()),
    }
}

/// `what` was written by a later version: nothing is done until this one is newer.
pub(crate) fn needs_later(what: &str, later: &Later) -> EngineError {
    EngineError::Stopped {
        reason: format!("{what} needs a later version of mirrord: {later}"),
        hint: Some("update mirrord on this machine; nothing was changed".to_owned()),
    }
}
