//! The layers around a service that fails as it is told, on a clock that
//! moves only while somebody pauses.

mod offers;
mod proof;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use futures::{StreamExt, TryStreamExt};

use super::*;
use crate::adapter::{MemoryBackend, MemoryProfile};
use crate::{
    Body, ByteRange, ByteStream, Capabilities, CopyRange, Expect, FileStream, Guarded,
    KeepAttributes, MoveAside, RemoteFile, RemotePath, Revision, StorageError, WriteMany,
};

struct Service {
    memory: MemoryBackend,
    faults: Mutex<VecDeque<StorageError>>,
    /// What befalls the first of many files.
    file_faults: Mutex<VecDeque<StorageError>>,
    calls: AtomicUsize,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    breaks_listings: bool,
}

impl Service {
    fn failing(faults: impl IntoIterator<Item = StorageError>) -> Self {
        Self {
            memory: MemoryBackend::new(MemoryProfile::RENAME),
            faults: Mutex::new(faults.into_iter().collect()),
            file_faults: Mutex::default(),
            calls: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            breaks_listings: false,
        }
    }

    async fn met(&self) -> Result<(), StorageError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let in_flight = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_in_flight.fetch_max(in_flight, Ordering::Relaxed);
        tokio::task::yield_now().await;
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let fault = self.faults.lock().expect("no panic").pop_front();
        fault.map_or(Ok(()), Err)
    }
}

#[async_trait]
impl Backend for Service {
    fn label(&self) -> &'static str {
        "service"
    }

    fn capabilities(&self) -> Capabilities {
        self.memory.capabilities()
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, StorageError> {
        self.met().await?;
        self.memory.stat(path).await
    }

    fn list<'a>(&'a self, prefix: &'a RemotePath) -> FileStream<'a> {
        let end = self.breaks_listings.then(|| Err(unreachable()));
        let files = self.memory.list(prefix).chain(futures::stream::iter(end));
        futures::stream::once(async move { self.met().await.map(|()| files) }).try_flatten().boxed()
    }

    async fn read(
        &self,
        path: &RemotePath,
        range: ByteRange,
    ) -> Result<Option<ByteStream>, StorageError> {
        self.met().await?;
        self.memory.read(path, range).await
    }

    async fn write(
        &self,
        path: &RemotePath,
        body: Body,
        expect: Expect,
    ) -> Result<Guarded<Revision>, StorageError> {
        self.met().await?;
        self.memory.write(path, body, expect).await
    }

    async fn remove(&self, path: &RemotePath, expect: Expect) -> Result<Guarded<()>, StorageError> {
        self.met().await?;
        self.memory.remove(path, expect).await
    }

    fn move_aside(&self) -> Option<&dyn MoveAside> {
        Some(self)
    }

    fn write_many(&self) -> Option<&dyn WriteMany> {
        Some(self)
    }

    fn keep_attributes(&self) -> Option<&dyn KeepAttributes> {
        Some(self)
    }

    fn copy_range(&self) -> Option<&dyn CopyRange> {
        Some(self)
    }
}

#[async_trait]
impl MoveAside for Service {
    async fn rename(
        &self,
        from: &RemotePath,
        to: &RemotePath,
    ) -> Result<Guarded<()>, StorageError> {
        self.met().await?;
        self.memory.rename(from, to).await
    }
}

#[derive(Default)]
struct StoppedClock(Mutex<Duration>);

#[async_trait]
impl Timer for StoppedClock {
    fn now(&self) -> Duration {
        *self.0.lock().expect("no panic")
    }

    async fn pause(&self, length: Duration) {
        *self.0.lock().expect("no panic") += length;
    }

    fn chance(&self) -> f64 {
        0.5
    }
}

struct Stack {
    top: Arc<dyn Backend>,
    service: Arc<Service>,
    counts: Arc<CallCounts>,
    clock: Arc<StoppedClock>,
}

impl Stack {
    fn around(service: Service, patience: Patience) -> Self {
        let (service, clock) = (Arc::new(service), Arc::new(StoppedClock::default()));
        let (top, counts) = stack(service.clone(), patience, clock.clone());
        Self { top, service, counts, clock }
    }

    fn failing(faults: impl IntoIterator<Item = StorageError>) -> Self {
        Self::around(Service::failing(faults), Patience::default())
    }

    /// From now on, for so many calls.
    fn fails(&self, calls: usize) {
        let mut faults = self.service.faults.lock().expect("no panic");
        *faults = std::iter::repeat_with(unreachable).take(calls).collect();
    }

    #[track_caller]
    fn called(&self, expected: usize) {
        assert_eq!(self.service.calls.load(Ordering::Relaxed), expected);
    }
}

fn path(text: &str) -> RemotePath {
    RemotePath::new(text).expect("a normal path")
}

fn unreachable() -> StorageError {
    StorageError::Unreachable("the cable came out".into())
}

fn throttled(seconds: u64) -> StorageError {
    StorageError::Throttled { retry_after: Some(Duration::from_secs(seconds)) }
}

#[tokio::test]
async fn failure_that_passes_is_not_seen() {
    let stack = Stack::failing([unreachable(), unreachable()]);

    stack.top.stat(&path("a")).await.expect("it passed");

    stack.called(3);
    assert!(stack.clock.now() > Duration::ZERO);
    let expected = Calls { stat: 1, retries: 2, ..Calls::default() };
    assert_eq!(stack.counts.so_far(), expected);
}

#[tokio::test]
async fn failure_that_stays_is_told_after_a_few_seconds() {
    let stack = Stack::failing(std::iter::repeat_with(unreachable).take(1000));

    let told = stack.top.read(&path("a"), ByteRange::ALL).await;

    assert!(matches!(told, Err(StorageError::Unreachable(_))));
    let spent = stack.clock.now();
    let total = Patience::default().total;
    assert!(spent > total / 2 && spent <= total, "{spent:?}");
}

#[tokio::test]
async fn service_that_is_away_is_waited_for_once() {
    let stack = Stack::failing([]);
    stack.fails(1000);
    assert!(stack.top.stat(&path("a")).await.is_err());
    let (spent, tried) = (stack.clock.now(), stack.service.calls.load(Ordering::Relaxed));

    assert!(stack.top.stat(&path("a")).await.is_err());
    assert_eq!(stack.clock.now(), spent);
    stack.called(tried + 1);

    stack.fails(0);
    stack.top.stat(&path("a")).await.expect("it is back");
    stack.fails(1);
    stack.top.stat(&path("a")).await.expect("patient again");
    stack.called(tried + 4);
}

#[tokio::test]
async fn failure_that_will_not_pass_is_told_at_once() {
    let stack = Stack::failing([StorageError::AccessLost]);

    let told = stack.top.stat(&path("a")).await;

    assert!(matches!(told, Err(StorageError::AccessLost)));
    stack.called(1);
}

#[tokio::test]
async fn guarded_change_is_never_tried_twice() {
    let faults = std::iter::repeat_with(unreachable);
    let stack = Stack::failing(faults.take(4));
    let revision = Expect::At(Revision("1".to_owned()));

    for expect in [Expect::Absent, revision.clone()] {
        let stored = stack.top.write(&path("a"), "one".into(), expect).await;
        assert!(stored.is_err());
    }
    assert!(stack.top.remove(&path("a"), revision).await.is_err());
    let rename = stack.top.move_aside().expect("a rename");
    assert!(rename.rename(&path("a"), &path("b")).await.is_err());

    stack.called(4);
    assert_eq!(stack.counts.so_far().retries, 0);
}

#[tokio::test]
async fn unguarded_change_is_tried_again() {
    let stack = Stack::failing([unreachable()]);

    let stored = stack.top.write(&path("a"), "one".into(), Expect::Anything).await;
    assert!(matches!(stored, Ok(Guarded::Done(_))));
    assert_eq!(stack.top.remove(&path("a"), Expect::Anything).await.ok(), Some(Guarded::Done(())));

    stack.called(3);
}

#[tokio::test]
async fn listing_is_tried_again_only_before_its_first_file() {
    let mut service = Service::failing([]);
    service.breaks_listings = true;
    let stack = Stack::around(service, Patience::default());
    stack.top.write(&path("a"), "one".into(), Expect::Absent).await.expect("a write");
    stack.service.faults.lock().expect("no panic").push_back(unreachable());

    let mut listed: Vec<_> = stack.top.list(&RemotePath::ROOT).collect().await;

    assert!(matches!(listed.pop(), Some(Err(StorageError::Unreachable(_)))));
    assert!(matches!(listed.as_slice(), [Ok(file)] if file.path == path("a")));
    stack.called(3);
    assert_eq!(stack.counts.so_far().list, 1);
}

#[tokio::test]
async fn one_request_to_slow_down_holds_back_all_calls() {
    let stack = Stack::failing([throttled(3)]);
    let refused = stack.top.write(&path("a"), "one".into(), Expect::Absent).await;
    assert!(matches!(refused, Err(StorageError::Throttled { .. })));
    assert_eq!(stack.clock.now(), Duration::ZERO);

    stack.top.stat(&path("b")).await.expect("an answer");

    assert_eq!(stack.clock.now(), Duration::from_secs(3));
    stack.called(2);
}

#[tokio::test]
async fn pause_too_long_to_wait_for_is_told_at_once() {
    let stack = Stack::failing([throttled(3600)]);

    for _ in 0..2 {
        let told = stack.top.stat(&path("a")).await;
        let left = Some(Duration::from_hours(1));
        assert!(
            matches!(told, Err(StorageError::Throttled { retry_after }) if retry_after == left)
        );
    }

    stack.called(1);
    assert_eq!(stack.clock.now(), Duration::ZERO);
}

#[tokio::test]
async fn only_so_many_calls_are_under_way_at_once() {
    let patience = Patience { parallel: Some(3), ..Patience::default() };
    let stack = Stack::around(Service::failing([]), patience);
    let target = path("a");

    let calls = (0..20).map(|_| stack.top.stat(&target));
    assert!(join_all(calls).await.iter().all(Result::is_ok));

    stack.called(20);
    assert_eq!(stack.service.most_in_flight.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn rename_reaches_the_service_and_counts_as_a_write() {
    let stack = Stack::failing([]);
    stack.top.write(&path("a"), "one".into(), Expect::Absent).await.expect("a write");

    let rename = stack.top.move_aside().expect("a rename");
    let renamed = rename.rename(&path("a"), &path("b")).await;

    assert_eq!(renamed.ok(), Some(Guarded::Done(())));
    assert!(stack.top.stat(&path("b")).await.expect("an answer").is_some());
    let counts = stack.counts.so_far();
    assert_eq!((counts.write, counts.stat, counts.total()), (2, 1, 3));
}

#[tokio::test]
async fn what_a_service_does_not_offer_is_not_offered_above_the_layers_either() {
    let memory = Arc::new(MemoryBackend::new(MemoryProfile::SWAP));
    let (top, _) = stack(memory, Patience::default(), Arc::new(StoppedClock::default()));

    assert!(top.move_aside().is_none());
    assert!(top.write_many().is_none());
    assert!(top.keep_attributes().is_none());
    assert!(top.copy_range().is_none());
    assert!(top.capabilities().swap);
}
