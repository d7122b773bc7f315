//! Keeps callers from waiting at the door of a server that doesn't answer.
//!
//! While it is shut, every call hears at once that the server is away. Opening
//! a project works without its backend, and whoever asks for what this machine
//! knows by itself must not wait for a connection.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use mirror_storage::{
    Backend, Body, ByteRange, ByteStream, Capabilities, Expect, FileStream, Guarded, MoveAside,
    RemoteFile, RemotePath, Revision, StorageError,
};

pub(crate) struct Doorstep {
    inner: Arc<dyn Backend>,
    /// Why it is shut, while it is.
    shut: Mutex<Option<String>>,
}

impl Doorstep {
    /// Stands open until it is shut.
    pub(crate) fn new(inner: Arc<dyn Backend>) -> Self {
        Self { inner, shut: Mutex::default() }
    }

    /// Shuts it for the reason given; opens it for none.
    pub(crate) fn shut(&self, why: Option<String>) {
        *self.shut.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    fn enter(&self) -> Result<&dyn Backend, StorageError> {
        match &*self.shut.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(self.inner.as_ref()),
            Some(why) => Err(StorageError::Unreachable(why.clone().into())),
        }
    }
}

#[async_trait]
impl Backend for Doorstep {
    fn label(&self) -> &str {
        self.inner.label()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, StorageError> {
        self.enter()?.stat(path).await
    }

    fn list<'a>(&'a self, prefix: &'a RemotePath) -> FileStream<'a> {
        match self.enter() {
            Ok(inner) => inner.list(prefix),
            Err(error) => futures::stream::iter([Err(error)]).boxed(),
        }
    }

    async fn read(
        &self,
        path: &RemotePath,
        range: ByteRange,
    ) -> Result<Option<ByteStream>, StorageError> {
        self.enter()?.read(path, range).await
    }

    async fn write(
        &self,
        path: &RemotePath,
        body: Body,
        expect: Expect,
    ) -> Result<Guarded<Revision>, StorageError> {
        self.enter()?.write(path, body, expect).await
    }

    async fn remove(&self, path: &RemotePath, expect: Expect) -> Result<Guarded<()>, StorageError> {
        self.enter()?.remove(path, expect).await
    }

    async fn sweep(&self, age: Duration) -> Result<usize, StorageError> {
        self.enter()?.sweep(age).await
    }

    fn move_aside(&self) -> Option<&dyn MoveAside> {
        self.inner.move_aside().map(|_| self as &dyn MoveAside)
    }
}

#[async_trait]
impl MoveAside for Doorstep {
    async fn rename(
        &self,
        from: &RemotePath,
        to: &RemotePath,
    ) -> Result<Guarded<()>, StorageError> {
        match self.enter()?.move_aside() {
            Some(service) => service.rename(from, to).await,
            None => Ok(Guarded::Refused),
        }
    }
}

#[cfg(test)]
mod tests {
    use mirror_storage::adapter::{MemoryBackend, MemoryProfile};

    use super::*;

    #[tokio::test]
    async fn nobody_waits_while_the_door_is_shut() {
        let inner = Arc::new(MemoryBackend::new(MemoryProfile::RENAME));
        let door = Doorstep::new(inner);
        let path = RemotePath::new("a").unwrap();
        door.write(&path, "a".into(), Expect::Absent).await.unwrap();

        door.shut(Some("it sleeps".to_owned()));
        assert!(matches!(door.stat(&path).await, Err(StorageError::Unreachable(_))));
        let root = RemotePath::ROOT;
        let mut listing = door.list(&root);
        assert!(matches!(listing.next().await, Some(Err(StorageError::Unreachable(_)))));
        assert!(matches!(
            door.remove(&path, Expect::Anything).await,
            Err(StorageError::Unreachable(_))
        ));

        door.shut(None);
        assert!(door.stat(&path).await.unwrap().is_some());
    }
}
