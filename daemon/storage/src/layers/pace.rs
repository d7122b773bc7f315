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

use super::{Patience, Timer};
use crate::{
    Backend, Body, ByteRange, ByteStream, Capabilities, Expect, FileStream, Guarded, MoveAside,
    RemoteFile, RemotePath, Revision, StorageError,
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
}

#[async_trait]
impl MoveAside for Paced {
    async fn rename(
        &self,
        from: &RemotePath,
        to: &RemotePath,
    ) -> Result<Guarded<()>, StorageError> {
        let _place = self.place().await?;
        let service = self.inner.move_aside().expect("asked for only where there is one");
        service.rename(from, to).inspect_err(|error| self.gate.note(error)).await
    }
}
