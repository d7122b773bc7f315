//! Keeps callers from waiting at the door of a server that doesn't answer.
//!
//! While it is shut, every call hears at once that the server is away, as do
//! those under way when it is shut. Opening a project works without its backend,
//! and whoever asks for what this machine knows by itself must not wait for a
//! connection.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::{BoxStream, unfold};
use mirror_storage::{
    Access, Backend, Body, ByteRange, ByteStream, Capabilities, ChangeFeed, CopyRange, Expect,
    FileStream, Guarded, KeepAttributes, KeptAttributes, MoveAside, NewFile, RemoteFile,
    RemotePath, Revision, StorageError, Stored, StoredRange, WriteMany,
};
use tokio::sync::watch;

pub(crate) struct Breaker {
    inner: Arc<dyn Backend>,
    /// Why it is shut, while it is.
    shut: watch::Sender<Option<String>>,
}

type Answer<T> = Result<T, StorageError>;

/// Why a call finds what it was offered.
const OFFERED: &str = "offered only where the backend offers it";

impl Breaker {
    /// Stands open until it is shut.
    pub(crate) fn new(inner: Arc<dyn Backend>) -> Self {
        Self { inner, shut: watch::Sender::new(None) }
    }

    /// Shuts it for the reason given; opens it for none.
    pub(crate) fn shut(&self, why: Option<String>) {
        self.shut.send_replace(why);
    }

    /// Gives the answer of a call, unless the door is shut before.
    async fn hear<T>(&self, call: impl Future<Output = Answer<T>>) -> Answer<T> {
        let mut shut = self.shut.subscribe();
        tokio::select! {
            biased;
            error = closing(&mut shut) => Err(error),
            answer = call => answer,
        }
    }

    fn hear_all<'a, T: Send + 'a>(
        &self,
        answers: BoxStream<'a, Answer<T>>,
    ) -> BoxStream<'a, Answer<T>> {
        let under_way = Some((answers, self.shut.subscribe()));
        unfold(under_way, |under_way| async {
            let (mut answers, mut shut) = under_way?;
            tokio::select! {
                biased;
                error = closing(&mut shut) => Some((Err(error), None)),
                answer = answers.next() => Some((answer?, Some((answers, shut)))),
            }
        })
        .boxed()
    }
}

/// Waits until the door is shut.
async fn closing(shut: &mut watch::Receiver<Option<String>>) -> StorageError {
    let why = shut.wait_for(Option::is_some).await.ok().and_then(|why| why.clone());
    match why {
        Some(why) => StorageError::Unreachable(why.into()),
        // The door is gone, and nobody shuts it any more.
        None => std::future::pending().await,
    }
}

#[async_trait]
impl Backend for Breaker {
    fn label(&self) -> &str {
        self.inner.label()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, StorageError> {
        self.hear(self.inner.stat(path)).await
    }

    fn list<'a>(&'a self, prefix: &'a RemotePath) -> FileStream<'a> {
        self.hear_all(self.inner.list(prefix))
    }

    async fn read(
        &self,
        path: &RemotePath,
        range: ByteRange,
    ) -> Result<Option<ByteStream>, StorageError> {
        let bytes = self.hear(self.inner.read(path, range)).await?;
        Ok(bytes.map(|bytes| self.hear_all(bytes)))
    }

    async fn write(
        &self,
        path: &RemotePath,
        body: Body,
        expect: Expect,
    ) -> Result<Guarded<Revision>, StorageError> {
        self.hear(self.inner.write(path, body, expect)).await
    }

    async fn remove(&self, path: &RemotePath, expect: Expect) -> Result<Guarded<()>, StorageError> {
        self.hear(self.inner.remove(path, expect)).await
    }

    async fn sweep(&self, age: Duration) -> Result<usize, StorageError> {
        self.hear(self.inner.sweep(age)).await
    }

    fn move_aside(&self) -> Option<&dyn MoveAside> {
        self.inner.move_aside().map(|_| self as &dyn MoveAside)
    }

    fn write_many(&self) -> Option<&dyn WriteMany> {
        self.inner.write_many().map(|_| self as &dyn WriteMany)
    }

    fn keep_attributes(&self) -> Option<&dyn KeepAttributes> {
        self.inner.keep_attributes().map(|_| self as &dyn KeepAttributes)
    }

    fn copy_range(&self) -> Option<&dyn CopyRange> {
        self.inner.copy_range().map(|_| self as &dyn CopyRange)
    }

    fn change_feed(&self) -> Option<&dyn ChangeFeed> {
        self.inner.change_feed()
    }
}

#[async_trait]
impl MoveAside for Breaker {
    async fn rename(
        &self,
        from: &RemotePath,
        to: &RemotePath,
    ) -> Result<Guarded<()>, StorageError> {
        self.hear(self.inner.move_aside().expect(OFFERED).rename(from, to)).await
    }
}

#[async_trait]
impl WriteMany for Breaker {
    async fn store_all(&self, files: Vec<(NewFile, Body)>) -> Answer<Vec<Stored>> {
        self.hear(self.inner.write_many().expect(OFFERED).store_all(files)).await
    }
}

#[async_trait]
impl KeepAttributes for Breaker {
    fn keeps(&self) -> KeptAttributes {
        self.inner.keep_attributes().expect(OFFERED).keeps()
    }

    fn set_access(&self, access: Access) {
        self.inner.keep_attributes().expect(OFFERED).set_access(access);
    }

    async fn write_as(&self, file: &NewFile, body: Body) -> Stored {
        self.hear(self.inner.keep_attributes().expect(OFFERED).write_as(file, body)).await
    }
}

#[async_trait]
impl CopyRange for Breaker {
    fn least(&self) -> u64 {
        self.inner.copy_range().expect(OFFERED).least()
    }

    async fn copy(&self, range: &StoredRange, file: &NewFile) -> Stored {
        self.hear(self.inner.copy_range().expect(OFFERED).copy(range, file)).await
    }
}

#[cfg(test)]
mod tests {
    use mirror_storage::adapter::{MemoryBackend, MemoryProfile};

    use super::*;

    #[tokio::test]
    async fn nobody_waits_while_the_door_is_shut() {
        let inner = Arc::new(MemoryBackend::new(MemoryProfile::RENAME));
        let door = Breaker::new(inner);
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

    #[tokio::test]
    async fn who_waits_hears_at_once_that_the_door_is_shut() {
        let inner = Arc::new(MemoryBackend::new(MemoryProfile::RENAME));
        let door = Breaker::new(inner);
        let mut bytes = door.hear_all(futures::stream::pending::<Answer<()>>().boxed());
        let answer = door.hear(std::future::pending::<Answer<()>>());
        let shut = async { door.shut(Some("the daemon ends".to_owned())) };

        let (answer, read, ()) = tokio::join!(answer, bytes.next(), shut);

        assert!(matches!(answer, Err(StorageError::Unreachable(_))));
        assert!(matches!(read, Some(Err(StorageError::Unreachable(_)))));
        assert!(bytes.next().await.is_none());
    }

    #[tokio::test]
    async fn what_is_offered_goes_through_the_door_while_it_is_open() {
        let memory = MemoryBackend::new(MemoryProfile::EVERYTHING);
        let door = Breaker::new(Arc::new(memory.clone()));
        let (many, copies) = (door.write_many().unwrap(), door.copy_range().unwrap());
        let attributes = door.keep_attributes().unwrap();
        let path = |name: &str| RemotePath::new(name).unwrap();
        let file = |name: &str| NewFile::plain(path(name), Expect::Absent);
        let range = StoredRange { path: path("a"), start: 0, len: 3 };

        attributes.set_access(Access::Group);
        let stored = many.store_all(vec![(file("a"), "one".into())]).await.unwrap();
        assert!(matches!(stored.as_slice(), [Ok(Guarded::Done(_))]));
        assert!(attributes.write_as(&file("b"), "two".into()).await.is_ok());
        assert!(copies.copy(&range, &file("c")).await.is_ok());
        for name in ["a", "b", "c"] {
            assert_eq!(memory.access(&path(name)), Some(Access::Group));
        }
        assert_eq!(attributes.keeps(), memory.keeps());

        door.shut(Some("it sleeps".to_owned()));
        assert!(many.store_all(vec![(file("d"), "four".into())]).await.is_err());
        assert!(attributes.write_as(&file("d"), "four".into()).await.is_err());
        assert!(copies.copy(&range, &file("d")).await.is_err());
        assert!(memory.stat(&path("d")).await.unwrap().is_none());
    }
}
