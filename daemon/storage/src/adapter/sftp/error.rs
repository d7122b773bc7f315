//! What a server's answer means to a caller.
//!
//! Servers have a handful of numbers for all that a file system can say: the
//! two that say least, "no such file" (also for a file or a link where a
//! folder is needed) and "failure" (also for a file that exists and a full
//! disk), are looked into where it matters before they come here.

use super::ssh::SftpConnection;
use super::wire::{Failure, SftpErrorKind};
use crate::{RemotePath, StorageError};

pub(super) const FOLDER_IN_THE_WAY: &str = "a folder stands there";
pub(super) const NO_FILE_IN_THE_WAY: &str = "something that is no plain file stands there";
pub(super) const FILE_IN_THE_PATH: &str = "a file stands where a folder is needed";
pub(super) const LINK_IN_THE_PATH: &str = "a link stands in its path";

pub(super) fn error_from(
    failure: Failure,
    path: &RemotePath,
    connection: &SftpConnection,
) -> StorageError {
    let kind = match failure {
        Failure::Gone(ending) => return connection.error(ending.into()),
        Failure::Refused(kind) => kind,
    };
    match kind {
        SftpErrorKind::PermDenied => StorageError::Forbidden { path: path.clone() },
        SftpErrorKind::BadMessage => rejected(path, "the server can't hold its name"),
        SftpErrorKind::OpUnsupported => rejected(path, "the server lacks a call that it needs"),
        // Gone since it was seen: another try may well see better times.
        SftpErrorKind::NoSuchFile => {
            StorageError::Unreachable("something vanished while it was used".into())
        }
        _ => StorageError::Unreachable(
            "the server failed and does not say why; a quota may be used up".into(),
        ),
    }
}

pub(super) fn rejected(path: &RemotePath, reason: &str) -> StorageError {
    StorageError::Rejected { path: path.clone(), reason: reason.to_owned() }
}
