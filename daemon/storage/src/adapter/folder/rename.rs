//! Renames files without ever replacing one, and clears away the folders that
//! they leave empty.

use std::os::fd::OwnedFd;

use rustix::io::Errno;

use super::error::{FOLDER_IN_THE_WAY, NO_FILE_IN_THE_WAY, at, rejected};
use super::paths::{self, Root, TRIES};
use super::stat::{Entry, entry_at};
use super::sys;
use crate::{Guarded, RemotePath, StorageError};

pub(super) fn rename(
    root: &Root,
    from: &RemotePath,
    to: &RemotePath,
) -> Result<Guarded<()>, StorageError> {
    let renamed = try_rename(root, from, to);
    // Whichever of the two folders has nothing in it now. A file that went aside
    // is about to be replaced: its folder stays, with its mode and owner.
    if !to.is_aside() {
        root.remove_empty_parents(from);
    }
    if !matches!(renamed, Ok(Guarded::Done(()))) {
        root.remove_empty_parents(to);
    }
    renamed
}

fn try_rename(
    root: &Root,
    from: &RemotePath,
    to: &RemotePath,
) -> Result<Guarded<()>, StorageError> {
    for _ in 0..TRIES {
        let Some(from_parent) = root.parent_of(from)? else {
            return Ok(Guarded::Refused);
        };
        if !matches!(entry_at(&from_parent, from)?, Entry::File(_)) {
            return Ok(Guarded::Refused);
        }
        let to_parent = root.make_parent_of(to)?;
        match entry_at(&to_parent, to)? {
            Entry::Nothing => {}
            Entry::File(_) | Entry::BodyInFolder(..) => return Ok(Guarded::Refused),
            Entry::Folder if !to.is_ours() && paths::clear_empty(&to_parent, to.name()) => {}
            Entry::Folder => return Err(rejected(to, FOLDER_IN_THE_WAY)),
            Entry::Other => return Err(rejected(to, NO_FILE_IN_THE_WAY)),
        }
        match rename_to_absent((&from_parent, from), (&to_parent, to)) {
            Ok(()) => {
                for folder in [&to_parent, &from_parent] {
                    sys::flush_folder(folder).map_err(at(from))?;
                }
                return Ok(Guarded::Done(()));
            }
            // Something changed since we looked: look again.
            Err(Errno::EXIST | Errno::NOENT) => {}
            Err(errno) => return Err(at(to)(errno)),
        }
    }
    Err(at(from)(Errno::NOENT))
}

/// Renames to a name where nothing stood a moment ago.
fn rename_to_absent(
    (from_parent, from): (&OwnedFd, &RemotePath),
    (to_parent, to): (&OwnedFd, &RemotePath),
) -> Result<(), Errno> {
    match sys::rename_exclusively((from_parent, from.name()), (to_parent, to.name())) {
        // Some network file systems have no exclusive rename. A link and an
        // unlink could unlink what a person saved between the two; names
        // aside are made for one rename, so nobody else takes them meanwhile.
        Err(errno) if sys::is_unsupported(errno) => {
            rustix::fs::renameat(from_parent, from.name(), to_parent, to.name())
        }
        renamed => renamed,
    }
}
