//! One backend with one project, and what all its machines share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use mirror_core::commit::{Action, Commit, FORMAT};
use mirror_core::{Digest, Timestamp, Ulid};
use mirror_storage::adapter::memory::{MemoryBackend, MemoryProfile};
use mirror_storage::{Backend, ByteRange, Expect, RemotePath};

use super::{Machine, entry_path, settings};
use crate::api::SharedSettings;
use crate::outside::{Clock, Entropy, Outside};
use crate::project::create;
use crate::real::TokioSpawner;

/// A clock that stands still until it is moved, or waited for.
pub(super) struct ManualClock {
    milliseconds: AtomicI64,
    /// What happens during the next wait.
    program: Mutex<Option<BoxFuture<'static, ()>>>,
}

impl ManualClock {
    /// Lets something happen while somebody waits.
    pub(super) fn meanwhile(&self, program: impl Future<Output = ()> + Send + 'static) {
        *self.program.lock().unwrap() = Some(Box::pin(program));
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.milliseconds.load(Ordering::Relaxed))
    }

    async fn wait(&self, time: Duration) {
        self.milliseconds.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
        let program = self.program.lock().unwrap().take();
        if let Some(program) = program {
            program.await;
        }
    }
}

/// The same names on every run, and none twice in a world.
struct SeededEntropy(AtomicU64);

impl Entropy for SeededEntropy {
    fn bits(&self) -> u128 {
        let number = self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        u128::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
    }
}

/// One backend with one project, and what all machines share.
pub(super) struct World {
    pub(super) files: MemoryBackend,
    pub(super) clock: Arc<ManualClock>,
    pub(super) outside: Outside,
}

impl World {
    /// A project of every file, on a service with compare-and-swap.
    pub(super) async fn new() -> Self {
        Self::on(MemoryProfile::SWAP).await
    }

    pub(super) async fn on(profile: MemoryProfile) -> Self {
        Self::with(profile, settings(&["**/*"])).await
    }

    pub(super) async fn with(profile: MemoryProfile, settings: SharedSettings) -> Self {
        let clock = Arc::new(ManualClock {
            milliseconds: AtomicI64::new(1_790_000_000_000),
            program: Mutex::default(),
        });
        let outside = Outside::new(
            clock.clone(),
            Arc::new(SeededEntropy(AtomicU64::new(0))),
            Arc::new(TokioSpawner),
        );
        let world = Self { files: MemoryBackend::new(profile), clock, outside };
        let first = Machine::new(&world, "first");
        create(&first.parts(), &first.author, settings, world.outside.ulid()).await.unwrap();
        world
    }

    /// A machine that has opened the project.
    pub(super) async fn machine(&self, name: &str) -> Machine {
        let mut machine = Machine::new(self, name);
        machine.open().await.unwrap();
        machine
    }

    pub(super) fn advance(&self, time: Duration) {
        let milliseconds = i64::try_from(time.as_millis()).unwrap();
        self.clock.milliseconds.fetch_add(milliseconds, Ordering::Relaxed);
    }

    pub(super) fn goes_back(&self, time: Duration) {
        let milliseconds = i64::try_from(time.as_millis()).unwrap();
        self.clock.milliseconds.fetch_sub(milliseconds, Ordering::Relaxed);
    }

    /// What the backend holds at a path, as plain bytes.
    pub(super) fn content(&self, path: &str) -> Option<Bytes> {
        let path = RemotePath::new(path).unwrap();
        let reading = async {
            let mut stream = self.files.read(&path, ByteRange::ALL).await.unwrap()?;
            let mut bytes = Vec::new();
            while let Some(piece) = stream.next().await {
                bytes.extend_from_slice(&piece.unwrap());
            }
            Some(Bytes::from(bytes))
        };
        reading.now_or_never().expect("memory answers at once")
    }

    pub(super) fn text(&self, path: &str) -> Option<String> {
        self.content(path).map(|bytes| String::from_utf8(bytes.into()).unwrap())
    }

    /// Puts bytes on the backend as some other program would.
    pub(super) fn plant(&self, path: &str, content: impl Into<Bytes>) {
        let path = RemotePath::new(path).unwrap();
        let mut writing = self.files.write(&path, content.into().into(), Expect::Anything);
        // A file that is written in place takes two steps.
        let mut written = (&mut writing).now_or_never();
        written = written.or_else(|| writing.now_or_never());
        written.expect("memory answers at once").unwrap();
    }

    pub(super) fn lose(&self, path: &str) {
        let path = RemotePath::new(path).unwrap();
        self.files.remove(&path, Expect::Anything).now_or_never().unwrap().unwrap();
    }

    /// Every path below a folder of the backend; `""` is the view.
    pub(super) fn names(&self, folder: &str) -> BTreeSet<String> {
        let folder = RemotePath::new(folder).unwrap();
        let files: Vec<_> = self.files.list(&folder).try_collect().now_or_never().unwrap().unwrap();
        files.into_iter().map(|file| file.path.as_str().to_owned()).collect()
    }

    pub(super) fn entry(&self, seq: u64) -> Option<Bytes> {
        self.content(&entry_path(seq))
    }

    pub(super) fn commit(&self, seq: u64) -> Commit {
        Commit::parse(&self.entry(seq).expect("the entry is there")).unwrap()
    }

    /// The newest entry that is there.
    pub(super) fn head(&self) -> u64 {
        let mut seq = 0;
        while self.entry(seq + 1).is_some() {
            seq += 1;
        }
        seq
    }

    /// An empty commit that fits at the head, for a story to bend.
    pub(super) fn draft(&self) -> Commit {
        let head = self.head();
        Commit {
            format: FORMAT,
            seq: head + 1,
            id: self.outside.ulid(),
            parent: self.entry(head).map(|bytes| Digest::of(&bytes)),
            parent_ref: None,
            time: self.outside.clock.now(),
            user: "ada".to_owned(),
            machine: "hand".to_owned(),
            machine_id: Ulid::from_parts(7, 7),
            action: Action::Push,
            tag: None,
            message: None,
            settings: None,
            consent: None,
            allow_secrets: None,
            checkpoint: None,
            changes: Vec::new(),
            resolved: Vec::new(),
            packs: Vec::new(),
            dropped_packs: Vec::new(),
            forgotten: Vec::new(),
            promote: None,
            moved: None,
        }
    }

    pub(super) fn append(&self, commit: &Commit) {
        self.plant(&entry_path(commit.seq), commit.to_bytes());
    }

    /// How many commits change `path` to a content, by that content.
    pub(super) fn times_committed(&self, path: &str) -> BTreeMap<Option<Digest>, usize> {
        let mut times = BTreeMap::new();
        for seq in 1..=self.head() {
            let Ok(commit) = Commit::parse(&self.entry(seq).unwrap()) else { continue };
            for change in commit.changes.iter().filter(|change| change.path.as_str() == path) {
                let to = change.to.as_ref().map(|entry| entry.sha256);
                *times.entry(to).or_insert(0) += 1;
            }
        }
        times
    }
}
