//! A backend in memory: the reference for what [`Backend`] promises.
//!
//! Exact on every rule and the same on every run. Clones share their files, so
//! that each of several machines can hold one. Faults, delays and stale
//! answers are deliberately absent; whoever needs them wraps this.

mod files;

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt, stream};

use self::files::Files;
use super::body::length_checked;
use crate::{
    Backend, Body, ByteRange, ByteStream, Capabilities, Expect, FileStream, Guarded, MoveAside,
    RemoteFile, RemotePath, Revision, StorageError,
};

/// What the service behind a [`MemoryBackend`] would offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryProfile {
    pub swap: bool,
    pub move_aside: bool,
    /// Where it is false, a write into the view is visible half-way through.
    pub atomic_view: bool,
}

impl MemoryProfile {
    /// Compare-and-swap and no rename, as object stores have it.
    pub const SWAP: Self = Self { swap: true, move_aside: false, atomic_view: true };
    /// A rename and no compare-and-swap, as file servers have it.
    pub const RENAME: Self = Self { swap: false, move_aside: true, atomic_view: true };
    /// As [`Self::RENAME`], and files of the view are written in place.
    pub const TORN: Self = Self { atomic_view: false, ..Self::RENAME };
}

/// Says when a file was changed.
pub type MemoryClock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Files in memory, shared by all clones.
#[derive(Clone)]
pub struct MemoryBackend {
    profile: MemoryProfile,
    clock: Option<MemoryClock>,
    files: Arc<Mutex<Files>>,
}

impl MemoryBackend {
    /// Makes an empty backend whose n-th change happens n seconds after 1970.
    pub fn new(profile: MemoryProfile) -> Self {
        Self { profile, clock: None, files: Arc::default() }
    }

    /// Makes an empty backend that asks `clock` when a file was changed.
    pub fn with_clock(profile: MemoryProfile, clock: MemoryClock) -> Self {
        Self { clock: Some(clock), ..Self::new(profile) }
    }

    /// The same files, where changes happen at `now`.
    #[must_use]
    pub fn dated(&self, now: SystemTime) -> Self {
        Self { clock: Some(Arc::new(move || now)), ..self.clone() }
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().expect("no panic while files are held")
    }

    fn now(&self) -> Option<SystemTime> {
        self.clock.as_ref().map(|clock| clock())
    }
}

impl fmt::Debug for MemoryBackend {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("MemoryBackend").field("profile", &self.profile).finish_non_exhaustive()
    }
}

#[async_trait]
impl Backend for MemoryBackend {
    fn label(&self) -> &'static str {
        "memory"
    }

    fn capabilities(&self) -> Capabilities {
        let MemoryProfile { swap, move_aside, atomic_view } = self.profile;
        Capabilities { swap, move_aside, atomic_view, parallel: 16 }
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, StorageError> {
        Ok(self.files().described(path))
    }

    fn list<'a>(&'a self, prefix: &'a RemotePath) -> FileStream<'a> {
        let below = stream::once(async { stream::iter(self.files().below(prefix)) });
        below.flatten().map(Ok).boxed()
    }

    async fn read(
        &self,
        path: &RemotePath,
        range: ByteRange,
    ) -> Result<Option<ByteStream>, StorageError> {
        let content = self.files().content(path);
        Ok(content.map(|content| stream::iter([Ok(part(&content, range))]).boxed()))
    }

    async fn write(
        &self,
        path: &RemotePath,
        body: Body,
        expect: Expect,
    ) -> Result<Guarded<Revision>, StorageError> {
        let content = whole(length_checked(path, &body)).await?;
        let now = self.now();
        if self.profile.atomic_view || path.is_ours() {
            return self.files().put(path, content, &expect, now);
        }
        let half = content.slice(..content.len() / 2);
        let begun = self.files().put(path, half, &expect, now)?;
        if begun == Guarded::Refused {
            return Ok(begun);
        }
        pause().await;
        self.files().put(path, content, &Expect::Anything, now)
    }

    async fn remove(&self, path: &RemotePath, expect: Expect) -> Result<Guarded<()>, StorageError> {
        Ok(self.files().take(path, &expect))
    }

    fn move_aside(&self) -> Option<&dyn MoveAside> {
        self.profile.move_aside.then_some(self as &dyn MoveAside)
    }
}

#[async_trait]
impl MoveAside for MemoryBackend {
    async fn rename(
        &self,
        from: &RemotePath,
        to: &RemotePath,
    ) -> Result<Guarded<()>, StorageError> {
        self.files().rename(from, to)
    }
}

/// Lets others run once; a writer that is dropped here has written half.
async fn pause() {
    let mut paused = false;
    poll_fn(|context| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn whole(bytes: ByteStream) -> Result<Bytes, StorageError> {
    let chunks: Vec<Bytes> = bytes.try_collect().await?;
    let mut joined = BytesMut::new();
    for chunk in chunks {
        joined.extend_from_slice(&chunk);
    }
    Ok(joined.freeze())
}

fn part(content: &Bytes, range: ByteRange) -> Bytes {
    let position = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(content.len());
    let end = range.len.map_or(u64::MAX, |len| range.start.saturating_add(len));
    content.slice(position(range.start)..position(end))
}
