//! A backend that nobody reaches, for whoever goes by this machine's own copies.

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
