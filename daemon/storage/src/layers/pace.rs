//! Keeps to what a service can take: so many calls at once, and a pause for
//! all of them when it asks for one.
//!
//! A place is held until the call answers, not while a body or a listing
//! flows: a caller that writes what it reads would wait for itself.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, TryFutureExt, TryStreamExt};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::patience::Patience;
use super::timer::Timer;
use crate::offers::OFFERED;
use crate::{
    Access, Backend, Body, ByteRange, ByteStream, Capabilities, ChangeFeed, CopyRange, Expect,
    FileStream, Guarded, KeepAttributes, KeptAttributes, MoveAside, NewFile, RemoteFile,
    RemotePath, Revision, StorageError, Stored, StoredRange, WriteMany,
};

/// The pause after a service asked for one without saying how long.
const UNSAID_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Paced {
    inner: Arc<dyn Backend>,
    places: Semaphore,
    gate: Arc<Gate>,
}

/// Closed while the service wants to be left alone.
struct Gate {
    timer: Arc<dyn Timer>,
    longest: Duration,
    opens: Mutex<Duration>,
}

impl Paced {
    pub(super) fn new(inner: Arc<dyn Backend>, patience: Patience, timer: Arc<dyn Timer>) -> Self {
        let parallel = patience.parallel.unwrap_or(inner.capabilities().parallel);
        Self {
            inner,
            places: Semaphore::new(parallel.max(1)),
            gate: Arc::new(Gate { timer, longest: patience.total, opens: Mutex::default() }),
        }
    }

    async fn place(&self) -> Result<SemaphorePermit<'_>, StorageError> {
        let place = self.places.acquire().await.expect("never closed");
        self.gate.wait_until_open().await?;
        Ok(place)
    }
}

impl Gate {
    /// Waits until the gate is open. A pause too long to wait for is answered
    /// at once: the queue can wait, a call can't.
    async fn wait_until_open(&self) -> Result<(), StorageError> {
        loop {
            let opens = *self.opens.lock().expect("no panic while held");
            let left = opens.saturating_sub(self.timer.now());
            if left.is_zero() {
                return Ok(());
            }
            if left > self.longest {
                return Err(StorageError::Throttled { retry_after: Some(left) });
            }
            self.timer.pause(left).await;
        }
    }

    fn note(&self, error: &StorageError) {
        if let StorageError::Throttled { retry_after } = error {
            let opens = self.timer.now() + retry_after.unwrap_or(UNSAID_PAUSE);
            let mut held = self.opens.lock().expect("no panic while held");
            *held = opens.max(*held);
        }
    }
}

#[async_trait]
impl Backend for Paced {
    fn label(&self) -> &str {
        self.inner.label()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, StorageError> {
        let _place = self.place().await?;
        self.inner.stat(path).inspect_err(|error| self.gate.note(error)).await
    }

    fn list<'a>(&'a self, prefix: &'a RemotePath) -> FileStream<'a> {
        let opened = async move {
            let _place = self.place().await?;
            let mut files = self.inner.list(prefix).peekable();
            // The call answers with its first file.
            std::pin::Pin::new(&mut files).peek().await;
            Ok(files)
        };
        futures::stream::once(opened)
            .try_flatten()
            .inspect_err(|error| self.gate.note(error))
            .boxed()
    }

    async fn read(
        &self,
        path: &RemotePath,
        range: ByteRange,
    ) -> Result<Option<ByteStream>, StorageError> {
        let _place = self.place().await?;
        let bytes = self.inner.read(path, range).inspect_err(|error| self.gate.note(error)).await?;
        let gate = self.gate.clone();
        Ok(bytes.map(|bytes| bytes.inspect_err(move |error| gate.note(error)).boxed()))
    }

    async fn write(
        &self,
        path: &RemotePath,
        body: Body,
        expect: Expect,
    ) -> Result<Guarded<Revision>, StorageError> {
        let _place = self.place().await?;
        self.inner.write(path, body, expect).inspect_err(|error| self.gate.note(error)).await
    }

    async fn remove(&self, path: &RemotePath, expect: Expect) -> Result<Guarded<()>, StorageError> {
        let _place = self.place().await?;
        self.inner.remove(path, expect).inspect_err(|error| self.gate.note(error)).await
    }

    async fn sweep(&self, age: Duration) -> Result<usize, StorageError> {
        let _place = self.place().await?;
        self.inner.sweep(age).inspect_err(|error| self.gate.note(error)).await
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
impl MoveAside for Paced {
    async fn rename(
        &self,
        from: &RemotePath,
        to: &RemotePath,
    ) -> Result<Guarded<()>, StorageError> {
        let _place = self.place().await?;
        let service = self.inner.move_aside().expect(OFFERED);
        service.rename(from, to).inspect_err(|error| self.gate.note(error)).await
    }
}

#[async_trait]
impl WriteMany for Paced {
    async fn store_all(&self, files: Vec<(NewFile, Body)>) -> Result<Vec<Stored>, StorageError> {
        let _place = self.place().await?;
        let service = self.inner.write_many().expect(OFFERED);
        let stored = service.store_all(files).inspect_err(|error| self.gate.note(error)).await?;
        for error in stored.iter().filter_map(|stored| stored.as_ref().err()) {
            self.gate.note(error);
        }
        Ok(stored)
    }
}

#[async_trait]
impl KeepAttributes for Paced {
    fn keeps(&self) -> KeptAttributes {
        self.inner.keep_attributes().expect(OFFERED).keeps()
    }

    fn set_access(&self, access: Access) {
        self.inner.keep_attributes().expect(OFFERED).set_access(access);
    }

    async fn write_as(&self, file: &NewFile, body: Body) -> Stored {
        let _place = self.place().await?;
        let service = self.inner.keep_attributes().expect(OFFERED);
        service.write_as(file, body).inspect_err(|error| self.gate.note(error)).await
    }
}

#[async_trait]
impl CopyRange for Paced {
    fn least(&self) -> u64 {
        self.inner.copy_range().expect(OFFERED).least()
    }

    async fn copy(&self, range: &StoredRange, file: &NewFile) -> Stored {
        let _place = self.place().await?;
        let service = self.inner.copy_range().expect(OFFERED);
        service.copy(range, file).inspect_err(|error| self.gate.note(error)).await
    }
}
