//! The changes of names that every replacement and removal is made of.
//!
//! None of them ever replaces a file: a name is free, or it is exchanged. Only
//! we know the temporary names; any other may change at any time.

use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, FileType, fsync, linkat, renameat, statat, unlinkat};
use rustix::io::Errno;

use super::system;

/// Changes names within one folder. Tests let a program act in between.
pub(super) trait Names: Send + Sync {
    /// Exchanges what two names stand for; both must be there.
    fn exchange(&self, folder: BorrowedFd<'_>, one: &str, other: &str) -> Result<(), Errno>;

    /// Renames what stands at `name`, whatever it is by then, to a temporary
    /// name that only we know.
    fn move_out(&self, folder: BorrowedFd<'_>, name: &str, temp: &str) -> Result<(), Errno>;

    /// Renames what stands at a temporary name; [`Errno::EXIST`] when something
    /// stands at `name`.
    fn move_in(&self, folder: BorrowedFd<'_>, temp: &str, name: &str) -> Result<(), Errno>;

    fn remove(&self, folder: BorrowedFd<'_>, name: &str) -> Result<(), Errno>;

    /// Returns once all of these changes survive power loss.
    fn flush(&self, folder: BorrowedFd<'_>) -> Result<(), Errno>;
}

/// The names as the system changes them.
#[derive(Debug)]
pub(super) struct SystemNames;

impl Names for SystemNames {
    fn exchange(&self, folder: BorrowedFd<'_>, one: &str, other: &str) -> Result<(), Errno> {
        system::exchange(folder, one, other)
    }

    fn move_out(&self, folder: BorrowedFd<'_>, name: &str, temp: &str) -> Result<(), Errno> {
        match system::rename_to_free(folder, name, temp) {
            Err(errno) if is_unsupported(errno) => renameat(folder, name, folder, temp),
            answer => answer,
        }
    }

    fn move_in(&self, folder: BorrowedFd<'_>, temp: &str, name: &str) -> Result<(), Errno> {
        match system::rename_to_free(folder, temp, name) {
            Err(errno) if is_unsupported(errno) => link_in(folder, temp, name),
            answer => answer,
        }
    }

    fn remove(&self, folder: BorrowedFd<'_>, name: &str) -> Result<(), Errno> {
        unlinkat(folder, name, AtFlags::empty())
    }

    fn flush(&self, folder: BorrowedFd<'_>) -> Result<(), Errno> {
        fsync(folder)
    }
}

/// Whether this file system or kernel doesn't know the call.
pub(super) fn is_unsupported(errno: Errno) -> bool {
    // On Linux these two are one number.
    let is_refused = errno == Errno::NOTSUP || errno == Errno::OPNOTSUPP;
    is_refused || matches!(errno, Errno::INVAL | Errno::NOSYS)
}

/// Moves in where a rename can't be told to spare what stands there. A crash in
/// between leaves both names on one file, never none. Moving out can't be done
/// so: a program may save between the two, and that name would be removed.
pub(super) fn link_in(folder: BorrowedFd<'_>, temp: &str, name: &str) -> Result<(), Errno> {
    let stat = statat(folder, temp, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(stat.st_mode).is_dir() {
        return move_folder_in(folder, temp, name);
    }
    linkat(folder, temp, folder, name, AtFlags::empty())?;
    unlinkat(folder, temp, AtFlags::empty())
}

/// A folder can't be linked, but it never replaces a file either, nor a folder
/// that holds anything.
fn move_folder_in(folder: BorrowedFd<'_>, temp: &str, name: &str) -> Result<(), Errno> {
    renameat(folder, temp, folder, name).map_err(|errno| match errno {
        Errno::NOTDIR | Errno::NOTEMPTY => Errno::EXIST,
        other => other,
    })
}
