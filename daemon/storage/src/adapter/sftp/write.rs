//! Stores a body under its final name, whole or not at all.
//!
//! Three round trips: a look around and a new temp; its bytes, flushed; its
//! mark and its final name, flushed as well where it is the truth. Nothing is
//! published before the server has said that it holds every byte.

use futures::future::join;
use openssh_sftp_client_lowlevel::{Extensions, FileAttrs, FileType, SftpErrorKind};

use super::super::body::checked;
use super::super::temp_names;
use super::error::{FOLDER_IN_THE_WAY, NO_FILE_IN_THE_WAY, rejected};
use super::paths::{self, Around, Root, TRIES, is_in_log};
use super::stat::{BODY, Seen, Standing};
use super::upload::{Temp, vain};
use super::wire::requests::{Answer, Failure, Reply, denied};
use crate::{Body, Expect, Guarded, RemotePath, Revision, StorageError};

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

fn step(expect: &Expect, standing: &Standing) -> Step {
    match (standing, expect) {
        (Standing::Nothing, Expect::Absent) => Step::Create,
        (Standing::File(seen), Expect::At(at)) if seen.revision() == *at => Step::Replace,
        (Standing::Nothing | Standing::File(_), Expect::Anything) => Step::Replace,
        (Standing::Entry(_), Expect::Anything) => Step::Reject(FOLDER_IN_THE_WAY),
        (Standing::Nothing | Standing::File(_) | Standing::Entry(_), _) => Step::Refuse,
        (Standing::Folder, _) => Step::ClearFolder,
        (Standing::Other, _) => Step::Reject(NO_FILE_IN_THE_WAY),
    }
}

/// By which call a file gets its name where nothing stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Link,
    /// For servers or file systems without hard links: an entry of the log
    /// becomes a folder, of which one rename is done; elsewhere names are
    /// made for one writer, or written by all alike.
    Rename,
}

/// A file that has its name, and whether that name is on the server's disk.
struct Placed {
    seen: Seen,
    settled: Reply<()>,
}

impl Placed {
    async fn seen(seen: Answer<FileAttrs>, settled: Answer<()>) -> Reply<Self> {
        Ok(Self { seen: Seen::of(&seen.await?), settled: settled.await })
    }
}

pub(super) async fn store(
    root: &Root,
    path: &RemotePath,
    body: &Body,
    expect: &Expect,
) -> Result<Guarded<Revision>, StorageError> {
    if path.is_root() {
        return Err(rejected(path, FOLDER_IN_THE_WAY));
    }
    let (looked, temp) = join(looked(root, path, body, expect), Temp::create(root, path)).await;
    let (mut temp, looked) = (temp?, looked?);
    looked.0.has_room(path)?;
    match step(expect, &looked.1) {
        Step::Refuse => return Ok(Guarded::Refused),
        Step::Reject(reason) => return Err(rejected(path, reason)),
        Step::Create | Step::Replace | Step::ClearFolder => {}
    }
    temp.fill(root, path, (checked(path, body), body.len())).await?;
    temp.seal().await.map_err(root.error(path))?;
    let stored = publish(root, path, &mut temp, expect, looked).await;
    if !matches!(stored, Ok(Guarded::Done(_))) {
        root.tidy_around(path);
    }
    stored
}

/// Looks at what a write will meet. A new name for little is simply tried, where
/// it is given by a link: the server says if something stands there.
async fn looked(
    root: &Root,
    path: &RemotePath,
    body: &Body,
    expect: &Expect,
) -> Result<(Around, Standing), StorageError> {
    let is_linked = root.session.has(Extensions::HARDLINK);
    if *expect == Expect::Absent && body.len() <= LITTLE && is_linked {
        return Ok((root.around(path).await?, Standing::Nothing));
    }
    root.standing_within(path).await
}

async fn publish(
    root: &Root,
    path: &RemotePath,
    temp: &mut Temp,
    expect: &Expect,
    (mut around, mut standing): (Around, Standing),
) -> Result<Guarded<Revision>, StorageError> {
    let mut way = match root.session.has(Extensions::HARDLINK) {
        true => Way::Link,
        false => Way::Rename,
    };
    let mut unexplained = 0;
    for _ in 0..TRIES {
        around.has_room(path)?;
        let made = match around {
            Around::Missing => root.make_around(path),
            _ => Vec::new(),
        };
        let placed = match step(expect, &standing) {
            Step::Create => create(root, path, temp, way).await,
            Step::Replace => replace(root, path, temp).await,
            Step::Refuse => return Ok(Guarded::Refused),
            Step::Reject(reason) => return Err(rejected(path, reason)),
            Step::ClearFolder if !path.is_ours() && root.clear_empty(path).await? => Ok(None),
            Step::ClearFolder => return Err(rejected(path, FOLDER_IN_THE_WAY)),
        };
        let failure = match placed {
            Ok(Some(placed)) => {
                placed.settled.map_err(root.error(path))?;
                return Ok(Guarded::Done(placed.seen.revision()));
            }
            Ok(None) => None,
            Err(failure) => Some(failure),
        };
        if failure.as_ref().is_some_and(Failure::is_missing) {
            root.forget_around(path);
            if let Some(failure) = denied(made).await {
                return Err(root.error(path)(failure));
            }
        }
        (around, standing) = root.standing(path).await?;
        match failure {
            // Folders are missing, or something was there first: look again.
            None => {}
            Some(failure) if failure.is_missing() => {}
            Some(Failure::Refused(SftpErrorKind::Failure)) if !standing.is_nothing() => {}
            Some(Failure::Refused(_)) if way == Way::Link && unexplained == 0 => {
                // Some file systems call hard links not permitted.
                (way, unexplained) = (Way::Rename, 1);
            }
            Some(Failure::Refused(SftpErrorKind::Failure)) if unexplained < 2 => unexplained += 1,
            Some(failure) => return Err(root.full_or(failure, 1, path).await),
        }
    }
    Err(vain(root, path, "what stands there changes again and again").await)
}

/// Gives the file its name, unless something stands there. `None`: look again.
async fn create(
    root: &Root,
    path: &RemotePath,
    temp: &mut Temp,
    way: Way,
) -> Reply<Option<Placed>> {
    let to = root.at(path);
    let session = &root.session;
    match way {
        Way::Link => {
            let seen = session.look(&temp.at);
            let (linked, settled) = (session.link(&temp.at, &to), temp.settle());
            // The first name goes with the temp.
            linked.await?;
            Placed::seen(seen, settled).await.map(Some)
        }
        Way::Rename if is_in_log(path) => {
            let folder = temp.spell_as_folder().await?;
            let (renamed, settled) = (session.rename(&folder, &to), temp.settle());
            let seen = session.look(&format!("{to}/{BODY}"));
            renamed.await?;
            temp.note_published();
            // A cleaner may have emptied the folder on its way.
            let placed = Placed::seen(seen, settled).await?;
            Ok((placed.seen.size == temp.size()).then_some(placed))
        }
        Way::Rename => {
            let seen = session.look(&temp.at);
            let (renamed, settled) = (session.rename(&temp.at, &to), temp.settle());
            renamed.await?;
            temp.note_published();
            Placed::seen(seen, settled).await.map(Some)
        }
    }
}

/// Gives the file its name, in place of what stands there. `None`: look again.
async fn replace(root: &Root, path: &RemotePath, temp: &mut Temp) -> Reply<Option<Placed>> {
    let to = root.at(path);
    let session = &root.session;
    let seen = session.look(&temp.at);
    if session.has(Extensions::POSIX_RENAME) {
        let (renamed, settled) = (session.rename_over(&temp.at, &to), temp.settle());
        renamed.await?;
        temp.note_published();
        return Placed::seen(seen, settled).await.map(Some);
    }
    if !exchanged(root, &temp.at, &to).await? {
        return Ok(None);
    }
    temp.note_published();
    Placed::seen(seen, temp.settle()).await.map(Some)
}

/// Replaces what stands at `to` on a server that can't do so in one step. A
/// reader may find nothing for a moment, but never a part; the old file is back
/// if the new one does not get there, and otherwise swept.
async fn exchanged(root: &Root, from: &str, to: &str) -> Reply<bool> {
    let session = &root.session;
    let old = root.at(&paths::temp(&temp_names::swept_name()));
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
