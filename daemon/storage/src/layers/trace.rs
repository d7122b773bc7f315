//! Counts the calls the engine makes, and says in the log how each one ended.
//!
//! Lines hold the backend's label, the path and our own words for an error;
//! causes, which may quote a service, are left out: they could hold secrets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use tracing::debug;

use crate::offers::OFFERED;
use crate::{
    Access, Backend, Body, ByteRange, ByteStream, Capabilities, ChangeFeed, CopyRange, Expect,
    FileStream, Guarded, KeepAttributes, KeptAttributes, MoveAside, NewFile, RemoteFile,
    RemotePath, Revision, StorageError, Stored, StoredRange, WriteMany,
};

/// How many calls were made, counted as they go.
#[derive(Debug, Default)]
pub struct CallCounts {
    stat: AtomicU64,
    list: AtomicU64,
    read: AtomicU64,
    write: AtomicU64,
    remove: AtomicU64,
    retries: AtomicU64,
}

/// How many calls were made at one moment. A rename or a copy counts as a
/// write, as does each of many files written together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    pub stat: u64,
    pub list: u64,
    pub read: u64,
    pub write: u64,
    pub remove: u64,
    /// Tries beyond the first, in no other count.
    pub retries: u64,
}

impl CallCounts {
    pub fn so_far(&self) -> Calls {
        let now = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Calls {
            stat: now(&self.stat),
            list: now(&self.list),
            read: now(&self.read),
            write: now(&self.write),
            remove: now(&self.remove),
            retries: now(&self.retries),
        }
    }

    pub(super) fn add_retry(&self) {
        add_one(&self.retries);
    }
}

impl Calls {
    /// All calls that the engine made.
    pub fn total(&self) -> u64 {
        self.stat + self.list + self.read + self.write + self.remove
    }
}

fn add_one(count: &AtomicU64) {
    add(count, 1);
}

fn add(count: &AtomicU64, calls: u64) {
    count.fetch_add(calls, Ordering::Relaxed);
}

pub(super) struct Traced {
    pub(super) inner: Arc<dyn Backend>,
    pub(super) counts: Arc<CallCounts>,
}

impl Traced {
    fn tell<T>(&self, verb: &str, path: &RemotePath, answer: &Result<T, StorageError>) {
        let backend = self.label();
        match answer {
            Ok(_) => debug!(backend, verb, %path, "answered"),
            Err(error) => debug!(backend, verb, %path, %error, "failed"),
        }
    }
}

#[async_trait]
impl Backend for Traced {
    fn label(&self) -> &str {
        self.inner.label()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, StorageError> {
        add_one(&self.counts.stat);
        let answer = self.inner.stat(path).await;
        self.tell("stat", path, &answer);
        answer
    }

    fn list<'a>(&'a self, prefix: &'a RemotePath) -> FileStream<'a> {
        add_one(&self.counts.list);
        debug!(backend = self.label(), verb = "list", path = %prefix, "begun");
        self.inner
            .list(prefix)
            .inspect_err(move |error| {
                debug!(backend = self.label(), verb = "list", path = %prefix, %error, "failed");
            })
            .boxed()
    }

    async fn read(
        &self,
        path: &RemotePath,
        range: ByteRange,
    ) -> Result<Option<ByteStream>, StorageError> {
        add_one(&self.counts.read);
        let answer = self.inner.read(path, range).await;
        self.tell("read", path, &answer);
        answer
    }

    async fn write(
        &self,
        path: &RemotePath,
        body: Body,
        expect: Expect,
    ) -> Result<Guarded<Revision>, StorageError> {
        add_one(&self.counts.write);
        let answer = self.inner.write(path, body, expect).await;
        self.tell("write", path, &answer);
        answer
    }

    async fn remove(&self, path: &RemotePath, expect: Expect) -> Result<Guarded<()>, StorageError> {
        add_one(&self.counts.remove);
        let answer = self.inner.remove(path, expect).await;
        self.tell("remove", path, &answer);
        answer
    }

    async fn sweep(&self, age: Duration) -> Result<usize, StorageError> {
        let answer = self.inner.sweep(age).await;
        self.tell("sweep", &RemotePath::ROOT, &answer);
        answer
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
impl MoveAside for Traced {
    async fn rename(
        &self,
        from: &RemotePath,
        to: &RemotePath,
    ) -> Result<Guarded<()>, StorageError> {
        add_one(&self.counts.write);
        let service = self.inner.move_aside().expect(OFFERED);
        let answer = service.rename(from, to).await;
        self.tell("rename", from, &answer);
        answer
    }
}

#[async_trait]
impl WriteMany for Traced {
    async fn store_all(&self, files: Vec<(NewFile, Body)>) -> Result<Vec<Stored>, StorageError> {
        add(&self.counts.write, files.len() as u64);
        let paths: Vec<_> = files.iter().map(|(file, _)| file.path.clone()).collect();
        let answer = self.inner.write_many().expect(OFFERED).store_all(files).await;
        match &answer {
            Ok(stored) => {
                for (path, stored) in paths.iter().zip(stored) {
                    self.tell("write", path, stored);
                }
            }
            Err(_) => self.tell("write many", &RemotePath::ROOT, &answer),
        }
        answer
    }
}

#[async_trait]
impl KeepAttributes for Traced {
    fn keeps(&self) -> KeptAttributes {
        self.inner.keep_attributes().expect(OFFERED).keeps()
    }

    fn set_access(&self, access: Access) {
        self.inner.keep_attributes().expect(OFFERED).set_access(access);
    }

    async fn write_as(&self, file: &NewFile, body: Body) -> Stored {
        add_one(&self.counts.write);
        let stored = self.inner.keep_attributes().expect(OFFERED).write_as(file, body).await;
        self.tell("write", &file.path, &stored);
        stored
    }
}

#[async_trait]
impl CopyRange for Traced {
    fn least(&self) -> u64 {
        self.inner.copy_range().expect(OFFERED).least()
    }

    async fn copy(&self, range: &StoredRange, file: &NewFile) -> Stored {
        add_one(&self.counts.write);
        let stored = self.inner.copy_range().expect(OFFERED).copy(range, file).await;
        self.tell("copy", &file.path, &stored);
        stored
    }
}
