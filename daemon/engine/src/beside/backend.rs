//! Backends for whoever goes by this machine's own copies: one that nobody reaches,
//! and one of which contents alone are read.

use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use mirror_storage::{
    Backend, Body, ByteRange, ByteStream, Capabilities, Expect, FileStream, Guarded, RemoteFile,
    RemotePath, Revision, StorageError,
};

#[derive(Clone, Copy, Debug)]
pub struct NoBackend;

fn away<T>() -> Result<T, StorageError> {
    Err(StorageError::Unreachable("it is not asked".into()))
}

#[async_trait]
impl Backend for NoBackend {
    fn label(&self) -> &'static str {
        "no backend"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            swap: false,
            move_aside: false,
            atomic_view: false,
            flushed_view: false,
            parallel: 1,
        }
    }

    async fn stat(&self, _path: &RemotePath) -> Result<Option<RemoteFile>, StorageError> {
        away()
    }

    fn list<'a>(&'a self, _prefix: &'a RemotePath) -> FileStream<'a> {
        stream::iter([away()]).boxed()
    }

    async fn read(
        &self,
        _path: &RemotePath,
        _range: ByteRange,
    ) -> Result<Option<ByteStream>, StorageError> {
        away()
    }

    async fn write(
        &self,
        _path: &RemotePath,
        _body: Body,
        _expect: Expect,
    ) -> Result<Guarded<Revision>, StorageError> {
        away()
    }

    async fn remove(
        &self,
        _path: &RemotePath,
        _expect: Expect,
    ) -> Result<Guarded<()>, StorageError> {
        away()
    }
}

/// A backend of which the contents in one folder can be read, and nothing else: each
/// is checked by its digest, whatever the rest of the place may say.
pub(crate) struct ContentsAlone {
    below: Arc<dyn Backend>,
    folder: RemotePath,
    /// Why.
    reason: String,
}

impl ContentsAlone {
    pub(crate) fn new(below: Arc<dyn Backend>, folder: RemotePath, reason: String) -> Self {
        Self { below, folder, reason }
    }

    fn refused<T>(&self) -> Result<T, StorageError> {
        Err(StorageError::Unreachable(self.reason.clone().into()))
    }
}

#[async_trait]
impl Backend for ContentsAlone {
    fn label(&self) -> &str {
        self.below.label()
    }

    fn capabilities(&self) -> Capabilities {
        let Capabilities { parallel, .. } = self.below.capabilities();
        Capabilities { parallel, ..NoBackend.capabilities() }
    }

    async fn stat(&self, _path: &RemotePath) -> Result<Option<RemoteFile>, StorageError> {
        self.refused()
    }

    fn list<'a>(&'a self, _prefix: &'a RemotePath) -> FileStream<'a> {
        stream::iter([self.refused()]).boxed()
    }

    async fn read(
        &self,
        path: &RemotePath,
        range: ByteRange,
    ) -> Result<Option<ByteStream>, StorageError> {
        match path.is_within(&self.folder) {
            true => self.below.read(path, range).await,
            false => self.refused(),
        }
    }

    async fn write(
        &self,
        _path: &RemotePath,
        _body: Body,
        _expect: Expect,
    ) -> Result<Guarded<Revision>, StorageError> {
        self.refused()
    }

    async fn remove(
        &self,
        _path: &RemotePath,
        _expect: Expect,
    ) -> Result<Guarded<()>, StorageError> {
        self.refused()
    }
}
