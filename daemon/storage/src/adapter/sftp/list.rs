//! Lists the files below a folder, many folders at once, complete or with an
//! error at its end.

use futures::future::{BoxFuture, join};
use futures::stream::{FuturesUnordered, StreamExt, TryStreamExt, iter, try_unfold};

use super::paths::{Parents, Root, is_in_log};
use super::stat::{BODY, Entry, FileStat, kind_of};
use super::wire::{FileAttrs, FileType, Handle, NameEntry};
use crate::system::is_passed_over;
use crate::{FileStream, OUR_FOLDER, RemoteFile, RemotePath, StorageError};

/// How many folders are read at once.
const FOLDERS: usize = 32;

/// How many parts of one folder are asked for at once, at first and at most.
const FIRST_PARTS: usize = 2;
const MOST_PARTS: usize = 16;

pub(super) fn files_below(root: Root, prefix: RemotePath) -> FileStream<'static> {
    let started = async move {
        let (looked, first) =
            join(root.entry_at(&prefix), read_folder(root.clone(), prefix.clone())).await;
        let first = match looked? {
            (Parents::Folders, Entry::Folder) => first?,
            _ => Folder::default(),
        };
        let mut walk =
            Walk { root, under_way: FuturesUnordered::new(), pending: Vec::new(), has_gaps: false };
        let files = walk.take(first);
        let rest = try_unfold(walk, async |mut walk| {
            Ok(walk.next().await?.map(|items| (iter(items), walk)))
        });
        Ok(iter(files).chain(rest.try_flatten()))
    };
    futures::stream::once(started).try_flatten().boxed()
}

/// How many names one folder may hold, and how many folders may wait for their
/// turn: beyond that a server makes them up.
const MOST_NAMES: usize = 10_000_000;

fn endless(path: &RemotePath) -> StorageError {
    StorageError::Malformed(format!("the listing of {path} has no end").into())
}

/// A file, or a folder that we may not open.
type Item = Result<RemoteFile, StorageError>;

/// What is in one folder.
#[derive(Default)]
pub(super) struct Folder {
    pub(super) files: Vec<RemoteFile>,
    pub(super) folders: Vec<RemotePath>,
    is_gone: bool,
    /// We may not open it.
    closed: Option<StorageError>,
}

struct Walk {
    root: Root,
    under_way: FuturesUnordered<BoxFuture<'static, Result<Folder, StorageError>>>,
    pending: Vec<RemotePath>,
    has_gaps: bool,
}

impl Walk {
    fn take(&mut self, folder: Folder) -> Vec<Item> {
        self.pending.extend(folder.folders);
        self.has_gaps |= folder.is_gone;
        let closed = folder.closed.map(Err);
        folder.files.into_iter().map(Ok).chain(closed).collect()
    }

    /// The files of one more folder; `None` when that were all.
    async fn next(&mut self) -> Result<Option<Vec<Item>>, StorageError> {
        while self.under_way.len() < FOLDERS
            && let Some(path) = self.pending.pop()
        {
            self.under_way.push(Box::pin(entry_or_folder(self.root.clone(), path)));
        }
        match self.under_way.next().await {
            Some(folder) => {
                let files = self.take(folder?);
                if self.pending.len() > MOST_NAMES {
                    return Err(endless(&RemotePath::ROOT));
                }
                Ok(Some(files))
            }
            // Folders may vanish while we look, but not all of them.
            None if self.has_gaps => self.root.check_presence().await.map(|()| None),
            None => Ok(None),
        }
    }
}

/// What is in the folder at `path`, or the one entry that it stands for.
async fn entry_or_folder(root: Root, path: RemotePath) -> Result<Folder, StorageError> {
    let mut found = match read_folder(root, path.clone()).await {
        Err(closed @ StorageError::Forbidden { .. }) => {
            return Ok(Folder { closed: Some(closed), ..Folder::default() });
        }
        found => found?,
    };
    if is_in_log(&path) {
        let is_body = |file: &&mut RemoteFile| file.path.name() == BODY;
        if let Some(body) = found.files.iter_mut().find(is_body) {
            let entry = RemoteFile { path, ..body.clone() };
            return Ok(Folder { files: vec![entry], ..Folder::default() });
        }
    }
    Ok(found)
}

pub(super) async fn read_folder(root: Root, path: RemotePath) -> Result<Folder, StorageError> {
    let mut found = Folder::default();
    let opened =
        match Handle::open(&root.session, |session| session.open_folder(&root.at(&path))).await {
            Ok(opened) => opened,
            Err(failure) if failure.is_missing() => {
                return Ok(Folder { is_gone: true, ..found });
            }
            Err(failure) => return Err(root.error(&path)(failure)),
        };
    let (mut parts, mut count) = (FIRST_PARTS, 0);
    loop {
        let asked: Vec<_> = (0..parts).map(|_| root.session.entries(&opened.id)).collect();
        let mut is_over = false;
        for part in asked {
            let entries = part.await.map_err(root.error(&path))?;
            // A part may be empty of what exists for us.
            is_over |= entries.is_empty();
            count += entries.len();
            if count > MOST_NAMES {
                return Err(endless(&path));
            }
            for entry in &entries {
                found.add(&root, &path, entry).await?;
            }
        }
        if is_over {
            return Ok(found);
        }
        parts = (parts * 2).min(MOST_PARTS);
    }
}

impl Folder {
    async fn add(
        &mut self,
        root: &Root,
        folder: &RemotePath,
        entry: &NameEntry,
    ) -> Result<(), StorageError> {
        let Some(path) = path_of(folder, entry)? else { return Ok(()) };
        let attributes = match entry.attrs.get_filetype() {
            Some(_) => entry.attrs,
            None => match root.session.look(&root.at(&path)).await {
                Ok(seen) => seen,
                Err(failure) if failure.is_missing() => return Ok(()),
                Err(failure) => return Err(root.error(&path)(failure)),
            },
        };
        self.sort(path, &attributes)
    }

    fn sort(&mut self, path: RemotePath, attributes: &FileAttrs) -> Result<(), StorageError> {
        match kind_of(attributes)? {
            FileType::Directory if is_passed_over(&path) => {}
            FileType::Directory => self.folders.push(path),
            FileType::RegularFile => self.files.push(FileStat::of(attributes).remote_file(&path)),
            _ => {}
        }
        Ok(())
    }
}

/// Where an entry stands; `None` for what is not to be listed.
fn path_of(folder: &RemotePath, entry: &NameEntry) -> Result<Option<RemotePath>, StorageError> {
    let name = entry.filename.to_str().unwrap_or_default();
    let is_ours = folder.is_root() && name == OUR_FOLDER;
    if matches!(name, "." | "..") || is_ours {
        return Ok(None);
    }
    let text = if folder.is_root() { name.to_owned() } else { format!("{folder}/{name}") };
    if text.len() > RemotePath::LONGEST {
        return Ok(None);
    }
    match RemotePath::new(text) {
        Ok(path) if !name.is_empty() && !name.contains('/') => Ok(Some(path)),
        _ => Err(StorageError::Malformed("the server lists a name that can't be one".into())),
    }
}

impl Root {
    /// Removes the folder at `path` and those in it, if there is no file in any.
    pub(super) async fn clear_empty(&self, path: &RemotePath) -> Result<bool, StorageError> {
        let (mut open, mut folders) = (vec![path.clone()], Vec::new());
        while let Some(path) = open.pop() {
            let found = read_folder(self.clone(), path.clone()).await?;
            if !found.files.is_empty() {
                return Ok(false);
            }
            open.extend(found.folders);
            folders.push(path);
        }
        let removed: Vec<_> = folders
            .iter()
            .rev()
            .map(|folder| self.session.remove_folder(&self.at(folder)))
            .collect();
        self.forget(&folders);
        let mut last = true;
        for removed in removed {
            last = removed.await.is_ok();
        }
        Ok(last)
    }
}
