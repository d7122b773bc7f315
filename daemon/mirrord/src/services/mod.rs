//! Which kinds of storage service there are: each has a folder here and a line
//! in [`KINDS`], and nothing else of the daemon names one.
//!
//! What a kind says of itself is data, from which settings, messages, documents
//! and the wizard's questions follow.

mod account;
mod connections;
mod folder;
mod key;
mod kind;
mod local_path;
mod percent;
mod question;
mod sftp;
mod url;

pub(crate) use account::{Account, RootError};
pub(crate) use connections::Connections;
pub(crate) use key::{Key, KeyValue, Settings, Shape};
pub(crate) use kind::{Kind, Site, Surroundings};
pub(crate) use local_path::{is_there_or_can_be, typed_path};
pub(crate) use question::{Answers, Asked};
pub(crate) use url::{BackendUrl, UrlError};

/// Every kind there is, the one that is proposed first. A path alone is a URL
/// of the first, too.
pub(crate) const KINDS: [&dyn Kind; 2] = [&folder::Folder, &sftp::Sftp];

/// Schemes of services whose adapters are not here yet.
pub(crate) const PLANNED: [&str; 9] =
    ["s3", "webdavs", "webdav", "ftps", "ftp", "smb", "drive", "dropbox", "onedrive"];

/// The kind that a scheme stands for.
pub(crate) fn kind_of(scheme: &str) -> Option<&'static dyn Kind> {
    KINDS.into_iter().find(|kind| kind.schemes().contains(&scheme))
}

/// Every key that any kind has, each name once.
pub(crate) fn keys() -> Vec<&'static Key> {
    let mut keys: Vec<&'static Key> = Vec::new();
    for key in KINDS.into_iter().flat_map(Kind::keys) {
        if keys.iter().all(|known| known.name != key.name) {
            keys.push(key);
        }
    }
    keys
}

#[cfg(test)]
mod tests;
