//! A backend in a folder: a local disk, a memory stick, a mounted NAS.
//!
//! Every call is one piece of work off the runtime, which opens the folder
//! anew, so that one that went missing is noticed. Bodies pass through in
//! chunks. No link inside the folder is ever followed.

mod error;
mod feed;
mod list;
mod paths;
mod read;
mod remove;
mod rename;
mod rights;
mod stat;
mod sweep;
mod sys;
mod upload;
mod write;

#[cfg(test)]
mod tests;

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join;

pub use self::feed::FolderEvents;
use self::paths::Root;
use self::stat::{entry_at, remote_file};
use super::access::AskedAccess;
use super::body::length_checked;
use crate::{
    Access, Backend, Body, ByteRange, ByteStream, Capabilities, ChangeFeed, Changes, Expect,
    FileStream, Guarded, KeepAttributes, KeptAttributes, MoveAside, NewFile, RemoteFile,
    RemotePath, Revision, StorageError, Stored, is_shared_with_machines,
};

/// The files below one folder of this machine.
#[derive(Clone, Debug)]
pub struct FolderBackend {
    root: Arc<PathBuf>,
    label: String,
    access: Arc<AskedAccess>,
    events: Arc<FolderEvents>,
}

impl FolderBackend {
    /// Uses the folder `root`. Whether it is there is asked by each call, as a
    /// disk may be plugged in later.
    pub fn open(root: PathBuf) -> Self {
        Self::open_with(root, Arc::default())
    }

    /// The same for one of many, which share the events of this machine.
    pub fn open_with(root: PathBuf, events: Arc<FolderEvents>) -> Self {
        let label = format!("folder {}", root.display());
        Self { label, root: Arc::new(root), access: Arc::default(), events }
    }

    /// Does `work` in the folder, where waiting for a disk holds nobody up.
    async fn inside<T: Send + 'static>(
        &self,
        path: &RemotePath,
        work: impl FnOnce(&Root, &RemotePath) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let (folder, path) = (self.root.clone(), path.clone());
        let rights = self.access.rights();
        off_runtime(move || {
            let root = Root::open(&folder, &path)?.with(rights);
            work(&root, &path)
        })
        .await
    }

    async fn store(&self, file: NewFile, body: Body) -> Stored {
        let path = file.path.clone();
        let (fed, chunks) = upload::feed(length_checked(&path, &body));
        let store = move |root: &Root, _: &RemotePath| write::store(root, &file, chunks);
        let ((), stored) = join(fed, self.inside(&path, store)).await;
        stored
    }
}

#[async_trait]
impl Backend for FolderBackend {
    fn label(&self) -> &str {
        &self.label
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            swap: false,
            move_aside: true,
            atomic_view: true,
            flushed_view: true,
            parallel: 8,
        }
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, StorageError> {
        let look = |root: &Root, path: &RemotePath| {
            let entry = match root.parent_of(path)? {
                Some(parent) => entry_at(&parent, path)?,
                None => return Ok(None),
            };
            Ok(entry.stat().map(|stat| remote_file(path, stat)))
        };
        self.inside(path, look).await
    }

    fn list<'a>(&'a self, prefix: &'a RemotePath) -> FileStream<'a> {
        list::files_below(self.root.clone(), prefix.clone())
    }

    async fn read(
        &self,
        path: &RemotePath,
        range: ByteRange,
    ) -> Result<Option<ByteStream>, StorageError> {
        let begin = move |root: &Root, path: &RemotePath| read::open(root, path, range);
        Ok(self.inside(path, begin).await?.map(read::stream))
    }

    async fn write(
        &self,
        path: &RemotePath,
        body: Body,
        expect: Expect,
    ) -> Result<Guarded<Revision>, StorageError> {
        self.store(NewFile::plain(path.clone(), expect), body).await
    }

    async fn remove(&self, path: &RemotePath, expect: Expect) -> Result<Guarded<()>, StorageError> {
        let remove = move |root: &Root, path: &RemotePath| remove::remove(root, path, &expect);
        self.inside(path, remove).await
    }

    async fn sweep(&self, age: Duration) -> Result<usize, StorageError> {
        let sweep = move |root: &Root, temps: &RemotePath| sweep::sweep(root, temps, age);
        self.inside(&paths::temps_folder(), sweep).await
    }

    fn move_aside(&self) -> Option<&dyn MoveAside> {
        Some(self)
    }

    fn keep_attributes(&self) -> Option<&dyn KeepAttributes> {
        Some(self)
    }

    fn change_feed(&self) -> Option<&dyn ChangeFeed> {
        Some(self)
    }
}

#[async_trait]
impl ChangeFeed for FolderBackend {
    async fn watch(&self, folder: &RemotePath) -> Result<Option<Box<dyn Changes>>, StorageError> {
        let (events, top) = (self.events.clone(), self.root.join(folder.as_str()));
        let begin = move |root: &Root, folder: &RemotePath| match root.folder(folder)? {
            Some(_) if !is_shared_with_machines(&top) => Ok(events.watch(&top)),
            Some(_) | None => Ok(None),
        };
        self.inside(folder, begin).await
    }
}

#[async_trait]
impl KeepAttributes for FolderBackend {
    fn keeps(&self) -> KeptAttributes {
        KeptAttributes { access: true, modified: true }
    }

    fn set_access(&self, access: Access) {
        self.access.set(access);
    }

    async fn write_as(&self, file: &NewFile, body: Body) -> Stored {
        self.store(file.clone(), body).await
    }
}

#[async_trait]
impl MoveAside for FolderBackend {
    async fn rename(
        &self,
        from: &RemotePath,
        to: &RemotePath,
    ) -> Result<Guarded<()>, StorageError> {
        let to = to.clone();
        let rename = move |root: &Root, from: &RemotePath| rename::rename(root, from, &to);
        self.inside(from, rename).await
    }
}

async fn off_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(stopped) if stopped.is_panic() => resume_unwind(stopped.into_panic()),
        Err(stopped) => Err(StorageError::Unreachable(stopped.into())),
    }
}
