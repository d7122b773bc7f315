//! The executable bit, on file systems that keep one and on others.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::process;
use std::sync::PoisonError;

use rustix::fs::{AtFlags, Mode, OFlags, fchmod, fstat, openat, unlinkat};
use rustix::io::Errno;

use super::{LocalTree, system};
use crate::outside::tree::TEMP_PREFIX;

impl LocalTree {
    /// Whether the file system under the root keeps the executable bit: by its
    /// type where that decides it, else tried once with a file of ours. True
    /// where it can't be told.
    pub(super) fn holds_exec(&self) -> bool {
        let Ok(root) = self.root.open(None) else {
            return true;
        };
        if let Some(known) = system::is_known_to_keep_exec(root.as_fd()) {
            return known;
        }
        let mut tried = self.keeps_exec.lock().unwrap_or_else(PoisonError::into_inner);
        *tried.get_or_insert_with(|| keeps_exec(root.as_fd()).unwrap_or(true))
    }
}

/// Tries the bit on a file of ours in the root.
pub(super) fn keeps_exec(root: BorrowedFd<'_>) -> std::result::Result<bool, Errno> {
    let name = format!("{TEMP_PREFIX}exec-{}", process::id());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let file = openat(root, &name, flags, Mode::from_raw_mode(0o600))?;
    let is_exec = || fstat(&file).map(|stat| stat.st_mode & 0o100 != 0);
    let kept = is_exec().and_then(|at_first| {
        fchmod(&file, Mode::from_raw_mode(0o700))?;
        Ok(!at_first && is_exec()?)
    });
    unlinkat(root, &name, AtFlags::empty())?;
    // A file system that refuses to set the bit doesn't keep it.
    Ok(kept.unwrap_or(false))
}
