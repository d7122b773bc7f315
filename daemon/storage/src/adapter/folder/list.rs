//! Lists the files below a folder, complete or with an error at its end.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::stream::{StreamExt, TryStreamExt, iter, try_unfold};
use rustix::fs::{FileType, Stat};
use rustix::io::Errno;
use tokio::sync::mpsc;

use super::error::at;
use super::paths::{self, Root};
use super::stat::{body_in, is_file, remote_file};
use super::sys;
use crate::system::is_passed_over;
use crate::{FileStream, OUR_FOLDER, RemoteFile, RemotePath, StorageError};

/// How many files travel together from the disk to the runtime.
const BATCH: usize = 256;

/// `None` says that the listing is complete, so that one cut short by a
/// stopped thread never passes for it.
type Batches = mpsc::Sender<Result<Option<Vec<Item>>, StorageError>>;

/// A file, or a folder that we may not open.
type Item = Result<RemoteFile, StorageError>;

pub(super) fn files_below(root: Arc<PathBuf>, prefix: RemotePath) -> FileStream<'static> {
    let started = async move {
        let (batches, found) = mpsc::channel(2);
        tokio::task::spawn_blocking(move || send_all(&root, &prefix, batches));
        Ok(try_unfold(found, async |mut found| {
            let batch = found.recv().await.unwrap_or_else(|| Err(cut_short()))?;
            Ok(batch.map(|batch| (iter(batch), found)))
        })
        .try_flatten())
    };
    futures::stream::once(started).try_flatten().boxed()
}

fn send_all(root: &Path, prefix: &RemotePath, batches: Batches) {
    let mut walk = Walk { batch: Vec::new(), batches };
    let end = Root::open(root, prefix).and_then(|root| walk.all_below(&root, prefix));
    let end = end.map(|()| None);
    // Nobody to tell means that nobody reads this listing any more.
    let _ = walk.batches.blocking_send(end);
}

struct Walk {
    batch: Vec<Item>,
    batches: Batches,
}

impl Walk {
    fn all_below(&mut self, root: &Root, prefix: &RemotePath) -> Result<(), StorageError> {
        let mut pending = vec![prefix.clone()];
        while let Some(path) = pending.pop() {
            // Opened by its path and not kept open: trees may be deep.
            let (folder, entries) = match open(root, &path) {
                Ok(Some(opened)) => opened,
                Ok(None) => continue,
                Err(closed @ StorageError::Forbidden { .. }) if path != *prefix => {
                    self.add(Err(closed))?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            if let Some(body) = entry_body(&folder, &path)? {
                if path != *prefix {
                    self.add(Ok(remote_file(&path, &body)))?;
                }
                continue;
            }
            for (name, kind) in entries {
                if path.is_root() && name == OUR_FOLDER {
                    continue;
                }
                let path = join_path(&path, &name);
                if path.as_str().len() > RemotePath::LONGEST {
                    continue;
                }
                match known_kind(&folder, &name, kind).map_err(at(&path))? {
                    EntryKind::Folder if is_passed_over(&path) => {}
                    EntryKind::Folder => pending.push(path),
                    EntryKind::File(stat) => self.add(Ok(remote_file(&path, &stat)))?,
                    EntryKind::Neither => {}
                }
            }
        }
        self.send()
    }

    fn add(&mut self, item: Item) -> Result<(), StorageError> {
        self.batch.push(item);
        if self.batch.len() < BATCH {
            return Ok(());
        }
        self.send()
    }

    fn send(&mut self) -> Result<(), StorageError> {
        let batch = std::mem::take(&mut self.batch);
        self.batches.blocking_send(Ok(Some(batch))).map_err(|_| cut_short())
    }
}

type Opened = (OwnedFd, Vec<(String, FileType)>);

/// Opens a folder and reads what is in it; `None` when there is none.
fn open(root: &Root, path: &RemotePath) -> Result<Option<Opened>, StorageError> {
    let Some(folder) = root.folder(path)? else { return Ok(None) };
    let entries = sys::entries(&folder).map_err(at(path))?;
    Ok(Some((folder, entries)))
}

fn entry_body(folder: &OwnedFd, path: &RemotePath) -> Result<Option<Stat>, StorageError> {
    if !paths::is_in_log(path) {
        return Ok(None);
    }
    body_in(folder).map_err(at(path))
}

enum EntryKind {
    Folder,
    File(Stat),
    /// Gone since it was seen, or nothing that exists for us.
    Neither,
}

fn known_kind(folder: &OwnedFd, name: &str, kind: FileType) -> Result<EntryKind, Errno> {
    if kind == FileType::Directory {
        return Ok(EntryKind::Folder);
    }
    if !matches!(kind, FileType::RegularFile | FileType::Unknown) {
        return Ok(EntryKind::Neither);
    }
    // Some file systems don't say in a listing what an entry is.
    Ok(match sys::stat(folder, name)? {
        Some(stat) if is_file(&stat) => EntryKind::File(stat),
        Some(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {
            EntryKind::Folder
        }
        _ => EntryKind::Neither,
    })
}

fn join_path(folder: &RemotePath, name: &str) -> RemotePath {
    let text = if folder.is_root() { name.to_owned() } else { format!("{folder}/{name}") };
    RemotePath::new(text).expect("names in a folder are normal")
}

fn cut_short() -> StorageError {
    StorageError::Unreachable("the listing stopped before its end".into())
}
