//! Stores a body under its final name, whole or not at all.

use std::os::fd::OwnedFd;

use rustix::io::Errno;

use super::error::{FOLDER_IN_THE_WAY, NO_FILE_IN_THE_WAY, at, rejected};
use super::paths::{self, Root, TRIES};
use super::stat::{Entry, entry_at, revision};
use super::sys;
use super::upload::{Chunks, LastWay, Upload};
use crate::{Expect, Guarded, NewFile, RemotePath, Revision, StorageError, Stored};

/// What to do with a complete upload, given what stands at its path.
enum Step {
    Create,
    Replace,
    /// It stands there already.
    Keep,
    Refuse,
    ClearFolder,
    Reject(&'static str),
}

pub(super) fn store(root: &Root, file: &NewFile, chunks: Chunks) -> Stored {
    let NewFile { path, expect, .. } = file;
    if path.is_root() {
        return Err(rejected(path, FOLDER_IN_THE_WAY));
    }
    let upload = Upload::store(root, file, chunks)?;
    let stored = publish(root, path, upload, expect);
    if !matches!(stored, Ok(Guarded::Done(_))) {
        root.remove_empty_parents(path);
    }
    stored
}

fn publish(
    root: &Root,
    path: &RemotePath,
    mut upload: Upload,
    expect: &Expect,
) -> Result<Guarded<Revision>, StorageError> {
    for _ in 0..TRIES {
        let parent = root.make_parent_of(path)?;
        if matches!(expect, Expect::At(_)) {
            sys::lock(&parent);
        }
        let entry = entry_at(&parent, path)?;
        let placed = match step(expect, &entry, &upload) {
            Step::Create => upload.publish_exclusively(&parent, path.name(), last_way(path)),
            Step::Replace => upload.publish_over(&parent, path.name()),
            Step::Keep => Ok(()),
            Step::Refuse => return Ok(Guarded::Refused),
            Step::ClearFolder => clear_folder(&parent, path),
            Step::Reject(reason) => return Err(rejected(path, reason)),
        };
        match placed {
            Ok(()) => return flush_and_describe(path, &parent, upload).map(Guarded::Done),
            // The file was made, or its folder cleared away, since we looked.
            Err(Errno::EXIST | Errno::NOENT) => {}
            Err(errno) => return Err(at(path)(errno)),
        }
    }
    Err(at(path)(Errno::NOENT))
}

fn step(expect: &Expect, entry: &Entry, upload: &Upload) -> Step {
    match (entry, expect) {
        (Entry::File(stat), Expect::Absent) if upload.is_same(stat) => Step::Keep,
        (Entry::File(stat), Expect::At(at)) if revision(stat) == *at => Step::Replace,
        (Entry::Nothing, Expect::Absent | Expect::Anything) => Step::Create,
        (Entry::File(_), Expect::Anything) => Step::Replace,
        (Entry::BodyInFolder(..), Expect::Anything) => Step::Reject(FOLDER_IN_THE_WAY),
        (Entry::Nothing | Entry::File(_) | Entry::BodyInFolder(..), _) => Step::Refuse,
        (Entry::Folder, _) => Step::ClearFolder,
        (Entry::Other, _) => Step::Reject(NO_FILE_IN_THE_WAY),
    }
}

/// A file of the view that somebody makes within the moment since we looked is lost
/// where nothing else is left; a log stands on more than that.
fn last_way(path: &RemotePath) -> LastWay {
    match paths::is_in_log(path) {
        true => LastWay::Folder,
        false => LastWay::Rename,
    }
}

/// Clears an empty folder of the view out of a file's way: `EXIST` to look
/// again, anything else when it has to stay.
fn clear_folder(parent: &OwnedFd, path: &RemotePath) -> Result<(), Errno> {
    let is_clear = !path.is_ours() && paths::clear_empty(parent, path.name());
    Err(if is_clear { Errno::EXIST } else { Errno::ISDIR })
}

fn flush_and_describe(
    path: &RemotePath,
    parent: &OwnedFd,
    upload: Upload,
) -> Result<Revision, StorageError> {
    let stat = upload.finish().map_err(at(path))?;
    sys::flush_folder(parent).map_err(at(path))?;
    Ok(revision(&stat))
}
