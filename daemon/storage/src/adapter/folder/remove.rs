//! Removes files, and the folders that they leave empty.

use std::os::fd::OwnedFd;

use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::error::{FOLDER_IN_THE_WAY, at, rejected};
use super::paths::Root;
use super::stat::{Entry, entry_at, revision};
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
    match (entry_at(&parent, path)?, expect) {
        (Entry::File(stat), Expect::At(at)) if revision(&stat) != *at => {
            return Ok(Guarded::Refused);
        }
        (Entry::File(_) | Entry::BodyInFolder(..), Expect::Absent) => return Ok(Guarded::Refused),
        (Entry::File(_), _) => unlink(&parent, path)?,
        (Entry::BodyInFolder(..), _) => return Err(rejected(path, FOLDER_IN_THE_WAY)),
        (Entry::Nothing | Entry::Folder | Entry::Other, _) => {}
    }
    root.remove_empty_parents(path);
    Ok(Guarded::Done(()))
}

fn unlink(parent: &OwnedFd, path: &RemotePath) -> Result<(), StorageError> {
    match rustix::fs::unlinkat(parent, path.name(), AtFlags::empty()) {
        Ok(()) => sys::flush_folder(parent).map_err(at(path)),
        Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(at(path)(errno)),
    }
}
