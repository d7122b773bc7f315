//! The executable bit, on file systems that keep one and on others.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::process;
use std::sync::PoisonError;

use mirror_core::{Kind, RelPath, State};
use rustix::fs::{AtFlags, Mode, OFlags, fchmod, fstat, fsync, openat, unlinkat};
use rustix::io::Errno;

use super::error::{self, Result};
use super::{LocalTree, sight, system};
use crate::outside::Put;
use crate::outside::tree::{TEMP_PREFIX, digest_of};

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

    pub(super) fn change_exec(&self, path: &RelPath, expected: State, exec: bool) -> Result<Put> {
        let Some(folder) = self.root.parent(path)? else {
            return Ok(Put::Changed);
        };
        let opened = error::absent_is_none(sight::open_file(folder.as_fd(), path.name()));
        let Some((before, mut file)) = opened.map_err(error::at(path))?.flatten() else {
            return Ok(Put::Changed);
        };
        let (digest, _) = digest_of(&mut file).map_err(error::io_at(path))?;
        let holds_exec = self.holds_exec();
        let state = State {
            kind: Kind::File,
            digest,
            exec: if holds_exec { before.exec } else { expected.exec },
        };
        if state != expected {
            return Ok(Put::Changed);
        }
        if holds_exec {
            set(&file, exec).map_err(error::at(path))?;
        }
        let named = error::absent_is_none(sight::stat_of(folder.as_fd(), path.name()));
        let after = named.map_err(error::at(path))?.and_then(|stat| sight::stamp_of(&stat));
        Ok(match after {
            Some(after)
                if after.identity.inode == before.identity.inode
                    && after.identity.dev == before.identity.dev
                    && (after.size, after.mtime_ns) == (before.size, before.mtime_ns) =>
            {
                Put::Done(after)
            }
            // Saved meanwhile: another file, or new bytes in this one.
            _ => Put::Changed,
        })
    }
}

/// Whoever may read the file may then run it, or nobody.
fn set(file: &std::fs::File, exec: bool) -> std::result::Result<(), Errno> {
    let bits = fstat(file)?.st_mode & 0o7777;
    let bits = if exec { bits | (bits & 0o444) >> 2 | 0o100 } else { bits & !0o111 };
    fchmod(file, Mode::from_raw_mode(bits))?;
    fsync(file)
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
