//! A backend on a server that speaks SFTP, reached by the machine's own `ssh`.
//!
//! One connection per account carries many calls at once. Three promises make
//! this the largest of the adapters, as SFTP keeps none of them by itself: a name
//! is given to one writer alone (by hard links, which never replace, or by
//! renaming a folder); no file is torn (nothing gets its name before the server
//! says that it holds every byte); and a server is not believed (its packets,
//! lengths, names, links and silences are looked at before anything rests on
//! them). `ssh` makes connections and tells why they end; `wire` speaks SFTP;
//! what stands here keeps files by those two, which know of no files.

mod config;
mod error;
mod list;
mod paths;
mod read;
mod remove;
mod rename;
mod root;
mod ssh;
mod stat;
mod sweep;
mod upload;
mod wire;
mod write;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};

pub use self::config::{SftpAccount, SshSettings};
use self::paths::{KnownFolders, Root};
pub use self::root::{SftpFeatures, SftpRoot};
pub use self::ssh::{SftpConnection, SftpFault, ShownKey};
use super::access::AskedAccess;
use crate::{
    Access, Backend, Body, ByteRange, ByteStream, Capabilities, Expect, FileStream, Guarded,
    KeepAttributes, KeptAttributes, MoveAside, NewFile, RemoteFile, RemotePath, Revision,
    StorageError, Stored,
};

/// How many calls at once are worth having.
const PARALLEL: usize = 256;

/// The files below one folder of one account.
#[derive(Clone, Debug)]
pub struct SftpBackend {
    connection: Arc<SftpConnection>,
    base: Arc<str>,
    known: Arc<KnownFolders>,
    label: String,
    access: Arc<AskedAccess>,
}

impl SftpBackend {
    /// Uses the folder `root`: below the login's home unless it begins with
    /// `/`. Whether it is there is asked by each call.
    pub fn open(connection: Arc<SftpConnection>, root: String) -> Self {
        let label = format!("sftp {} {root}", connection.account().name());
        let mut base = root;
        if !base.is_empty() && !base.ends_with('/') {
            base.push('/');
        }
        let (known, access) = (Arc::default(), Arc::default());
        Self { connection, base: base.into(), known, label, access }
    }

    async fn reach(&self) -> Result<Root, StorageError> {
        Ok(Root {
            connection: self.connection.clone(),
            session: self.connection.session().await?,
            base: self.base.clone(),
            known: self.known.clone(),
            rights: self.access.rights(),
        })
    }
}

#[async_trait]
impl Backend for SftpBackend {
    fn label(&self) -> &str {
        &self.label
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            swap: false,
            move_aside: true,
            atomic_view: true,
            flushed_view: true,
            parallel: PARALLEL,
        }
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, StorageError> {
        let (_, entry) = self.reach().await?.entry_at(path).await?;
        Ok(entry.file().map(|file| file.remote_file(path)))
    }

    fn list<'a>(&'a self, prefix: &'a RemotePath) -> FileStream<'a> {
        let started = async move { Ok(list::files_below(self.reach().await?, prefix.clone())) };
        futures::stream::once(started).try_flatten().boxed()
    }

    async fn read(
        &self,
        path: &RemotePath,
        range: ByteRange,
    ) -> Result<Option<ByteStream>, StorageError> {
        read::open(&self.reach().await?, path, range).await
    }

    async fn write(
        &self,
        path: &RemotePath,
        body: Body,
        expect: Expect,
    ) -> Result<Guarded<Revision>, StorageError> {
        write::store(&self.reach().await?, &NewFile::plain(path.clone(), expect), &body).await
    }

    async fn remove(&self, path: &RemotePath, expect: Expect) -> Result<Guarded<()>, StorageError> {
        remove::remove(&self.reach().await?, path, &expect).await
    }

    async fn sweep(&self, age: Duration) -> Result<usize, StorageError> {
        sweep::sweep(&self.reach().await?, age).await
    }

    fn move_aside(&self) -> Option<&dyn MoveAside> {
        Some(self)
    }

    fn keep_attributes(&self) -> Option<&dyn KeepAttributes> {
        Some(self)
    }
}

#[async_trait]
impl KeepAttributes for SftpBackend {
    /// Times hold the mark by which two versions of a file are told apart.
    fn keeps(&self) -> KeptAttributes {
        KeptAttributes { access: true, modified: false }
    }

    fn set_access(&self, access: Access) {
        self.access.set(access);
    }

    async fn write_as(&self, file: &NewFile, body: Body) -> Stored {
        write::store(&self.reach().await?, file, &body).await
    }
}

#[async_trait]
impl MoveAside for SftpBackend {
    async fn rename(
        &self,
        from: &RemotePath,
        to: &RemotePath,
    ) -> Result<Guarded<()>, StorageError> {
        rename::rename(&self.reach().await?, from, to).await
    }
}
