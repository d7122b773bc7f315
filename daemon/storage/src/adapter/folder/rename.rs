//! Removes and renames files, and the folders they leave empty.

use std::os::fd::OwnedFd;

use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::error::{FOLDER_IN_THE_WAY, NO_FILE_IN_THE_WAY, at, rejected};
use super::paths::{self, Root, TRIES};
use super::stat::{Standing, revision, standing_at};
use super::sys;
use crate::{Expect, Guarded, RemotePath, StorageError};

pub(super) fn remove(
    root: &Root,
    path: &RemotePath,
    expect: &Expect,
) -> Result<Guarded<()>, StorageError> {
    let Some(parent) = root.parent_of(path)? else {
        return Ok(Guarded::Done(()));
    };
    if matches!(expect, Expect::At(_)) {
        sys::lock(&parent);
    }
    match (standing_at(&parent, path)?, expect) {
        (Standing::File(stat), Expect::At(at)) if revision(&stat) != *at => {
            return Ok(Guarded::Refused);
        }
        (Standing::File(_) | Standing::Entry(..), Expect::Absent) => return Ok(Guarded::Refused),
        (Standing::File(_), _) => unlink(&parent, path)?,
        (Standing::Entry(..), _) => return Err(rejected(path, FOLDER_IN_THE_WAY)),
        (Standing::Nothing | Standing::Folder | Standing::Other, _) => {}
    }
    root.tidy_around(path);
    Ok(Guarded::Done(()))
}

fn unlink(parent: &OwnedFd, path: &RemotePath) -> Result<(), StorageError> {
    match rustix::fs::unlinkat(parent, path.name(), AtFlags::empty()) {
        Ok(()) => sys::flush_folder(parent).map_err(at(path)),
        Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(at(path)(errno)),
    }
}

pub(super) fn rename(
    root: &Root,
    from: &RemotePath,
    to: &RemotePath,
) -> Result<Guarded<()>, StorageError> {
    let renamed = renamed(root, from, to);
    // Whichever of the two folders has nothing in it now. A file that went aside
    // is about to be replaced: its folder stays, with its mode and owner.
    if !to.is_aside() {
        root.tidy_around(from);
    }
    if !matches!(renamed, Ok(Guarded::Done(()))) {
        root.tidy_around(to);
    }
    renamed
}

fn renamed(root: &Root, from: &RemotePath, to: &RemotePath) -> Result<Guarded<()>, StorageError> {
    for _ in 0..TRIES {
        let Some(from_parent) = root.parent_of(from)? else {
            return Ok(Guarded::Refused);
        };
        if !matches!(standing_at(&from_parent, from)?, Standing::File(_)) {
            return Ok(Guarded::Refused);
        }
        let to_parent = root.made_parent_of(to)?;
        match standing_at(&to_parent, to)? {
            Standing::Nothing => {}
            Standing::File(_) | Standing::Entry(..) => return Ok(Guarded::Refused),
            Standing::Folder if !to.is_ours() && paths::clear_empty(&to_parent, to.name()) => {}
            Standing::Folder => return Err(rejected(to, FOLDER_IN_THE_WAY)),
            Standing::Other => return Err(rejected(to, NO_FILE_IN_THE_WAY)),
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
