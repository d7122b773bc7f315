//! Where files stand on the server, and the folders around them.
//!
//! A server follows links in the folders of a path, and nothing in this
//! version of SFTP forbids it. So each folder is looked at before it is used,
//! in the same round trip as the first step of a call, and a link among them
//! counts as what it is: nothing to read through, and in the way of a write.
//! One that is put there within the seconds that a look is remembered is
//! followed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::super::access::Rights;
use super::error::{FILE_IN_THE_PATH, LINK_IN_THE_PATH, error_from, rejected};
use super::ssh::SftpConnection;
use super::wire::{Answer, Extensions, Failure, FileType, Reply, Session, SftpErrorKind};
use crate::{OUR_FOLDER, RemotePath, StorageError};

/// How often a folder is made again when others clear it away meanwhile.
pub(super) const TRIES: usize = 16;

/// For how long a folder seen is taken to be a folder still.
const REMEMBERED: Duration = Duration::from_secs(5);

/// Folders that were looked at a moment ago.
#[derive(Debug, Default)]
pub(super) struct KnownFolders(Mutex<HashMap<RemotePath, Instant>>);

impl KnownFolders {
    fn holds(&self, folder: &RemotePath) -> bool {
        let known = self.0.lock().expect("no panic while held");
        known.get(folder).is_some_and(|seen| seen.elapsed() < REMEMBERED)
    }

    fn add(&self, folder: RemotePath) {
        let mut known = self.0.lock().expect("no panic while held");
        if known.len() >= 10_000 {
            known.retain(|_, seen| seen.elapsed() < REMEMBERED);
        }
        known.insert(folder, Instant::now());
    }

    fn forget(&self, folder: &RemotePath) {
        self.0.lock().expect("no panic while held").remove(folder);
    }
}

/// What the folders of a path are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parents {
    Folders,
    Missing,
    /// A file, or something else that holds no files.
    File,
    Link,
}

impl Parents {
    /// Whether a file can be made below, if need be with its folders.
    pub(super) fn has_room(self, path: &RemotePath) -> Result<(), StorageError> {
        match self {
            Self::Folders | Self::Missing => Ok(()),
            Self::File => Err(rejected(path, FILE_IN_THE_PATH)),
            Self::Link => Err(rejected(path, LINK_IN_THE_PATH)),
        }
    }
}

/// The backend's folder, and the session to reach it for one call.
#[derive(Clone, Debug)]
pub(super) struct Root {
    pub(super) connection: Arc<SftpConnection>,
    pub(super) session: Arc<Session>,
    /// What stands before a path: empty for the login's own folder.
    pub(super) base: Arc<str>,
    pub(super) known: Arc<KnownFolders>,
    /// How files and folders are made.
    pub(super) rights: Rights,
}

/// Opens a folder that was just made to all who are to use it, whatever the
/// server's umask. One that was there has the rights that somebody gave it.
pub(super) async fn share_folder(
    session: &Session,
    at: &str,
    rights: Rights,
    made: Reply<()>,
) -> Reply<()> {
    made?;
    let Some(shared) = rights.of_folder().filter(|_| rights.is_shared()) else { return Ok(()) };
    match session.set_mode_at(at, shared).await {
        // Some servers let nobody set modes: it may be as needed all the same.
        Err(refused @ Failure::Refused(_)) => {
            let seen = session.look(at).await?;
            let there = seen.get_permissions().map_or(0, |there| there.bits());
            if there & shared == shared { Ok(()) } else { Err(refused) }
        }
        set => set,
    }
}

impl Root {
    /// How the server calls `path`.
    pub(super) fn at(&self, path: &RemotePath) -> String {
        match (path.is_root(), &*self.base) {
            (true, "") => ".".to_owned(),
            (true, "/") => "/".to_owned(),
            (true, base) => base.trim_end_matches('/').to_owned(),
            (false, base) => format!("{base}{path}"),
        }
    }

    /// For `map_err`: a failure met on the way to `path`.
    pub(super) fn error(&self, path: &RemotePath) -> impl Fn(Failure) -> StorageError + '_ {
        let path = path.clone();
        move |failure| error_from(failure, &path, &self.connection)
    }

    /// Asks whether the folder of the backend is there: one that went missing
    /// must not pass for an empty one.
    pub(super) fn check_presence(
        &self,
    ) -> impl Future<Output = Result<(), StorageError>> + Send + '_ {
        let seen = self.session.follow(&self.at(&RemotePath::ROOT));
        async move {
            match seen.await {
                Ok(seen) if seen.get_filetype() == Some(FileType::Directory) => Ok(()),
                Err(failure) if !failure.is_missing() => {
                    Err(self.error(&RemotePath::ROOT)(failure))
                }
                _ => {
                    let root = self.at(&RemotePath::ROOT);
                    let missing = format!("folder {root} is missing or not mounted on the server");
                    Err(StorageError::Unreachable(missing.into()))
                }
            }
        }
    }

    /// Asks what the folders of `path` are.
    pub(super) fn parents<'a>(
        &'a self,
        path: &RemotePath,
    ) -> impl Future<Output = Result<Parents, StorageError>> + Send + use<'a> {
        let unknown = path.folders().filter(|folder| !self.known.holds(folder));
        let looks: Vec<_> =
            unknown.map(|folder| (self.session.look(&self.at(&folder)), folder)).collect();
        async move {
            for (look, folder) in looks {
                let seen = match look.await {
                    Ok(seen) => seen.get_filetype(),
                    Err(failure) if failure.is_missing() => return Ok(Parents::Missing),
                    Err(failure) => return Err(self.error(&folder)(failure)),
                };
                match seen {
                    Some(FileType::Directory) => self.known.add(folder),
                    Some(FileType::Symlink) => return Ok(Parents::Link),
                    _ => return Ok(Parents::File),
                }
            }
            Ok(Parents::Folders)
        }
    }

    /// Makes the folders of `path` that weren't seen a moment ago. How that ends
    /// is for the next step to find out: most of them are there already.
    ///
    /// Waits for nothing, but where others are to use the folders: a server makes
    /// them less what its umask takes, so each has its mode set before the next.
    pub(super) async fn make_parents(&self, path: &RemotePath) -> Vec<Answer<()>> {
        let unknown = path.folders().filter(|folder| !self.known.holds(folder));
        let mut made = Vec::new();
        for folder in unknown {
            let at = self.at(&folder);
            let answer = self.session.make_folder(&at, self.rights.of_folder());
            made.push(match self.rights.is_shared() {
                false => answer,
                true => {
                    let answer = share_folder(&self.session, &at, self.rights, answer.await).await;
                    Box::pin(std::future::ready(answer))
                }
            });
        }
        made
    }

    /// Removes the folders around `path` that hold nothing any more, up to the
    /// root or the uppermost folder of a kind of our own. The server refuses
    /// where one holds something.
    pub(super) fn remove_empty_parents(&self, path: &RemotePath) {
        let kept = if path.is_ours() { 2 } else { 0 };
        let folders: Vec<_> = path.folders().skip(kept).collect();
        for folder in folders.into_iter().rev() {
            drop(self.session.remove_folder(&self.at(&folder)));
            self.known.forget(&folder);
        }
    }

    /// Looks at the folders of `path` again: one of them has gone.
    pub(super) fn forget_parents(&self, path: &RemotePath) {
        for folder in path.folders() {
            self.known.forget(&folder);
        }
    }

    /// Takes `folders` for folders no longer.
    pub(super) fn forget(&self, folders: &[RemotePath]) {
        for folder in folders {
            self.known.forget(folder);
        }
    }

    /// "Full" if that is why the server failed to store `len` bytes.
    pub(super) async fn full_or(
        &self,
        failure: Failure,
        len: u64,
        path: &RemotePath,
    ) -> StorageError {
        let is_unclear = matches!(failure, Failure::Refused(SftpErrorKind::Failure));
        if is_unclear && self.session.has(Extensions::STATVFS) {
            let space = self.session.space(&self.at(&RemotePath::ROOT)).await;
            let is_full = space.is_ok_and(|space| {
                let free = space.bavail.saturating_mul(space.frsize.max(1));
                free < len.max(1) || (space.files > 0 && space.favail == 0)
            });
            if is_full {
                return StorageError::Full;
            }
        }
        self.error(path)(failure)
    }
}

/// Where uploads under way stand.
pub(super) fn temps_folder() -> RemotePath {
    RemotePath::new(format!("{OUR_FOLDER}/tmp")).expect("our own names are normal")
}

/// Where one of them stands.
pub(super) fn temp_path(name: &str) -> RemotePath {
    RemotePath::new(format!("{OUR_FOLDER}/tmp/{name}")).expect("our own names are normal")
}

/// Whether an entry of the log may stand there, so that a folder with a file
/// `body` is one: `_mirror/log/<shard>/<name>`.
pub(super) fn is_in_log(path: &RemotePath) -> bool {
    let names: Vec<_> = path.as_str().split('/').collect();
    matches!(names[..], [OUR_FOLDER, "log", _, _])
}
