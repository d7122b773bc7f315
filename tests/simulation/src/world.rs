//! What everything in one schedule shares: chance, time, the trace, and the
//! calls that wait for the scheduler.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use mirror_core::{Digest, Timestamp};
use mirror_engine::outside::Clock;
use mirror_storage::adapter::memory::MemoryBackend;

use crate::chance::Chance;
use crate::disk::Folder;
use crate::ledger::Ledger;
use crate::op::Op;
use crate::panics::locked;
use crate::report::Trace;
use crate::setup::Setup;
use crate::waiting::Waiting;
use crate::writers::Writers;

/// The time at which every schedule begins, by the service's clock.
const BEGIN_MS: i64 = 1_790_000_000_000;

/// One schedule's shared state. Everything runs on one thread; the locks only
/// satisfy the engine's traits.
pub(crate) struct World {
    pub(crate) setup: Setup,
    pub(crate) files: MemoryBackend,
    chance: Mutex<Chance>,
    trace: Mutex<Trace>,
    writers: Mutex<Writers>,
    ledger: Mutex<Ledger>,
    waiting: Mutex<Vec<Waiting>>,
    orphans: Mutex<Vec<(usize, Op)>>,
    /// How many more calls of each machine don't reach the service.
    cuts: Mutex<Vec<u32>>,
    data: Mutex<Vec<Arc<Folder>>>,
    findings: Mutex<Vec<String>>,
    now_ms: Arc<AtomicI64>,
    calm: AtomicBool,
    /// Changes that the engine made to the log, the view and the trees.
    effects: AtomicU64,
    calls: AtomicU64,
}

impl fmt::Debug for World {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("World")
    }
}

impl World {
    pub(crate) fn new(setup: Setup, with_words: bool) -> Arc<Self> {
        let now_ms = Arc::new(AtomicI64::new(BEGIN_MS));
        let clock = now_ms.clone();
        let service = move || {
            let milliseconds = u64::try_from(clock.load(Ordering::Relaxed)).unwrap_or(0);
            // File servers keep whole seconds.
            UNIX_EPOCH + Duration::from_secs(milliseconds / 1_000)
        };
        let service: Arc<dyn Fn() -> SystemTime + Send + Sync> = Arc::new(service);
        Arc::new(Self {
            files: MemoryBackend::with_clock(setup.profile, service),
            chance: Mutex::new(Chance::new(setup.seed ^ 0xA5A5)),
            trace: Mutex::new(Trace::new(with_words)),
            writers: Mutex::new(Writers::new(setup.seed, setup.reverts)),
            ledger: Mutex::default(),
            waiting: Mutex::default(),
            orphans: Mutex::default(),
            cuts: Mutex::new(vec![0; setup.machines]),
            data: Mutex::default(),
            findings: Mutex::default(),
            now_ms,
            calm: AtomicBool::new(true),
            effects: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            setup,
        })
    }

    pub(crate) fn chance<T>(&self, choose: impl FnOnce(&mut Chance) -> T) -> T {
        choose(&mut locked(&self.chance))
    }

    pub(crate) fn writers(&self) -> MutexGuard<'_, Writers> {
        locked(&self.writers)
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        locked(&self.ledger)
    }

    pub(crate) fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        locked(&self.waiting)
    }

    /// Makes a machine's own folder known.
    pub(crate) fn keep_data(&self, data: Arc<Folder>) {
        locked(&self.data).push(data);
    }

    /// The digests of all that a machine keeps in its data folder.
    pub(crate) fn data_of(&self, machine: usize) -> Vec<Digest> {
        let data = locked(&self.data)[machine].clone();
        data.contents().iter().map(|(_, bytes)| Digest::of(bytes)).collect()
    }

    /// Cuts a machine off for so many calls.
    pub(crate) fn cut_off(&self, machine: usize, calls: u32) {
        locked(&self.cuts)[machine] = calls;
    }

    pub(crate) fn heal_lines(&self) {
        locked(&self.cuts).fill(0);
    }

    /// Whether a machine's next call is cut; counts it.
    pub(crate) fn is_cut(&self, machine: usize) -> bool {
        let left = &mut locked(&self.cuts)[machine];
        let cut = *left > 0;
        *left = left.saturating_sub(1);
        cut
    }

    /// Changes on their way to the service whose sender is gone.
    pub(crate) fn orphans(&self) -> MutexGuard<'_, Vec<(usize, Op)>> {
        locked(&self.orphans)
    }

    pub(crate) fn note(&self, words: fmt::Arguments<'_>) {
        locked(&self.trace).note(words);
    }

    /// Notes a broken promise.
    pub(crate) fn finds(&self, words: String) {
        self.note(format_args!("FOUND: {words}"));
        locked(&self.findings).push(words);
    }

    pub(crate) fn has_found(&self) -> bool {
        !locked(&self.findings).is_empty()
    }

    pub(crate) fn conclude(&self) -> (u64, Vec<String>, Vec<String>) {
        let trace = std::mem::replace(&mut *locked(&self.trace), Trace::new(false));
        (trace.digest(), std::mem::take(&mut *locked(&self.findings)), trace.into_lines())
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    pub(crate) fn advance(&self, milliseconds: i64) {
        self.now_ms.fetch_add(milliseconds, Ordering::Relaxed);
    }

    /// Calm: every call is answered at once, and nobody types.
    pub(crate) fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    pub(crate) fn set_calm(&self, calm: bool) {
        self.calm.store(calm, Ordering::Relaxed);
    }

    pub(crate) fn count_effect(&self) {
        self.effects.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn effects(&self) -> u64 {
        self.effects.load(Ordering::Relaxed)
    }

    pub(crate) fn next_call(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed)
    }
}

/// One machine's clock: it may be wrong, and it may jump.
#[derive(Debug)]
pub(crate) struct SkewedClock {
    world: Arc<World>,
    skew_ms: AtomicI64,
}

impl SkewedClock {
    pub(crate) fn new(world: Arc<World>, skew_ms: i64) -> Self {
        Self { world, skew_ms: AtomicI64::new(skew_ms) }
    }

    pub(crate) fn jump(&self, milliseconds: i64) {
        self.skew_ms.fetch_add(milliseconds, Ordering::Relaxed);
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.world.now_ms() + self.skew_ms.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now_ms())
    }

    async fn wait(&self, time: Duration) {
        self.world.advance(i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
    }
}
