//! Stores a body under its final name, whole or not at all.

use std::os::fd::OwnedFd;

use rustix::io::Errno;

use super::error::{FOLDER_IN_THE_WAY, NO_FILE_IN_THE_WAY, at, rejected};
use super::paths::{self, Root, TRIES};
use super::stat::{Standing, revision, standing_at};
use super::sys;
use super::upload::{Chunks, Temp};
use crate::{Expect, Guarded, RemotePath, Revision, StorageError};

/// What to do with a complete upload, given what stands at its path.
enum Step {
    Create,
    Replace,
    /// It stands there already.
    Settle,
    Refuse,
    ClearFolder,
    Reject(&'static str),
}

pub(super) fn store(
    root: &Root,
    path: &RemotePath,
    chunks: Chunks,
    expect: &Expect,
) -> Result<Guarded<Revision>, StorageError> {
    if path.is_root() {
        return Err(rejected(path, FOLDER_IN_THE_WAY));
    }
    let temp = Temp::filled(root, path, chunks)?;
    let stored = publish(root, path, temp, expect);
    if !matches!(stored, Ok(Guarded::Done(_))) {
        root.tidy_around(path);
    }
    stored
}

fn publish(
    root: &Root,
    path: &RemotePath,
    mut temp: Temp,
    expect: &Expect,
) -> Result<Guarded<Revision>, StorageError> {
    for _ in 0..TRIES {
        let parent = root.made_parent_of(path)?;
        if matches!(expect, Expect::At(_)) {
            sys::lock(&parent);
        }
        let standing = standing_at(&parent, path)?;
        let placed = match step(expect, &standing, &temp) {
            Step::Create => temp.publish_exclusively(&parent, path.name()),
            Step::Replace => temp.publish_over(&parent, path.name()),
            Step::Settle => Ok(()),
            Step::Refuse => return Ok(Guarded::Refused),
            Step::ClearFolder => cleared(&parent, path),
            Step::Reject(reason) => return Err(rejected(path, reason)),
        };
        match placed {
            Ok(()) => return settled(path, &parent, temp).map(Guarded::Done),
            // The file was made, or its folder cleared away, since we looked.
            Err(Errno::EXIST | Errno::NOENT) => {}
            Err(errno) => return Err(at(path)(errno)),
        }
    }
    Err(at(path)(Errno::NOENT))
}

fn step(expect: &Expect, standing: &Standing, temp: &Temp) -> Step {
    match (standing, expect) {
        (Standing::File(stat), Expect::Absent) if temp.is_same(stat) => Step::Settle,
        (Standing::File(stat), Expect::At(at)) if revision(stat) == *at => Step::Replace,
        (Standing::Nothing, Expect::Absent | Expect::Anything) => Step::Create,
        (Standing::File(_), Expect::Anything) => Step::Replace,
        (Standing::Entry(..), Expect::Anything) => Step::Reject(FOLDER_IN_THE_WAY),
        (Standing::Nothing | Standing::File(_) | Standing::Entry(..), _) => Step::Refuse,
        (Standing::Folder, _) => Step::ClearFolder,
        (Standing::Other, _) => Step::Reject(NO_FILE_IN_THE_WAY),
    }
}

/// Clears an empty folder of the view out of a file's way: `EXIST` to look
/// again, anything else when it has to stay.
fn cleared(parent: &OwnedFd, path: &RemotePath) -> Result<(), Errno> {
    let is_clear = !path.is_ours() && paths::clear_empty(parent, path.name());
    Err(if is_clear { Errno::EXIST } else { Errno::ISDIR })
}

fn settled(path: &RemotePath, parent: &OwnedFd, temp: Temp) -> Result<Revision, StorageError> {
    let stat = temp.settle().map_err(at(path))?;
    sys::flush_folder(parent).map_err(at(path))?;
    Ok(revision(&stat))
}
