//! What an error of the system means for a mirrored path, in one place.

use std::io;

use mirror_core::RelPath;
use rustix::io::Errno;

use crate::outside::TreeError;

pub(super) type Result<T> = std::result::Result<T, TreeError>;

/// Says what went wrong at `path`.
pub(super) fn at(path: &RelPath) -> impl FnOnce(Errno) -> TreeError {
    move |errno| match errno {
        Errno::NOSPC | Errno::DQUOT => TreeError::Full,
        Errno::ACCESS | Errno::PERM | Errno::ROFS => TreeError::Forbidden(path.clone()),
        Errno::LOOP | Errno::NOTDIR | Errno::XDEV => TreeError::Obstructed(path.clone()),
        Errno::NAMETOOLONG | Errno::ILSEQ => TreeError::NameRefused(path.clone()),
        _ => failed(path, errno.into()),
    }
}

/// Says why a new name could not be made for `path`.
pub(super) fn making(path: &RelPath) -> impl FnOnce(Errno) -> TreeError {
    move |errno| match errno {
        Errno::INVAL => TreeError::NameRefused(path.clone()),
        _ => at(path)(errno),
    }
}

/// Says why the root could not be opened for the sake of `path`, or of itself.
pub(super) fn at_root(path: Option<&RelPath>) -> impl FnOnce(Errno) -> TreeError {
    move |errno| match (is_absence_of_root(errno), path) {
        (true, _) => TreeError::RootMissing,
        (false, Some(path)) => at(path)(errno),
        (false, None) => TreeError::RootFailed(errno.into()),
    }
}

/// Whether the root is gone rather than closed to us: removed, unmounted, or on
/// a disk or server that went away.
pub(super) fn is_absence_of_root(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::NOENT
            | Errno::NOTDIR
            | Errno::NODEV
            | Errno::NXIO
            | Errno::IO
            | Errno::NOTCONN
            | Errno::STALE
    )
}

pub(super) fn failed(path: &RelPath, cause: io::Error) -> TreeError {
    TreeError::Failed { path: path.clone(), cause }
}

/// It may stand elsewhere by now: who asked has to look for it.
pub(super) fn staged_is_gone(path: &RelPath) -> TreeError {
    failed(path, io::Error::other("its staged version is gone"))
}

/// Says why a write to `path` ended, for calls that answer as the standard
/// library does.
pub(super) fn io_at(path: &RelPath) -> impl FnOnce(io::Error) -> TreeError {
    move |cause| match Errno::from_io_error(&cause) {
        Some(errno) => at(path)(errno),
        None => failed(path, cause),
    }
}

/// Makes "it is not there" an answer.
pub(super) fn absent_is_none<T>(
    result: std::result::Result<T, Errno>,
) -> std::result::Result<Option<T>, Errno> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}
