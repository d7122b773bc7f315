//! What an error of the file system means to a caller.

use std::io;
use std::path::Path;

use rustix::io::Errno;

use crate::{RemotePath, StorageError};

pub(super) const FOLDER_IN_THE_WAY: &str = "a folder stands there";
pub(super) const NO_FILE_IN_THE_WAY: &str = "something that is no plain file stands there";

pub(super) fn error_from(errno: Errno, path: &RemotePath) -> StorageError {
    match errno {
        Errno::ACCESS | Errno::PERM | Errno::ROFS => StorageError::Forbidden { path: path.clone() },
        Errno::NOSPC | Errno::DQUOT => StorageError::Full,
        Errno::NAMETOOLONG => rejected(path, "its name is too long for this file system"),
        Errno::INVAL | Errno::ILSEQ => rejected(path, "this file system can't hold its name"),
        Errno::FBIG => rejected(path, "it is too large for this file system"),
        Errno::NOTDIR => rejected(path, "a file stands where a folder is needed"),
        Errno::ISDIR | Errno::EXIST | Errno::NOTEMPTY => rejected(path, FOLDER_IN_THE_WAY),
        Errno::LOOP => rejected(path, "a link stands in its path"),
        Errno::XDEV => rejected(path, "another file system is mounted in its path"),
        Errno::NOSYS | Errno::OPNOTSUPP => {
            rejected(path, "this file system can't create a file exclusively")
        }
        // Gone since it was seen, a device that fails, or no means left to
        // open it: another try may well see better times.
        Errno::NOENT
        | Errno::IO
        | Errno::STALE
        | Errno::NODEV
        | Errno::NXIO
        | Errno::NOTCONN
        | Errno::HOSTDOWN
        | Errno::HOSTUNREACH
        | Errno::TIMEDOUT
        | Errno::MFILE
        | Errno::NFILE
        | Errno::NOMEM
        | Errno::INTR
        | Errno::AGAIN
        | Errno::BUSY => StorageError::Unreachable(io::Error::from(errno).into()),
        _ => StorageError::Malformed(io::Error::from(errno).into()),
    }
}

/// For `map_err`: an error met on the way to `path`.
pub(super) fn at(path: &RemotePath) -> impl Fn(Errno) -> StorageError + '_ {
    move |errno| error_from(errno, path)
}

/// The same for calls of the standard library.
pub(super) fn io_at(path: &RemotePath) -> impl Fn(io::Error) -> StorageError + '_ {
    move |error| match Errno::from_io_error(&error) {
        Some(errno) => error_from(errno, path),
        None => StorageError::Malformed(error.into()),
    }
}

/// An error met in opening the backend's own folder.
pub(super) fn root_error(errno: Errno, root: &Path, path: &RemotePath) -> StorageError {
    match errno {
        Errno::NOENT | Errno::NOTDIR => {
            let root = root.display();
            StorageError::Unreachable(format!("folder {root} is missing or not mounted").into())
        }
        _ => error_from(errno, path),
    }
}

pub(super) fn rejected(path: &RemotePath, reason: &str) -> StorageError {
    StorageError::Rejected { path: path.clone(), reason: reason.to_owned() }
}
