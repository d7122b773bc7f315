//! Tries again, for a few seconds, what failed in a way that is likely to pass.
//!
//! Only calls that may safely happen twice are repeated. A write or removal
//! guarded by [`Expect`], or a rename, is not: when its reply was lost it may
//! have happened, and a second try would be refused by the first. Its caller
//! reads back what stands there. Nor is a body or a listing that has begun, nor
//! a write of many files, whose caller sends again only those that failed, nor a
//! copy, which an upload stands in for.
//!
//! A service that one call waited for in vain is away: until a call comes
//! through, each is tried once. Who asks then is answered at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};

use super::patience::Patience;
use super::timer::Timer;
use super::trace::CallCounts;
use crate::offers::OFFERED;
use crate::{
    Access, Backend, Body, ByteRange, ByteStream, Capabilities, ChangeFeed, CopyRange, Expect,
    FaultClass, FileStream, Guarded, KeepAttributes, KeptAttributes, MoveAside, NewFile,
    RemoteFile, RemotePath, Revision, StorageError, Stored, WriteMany,
};

pub(super) struct Retried {
    pub(super) inner: Arc<dyn Backend>,
    pub(super) patience: Patience,
    pub(super) timer: Arc<dyn Timer>,
    pub(super) counts: Arc<CallCounts>,
    /// A call gave up, and none came through since.
    pub(super) is_away: AtomicBool,
}

impl Retried {
    async fn repeated<T, Answer>(&self, mut call: impl FnMut() -> Answer) -> Result<T, StorageError>
    where
        Answer: Future<Output = Result<T, StorageError>>,
    {
        let gives_up = self.timer.now() + self.patience.total;
        let mut longest = self.patience.first_pause;
        loop {
            let error = match call().await {
                Err(error) if error.class() == FaultClass::Transient => error,
                answer => {
                    self.is_away.store(false, Ordering::Relaxed);
                    return answer;
                }
            };
            let pause = self.pause_after(&error, longest);
            let is_over = self.timer.now() + pause > gives_up;
            if is_over || self.is_away.load(Ordering::Relaxed) {
                self.is_away.store(true, Ordering::Relaxed);
                return Err(error);
            }
            self.timer.pause(pause).await;
            self.counts.add_retry();
            longest = (longest * 2).min(self.patience.longest_pause);
        }
    }

    /// As long as the service asked for, else full jitter: machines that
    /// failed together don't come back together.
    fn pause_after(&self, error: &StorageError, longest: Duration) -> Duration {
        match error {
            StorageError::Throttled { retry_after: Some(asked) } => *asked,
            _ => longest.mul_f64(self.timer.chance()),
        }
    }
}

#[async_trait]
impl Backend for Retried {
    fn label(&self) -> &str {
        self.inner.label()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, StorageError> {
        self.repeated(|| self.inner.stat(path)).await
    }

    fn list<'a>(&'a self, prefix: &'a RemotePath) -> FileStream<'a> {
        let begun = self.repeated(move || async move {
            let mut files = self.inner.list(prefix);
            let first = match files.next().await {
                Some(Err(error)) if error.class() == FaultClass::Transient => return Err(error),
                first => futures::stream::iter(first),
            };
            Ok(first.chain(files))
        });
        futures::stream::once(begun).try_flatten().boxed()
    }

    async fn read(
        &self,
        path: &RemotePath,
        range: ByteRange,
    ) -> Result<Option<ByteStream>, StorageError> {
        self.repeated(|| self.inner.read(path, range)).await
    }

    async fn write(
        &self,
        path: &RemotePath,
        body: Body,
        expect: Expect,
    ) -> Result<Guarded<Revision>, StorageError> {
        match expect {
            Expect::Anything => {
                let again = || self.inner.write(path, body.clone(), Expect::Anything);
                self.repeated(again).await
            }
            Expect::Absent | Expect::At(_) => self.inner.write(path, body, expect).await,
        }
    }

    async fn remove(&self, path: &RemotePath, expect: Expect) -> Result<Guarded<()>, StorageError> {
        match expect {
            Expect::Anything => {
                let again = || self.inner.remove(path, Expect::Anything);
                self.repeated(again).await
            }
            Expect::Absent | Expect::At(_) => self.inner.remove(path, expect).await,
        }
    }

    async fn sweep(&self, age: Duration) -> Result<usize, StorageError> {
        self.repeated(|| self.inner.sweep(age)).await
    }

    fn move_aside(&self) -> Option<&dyn MoveAside> {
        self.inner.move_aside()
    }

    fn write_many(&self) -> Option<&dyn WriteMany> {
        self.inner.write_many()
    }

    fn keep_attributes(&self) -> Option<&dyn KeepAttributes> {
        self.inner.keep_attributes().map(|_| self as &dyn KeepAttributes)
    }

    fn copy_range(&self) -> Option<&dyn CopyRange> {
        self.inner.copy_range()
    }

    fn change_feed(&self) -> Option<&dyn ChangeFeed> {
        self.inner.change_feed()
    }
}

#[async_trait]
impl KeepAttributes for Retried {
    fn keeps(&self) -> KeptAttributes {
        self.inner.keep_attributes().expect(OFFERED).keeps()
    }

    fn set_access(&self, access: Access) {
        self.inner.keep_attributes().expect(OFFERED).set_access(access);
    }

    async fn write_as(&self, file: &NewFile, body: Body) -> Stored {
        let service = self.inner.keep_attributes().expect(OFFERED);
        match file.expect {
            Expect::Anything => self.repeated(|| service.write_as(file, body.clone())).await,
            Expect::Absent | Expect::At(_) => service.write_as(file, body).await,
        }
    }
}
