//! Stores a body under its final name, whole or not at all.
//!
//! Three round trips: a look around and a new upload; its bytes, flushed; its
//! mark and its final name, flushed as well where it is the truth. Nothing is
//! published before the server has said that it holds every byte.

use futures::future::join;

use super::super::body::length_checked;
use super::super::temp_names;
use super::error::{FOLDER_IN_THE_WAY, NO_FILE_IN_THE_WAY, rejected};
use super::paths::{self, Parents, Root, TRIES, is_in_log};
use super::stat::{BODY, Entry, FileStat};
use super::upload::{Upload, give_up};
use super::wire::{
    Answer, Extensions, Failure, FileAttrs, FileType, Reply, SftpErrorKind, first_denial,
};
use crate::{Body, Expect, Guarded, NewFile, RemotePath, Revision, StorageError, Stored};

/// What may be sent in vain.
const LITTLE: u64 = 64 * 1024;

/// What to do with an upload, given what stands at its path.
enum Step {
    Create,
    Replace,
    Refuse,
    ClearFolder,
    Reject(&'static str),
}

fn step(expect: &Expect, entry: &Entry) -> Step {
    match (entry, expect) {
        (Entry::Nothing, Expect::Absent) => Step::Create,
        (Entry::File(seen), Expect::At(at)) if seen.revision() == *at => Step::Replace,
        (Entry::Nothing | Entry::File(_), Expect::Anything) => Step::Replace,
        (Entry::BodyInFolder(_), Expect::Anything) => Step::Reject(FOLDER_IN_THE_WAY),
        (Entry::Nothing | Entry::File(_) | Entry::BodyInFolder(_), _) => Step::Refuse,
        (Entry::Folder, _) => Step::ClearFolder,
        (Entry::Other, _) => Step::Reject(NO_FILE_IN_THE_WAY),
    }
}

/// By which call a file gets its name where nothing stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    Link,
    /// For servers or file systems without hard links: an entry of the log
    /// becomes a folder, of which one rename is done; elsewhere names are
    /// made for one writer, or written by all alike.
    Rename,
}

/// A file that has its name, and whether that name is on the server's disk.
struct Placed {
    seen: FileStat,
    flushed: Reply<()>,
}

impl Placed {
    async fn wait(seen: Answer<FileAttrs>, flushed: Answer<()>) -> Reply<Self> {
        Ok(Self { seen: FileStat::of(&seen.await?), flushed: flushed.await })
    }
}

pub(super) async fn store(root: &Root, file: &NewFile, body: &Body) -> Stored {
    let NewFile { path, expect, .. } = file;
    if path.is_root() {
        return Err(rejected(path, FOLDER_IN_THE_WAY));
    }
    let replaced = file.rights_of.as_ref().map(|like| root.session.look(&root.at(like)));
    let (looked, upload) = join(look(root, path, body, expect), Upload::create(root, file)).await;
    let (mut upload, looked) = (upload?, looked?);
    looked.0.has_room(path)?;
    match step(expect, &looked.1) {
        Step::Refuse => return Ok(Guarded::Refused),
        Step::Reject(reason) => return Err(rejected(path, reason)),
        Step::Create | Step::Replace | Step::ClearFolder => {}
    }
    upload.fill(root, path, (length_checked(path, body), body.len())).await?;
    if let Some(replaced) = answered(replaced).await {
        upload.take_rights_of(replaced, file.attributes.is_private).await;
    }
    upload.seal().await.map_err(root.error(path))?;
    let stored = publish(root, path, &mut upload, expect, looked).await;
    if !matches!(stored, Ok(Guarded::Done(_))) {
        root.remove_empty_parents(path);
    }
    stored
}

async fn answered<T>(asked: Option<Answer<T>>) -> Option<Reply<T>> {
    match asked {
        Some(answer) => Some(answer.await),
        None => None,
    }
}

/// Looks at what a write will meet. A new name for little is simply tried, where
/// it is given by a link: the server says if something stands there.
async fn look(
    root: &Root,
    path: &RemotePath,
    body: &Body,
    expect: &Expect,
) -> Result<(Parents, Entry), StorageError> {
    let is_linked = root.session.has(Extensions::HARDLINK);
    if *expect == Expect::Absent && body.len() <= LITTLE && is_linked {
        return Ok((root.parents(path).await?, Entry::Nothing));
    }
    root.entry_within(path).await
}

async fn publish(
    root: &Root,
    path: &RemotePath,
    upload: &mut Upload,
    expect: &Expect,
    (mut parents, mut entry): (Parents, Entry),
) -> Result<Guarded<Revision>, StorageError> {
    let mut naming = match root.session.has(Extensions::HARDLINK) {
        true => Naming::Link,
        false => Naming::Rename,
    };
    let mut unexplained = 0;
    for _ in 0..TRIES {
        parents.has_room(path)?;
        let made = match parents {
            Parents::Missing => root.make_parents(path).await,
            _ => Vec::new(),
        };
        let placed = match step(expect, &entry) {
            Step::Create => create(root, path, upload, naming).await,
            Step::Replace => replace(root, path, upload).await,
            Step::Refuse => return Ok(Guarded::Refused),
            Step::Reject(reason) => return Err(rejected(path, reason)),
            Step::ClearFolder if !path.is_ours() && root.clear_empty(path).await? => Ok(None),
            Step::ClearFolder => return Err(rejected(path, FOLDER_IN_THE_WAY)),
        };
        let failure = match placed {
            Ok(Some(placed)) => {
                placed.flushed.map_err(root.error(path))?;
                return Ok(Guarded::Done(placed.seen.revision()));
            }
            Ok(None) => None,
            Err(failure) => Some(failure),
        };
        if failure.as_ref().is_some_and(Failure::is_missing) {
            root.forget_parents(path);
            if let Some(failure) = first_denial(made).await {
                return Err(root.error(path)(failure));
            }
        }
        (parents, entry) = root.entry_at(path).await?;
        match failure {
            // Folders are missing, or something was there first: look again.
            None => {}
            Some(failure) if failure.is_missing() => {}
            Some(Failure::Refused(SftpErrorKind::Failure)) if !entry.is_nothing() => {}
            Some(Failure::Refused(_)) if naming == Naming::Link && unexplained == 0 => {
                // Some file systems call hard links not permitted.
                (naming, unexplained) = (Naming::Rename, 1);
            }
            Some(Failure::Refused(SftpErrorKind::Failure)) if unexplained < 2 => unexplained += 1,
            Some(failure) => return Err(root.full_or(failure, 1, path).await),
        }
    }
    Err(give_up(root, path, "what stands there changes again and again").await)
}

/// Gives the file its name, unless something stands there. `None`: look again.
async fn create(
    root: &Root,
    path: &RemotePath,
    upload: &mut Upload,
    naming: Naming,
) -> Reply<Option<Placed>> {
    let to = root.at(path);
    let session = &root.session;
    match naming {
        Naming::Link => {
            let seen = session.look(&upload.at);
            let (linked, flushed) = (session.link(&upload.at, &to), upload.flush_name());
            let there = session.look(&to);
            // The first name goes with the upload.
            linked.await?;
            if !is_named(upload, there).await? {
                // Not by this server's links: by another way.
                return Err(Failure::Refused(SftpErrorKind::OpUnsupported));
            }
            Placed::wait(seen, flushed).await.map(Some)
        }
        Naming::Rename if is_in_log(path) => {
            let folder = upload.spell_as_folder().await?;
            let (renamed, flushed) = (session.rename(&folder, &to), upload.flush_name());
            let seen = session.look(&format!("{to}/{BODY}"));
            renamed.await?;
            upload.note_published();
            // A cleaner may have emptied the folder on its way.
            let placed = Placed::wait(seen, flushed).await?;
            Ok((placed.seen.size == upload.size()).then_some(placed))
        }
        // Some servers rename over what stands there, and it was looked at before
        // the upload. Our own names are one writer's, or written by all alike.
        Naming::Rename if !path.is_ours() && stands_there(root, &to).await? => Ok(None),
        Naming::Rename => {
            let seen = session.look(&upload.at);
            let (renamed, flushed) = (session.rename(&upload.at, &to), upload.flush_name());
            renamed.await?;
            upload.note_published();
            Placed::wait(seen, flushed).await.map(Some)
        }
    }
}

async fn stands_there(root: &Root, at: &str) -> Reply<bool> {
    match root.session.look(at).await {
        Ok(_) => Ok(true),
        Err(failure) if failure.is_missing() => Ok(false),
        Err(failure) => Err(failure),
    }
}

/// Whether an upload stands at its new name: some servers say that they have made
/// a link, and make none.
async fn is_named(upload: &Upload, there: Answer<FileAttrs>) -> Reply<bool> {
    match there.await {
        Ok(there) => {
            let is_file = there.get_filetype() == Some(FileType::RegularFile);
            match is_file && FileStat::of(&there).size == upload.size() {
                true => Ok(true),
                // Another file: no way leads to a name that somebody has.
                false => Err(Failure::Refused(SftpErrorKind::Failure)),
            }
        }
        Err(failure) if failure.is_missing() => Ok(false),
        Err(failure) => Err(failure),
    }
}

/// Gives the file its name, in place of what stands there. `None`: look again.
async fn replace(root: &Root, path: &RemotePath, upload: &mut Upload) -> Reply<Option<Placed>> {
    let to = root.at(path);
    let session = &root.session;
    let seen = session.look(&upload.at);
    if session.has(Extensions::POSIX_RENAME) {
        let (renamed, flushed) = (session.rename_over(&upload.at, &to), upload.flush_name());
        renamed.await?;
        upload.note_published();
        return Placed::wait(seen, flushed).await.map(Some);
    }
    if !exchange(root, &upload.at, &to).await? {
        return Ok(None);
    }
    upload.note_published();
    Placed::wait(seen, upload.flush_name()).await.map(Some)
}

/// Replaces what stands at `to` on a server that can't do so in one step. A
/// reader may find nothing for a moment, but never a part; the old file is back
/// if the new one does not get there, and otherwise swept.
async fn exchange(root: &Root, from: &str, to: &str) -> Reply<bool> {
    let session = &root.session;
    let old = root.at(&paths::temp_path(&temp_names::swept_name()));
    let (taken, kind) = (session.rename(to, &old), session.look(&old));
    let given = session.rename(from, to);
    let (taken, kind, given) = (taken.await, kind.await, given.await);
    let is_file = kind.is_ok_and(|old| old.get_filetype() == Some(FileType::RegularFile));
    match (taken, given) {
        (Err(_), Ok(())) => Ok(true),
        (Ok(()), Ok(())) if is_file => {
            drop(session.unlink(&old));
            Ok(true)
        }
        // Something else took the file's place since we looked.
        (Ok(()), Ok(())) => {
            drop(session.rename(to, from));
            session.rename(&old, to).await.map(|()| false)
        }
        (Ok(()), Err(failure)) => {
            drop(session.rename(&old, to));
            Err(failure)
        }
        (Err(_), Err(failure)) => Err(failure),
    }
}
