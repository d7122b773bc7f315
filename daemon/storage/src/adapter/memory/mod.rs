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
use tokio::sync::watch;

use self::files::{Files, Manner};
use super::body::length_checked;
use crate::{
    Access, Backend, Body, ByteRange, ByteStream, Capabilities, ChangeFeed, Changes, CopyRange,
    Expect, FileStream, Guarded, Hint, KeepAttributes, KeptAttributes, MoveAside, NewFile,
    RemoteFile, RemotePath, Revision, StorageError, Stored, StoredRange, WriteMany,
};

/// What the service behind a [`MemoryBackend`] would offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a promise of its own")]
pub struct MemoryProfile {
    pub swap: bool,
    pub move_aside: bool,
    /// Where it is false, a write into the view is visible half-way through.
    pub atomic_view: bool,
    /// Where it is false, a power cut empties the files of the view.
    pub flushed_view: bool,
    /// Whether it takes many files at once, keeps attributes, copies ranges and hints at changes.
    pub extras: bool,
}

impl MemoryProfile {
    /// Compare-and-swap and no rename, as object stores have it.
    pub const SWAP: Self = Self {
        swap: true,
        move_aside: false,
        atomic_view: true,
        flushed_view: true,
        extras: false,
    };
    /// A rename and no compare-and-swap, as file servers have it.
    pub const RENAME: Self = Self { swap: false, move_aside: true, ..Self::SWAP };
    /// As [`Self::RENAME`], and files of the view are written in place.
    pub const TORN: Self = Self { atomic_view: false, ..Self::RENAME };
    /// As [`Self::RENAME`], and files of the view are not flushed.
    pub const UNFLUSHED: Self = Self { flushed_view: false, ..Self::RENAME };
    /// All that a service may offer.
    pub const EVERYTHING: Self = Self { move_aside: true, extras: true, ..Self::SWAP };
}

/// Says when a file was changed.
pub type MemoryClock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Files in memory, shared by all clones.
#[derive(Clone)]
pub struct MemoryBackend {
    profile: MemoryProfile,
    clock: Option<MemoryClock>,
    access: Arc<Mutex<Option<Access>>>,
    files: Arc<Mutex<Files>>,
    /// Told at each change.
    changes: watch::Sender<()>,
}

impl MemoryBackend {
    /// Makes an empty backend whose n-th change happens n seconds after 1970.
    pub fn new(profile: MemoryProfile) -> Self {
        let changes = watch::Sender::default();
        Self { profile, clock: None, access: Arc::default(), files: Arc::default(), changes }
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

    /// Who may use the file at `path`, where anybody has said so.
    pub fn access(&self, path: &RemotePath) -> Option<Access> {
        self.files().access(path)
    }

    /// What a power cut leaves of all that was written until now.
    pub fn cut_power(&self) {
        self.files().lose_unflushed();
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().expect("no panic while files are held")
    }

    fn change<T>(&self, change: impl FnOnce(&mut Files) -> T) -> T {
        let changed = change(&mut self.files());
        self.changes.send_replace(());
        changed
    }

    /// How this machine writes the file at `path` now, by itself.
    fn manner(&self, path: &RemotePath) -> Manner {
        Manner {
            now: self.clock.as_ref().map(|clock| clock()),
            access: *self.access.lock().expect("no panic while held"),
            is_flushed: self.profile.flushed_view || path.is_ours(),
        }
    }

    async fn store(&self, file: &NewFile, body: Body) -> Stored {
        let content = whole(length_checked(&file.path, &body)).await?;
        let manner = self.manner(&file.path);
        if self.profile.atomic_view || file.path.is_ours() {
            return self.change(|files| files.put(file, content, manner));
        }
        let half = content.slice(..content.len() / 2);
        let begun = self.change(|files| files.put(file, half, manner))?;
        if begun == Guarded::Refused {
            return Ok(begun);
        }
        pause().await;
        let file = NewFile { expect: Expect::Anything, ..file.clone() };
        self.change(|files| files.put(&file, content, manner))
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
        let MemoryProfile { swap, move_aside, atomic_view, flushed_view, .. } = self.profile;
        Capabilities { swap, move_aside, atomic_view, flushed_view, parallel: 16 }
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
        self.store(&NewFile::plain(path.clone(), expect), body).await
    }

    async fn remove(&self, path: &RemotePath, expect: Expect) -> Result<Guarded<()>, StorageError> {
        Ok(self.change(|files| files.take(path, &expect)))
    }

    fn move_aside(&self) -> Option<&dyn MoveAside> {
        self.profile.move_aside.then_some(self as &dyn MoveAside)
    }

    fn write_many(&self) -> Option<&dyn WriteMany> {
        self.profile.extras.then_some(self as &dyn WriteMany)
    }

    fn keep_attributes(&self) -> Option<&dyn KeepAttributes> {
        self.profile.extras.then_some(self as &dyn KeepAttributes)
    }

    fn copy_range(&self) -> Option<&dyn CopyRange> {
        self.profile.extras.then_some(self as &dyn CopyRange)
    }

    fn change_feed(&self) -> Option<&dyn ChangeFeed> {
        self.profile.extras.then_some(self as &dyn ChangeFeed)
    }
}

#[async_trait]
impl MoveAside for MemoryBackend {
    async fn rename(
        &self,
        from: &RemotePath,
        to: &RemotePath,
    ) -> Result<Guarded<()>, StorageError> {
        self.change(|files| files.rename(from, to))
    }
}

#[async_trait]
impl WriteMany for MemoryBackend {
    async fn store_all(&self, files: Vec<(NewFile, Body)>) -> Result<Vec<Stored>, StorageError> {
        let mut stored = Vec::with_capacity(files.len());
        for (file, body) in files {
            let content = whole(length_checked(&file.path, &body)).await;
            let manner = Manner { is_flushed: true, ..self.manner(&file.path) };
            let put = |content| self.change(|files| files.put(&file, content, manner));
            stored.push(content.and_then(put));
        }
        Ok(stored)
    }
}

#[async_trait]
impl KeepAttributes for MemoryBackend {
    fn keeps(&self) -> KeptAttributes {
        KeptAttributes { access: true, modified: true }
    }

    fn set_access(&self, access: Access) {
        *self.access.lock().expect("no panic while held") = Some(access);
    }

    async fn write_as(&self, file: &NewFile, body: Body) -> Stored {
        self.store(file, body).await
    }
}

#[async_trait]
impl CopyRange for MemoryBackend {
    async fn copy(&self, range: &StoredRange, file: &NewFile) -> Stored {
        let missing = || StorageError::Rejected {
            path: range.path.clone(),
            reason: "it does not hold the range that is to be copied".to_owned(),
        };
        let content = self.files().content(&range.path).ok_or_else(missing)?;
        if range.start.saturating_add(range.len) > content.len() as u64 {
            return Err(missing());
        }
        let copied = part(&content, ByteRange { start: range.start, len: Some(range.len) });
        self.store(file, copied.into()).await
    }
}

#[async_trait]
impl ChangeFeed for MemoryBackend {
    /// Whatever folder it is: a hint may be for nothing.
    async fn watch(&self, _folder: &RemotePath) -> Result<Option<Box<dyn Changes>>, StorageError> {
        Ok(Some(Box::new(AnyChange(self.changes.subscribe()))))
    }
}

/// Hears of each change of the service.
struct AnyChange(watch::Receiver<()>);

#[async_trait]
impl Changes for AnyChange {
    async fn next(&mut self) -> Hint {
        self.0.changed().await.map_or(Hint::Over, |()| Hint::Changed)
    }

    async fn holds(&self) -> bool {
        true
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
