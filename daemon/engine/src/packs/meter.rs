//! Counts bytes as they go by, from any thread.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::api::Progress;

/// Every so many bytes it is told how far the phase has come.
const TOLD_EVERY: u64 = 1 << 20;

/// The bytes of one phase of a job.
#[derive(Clone)]
pub struct Meter(Arc<Counter>);

struct Counter {
    phase: Progress,
    done: AtomicU64,
    tell: Box<dyn Fn(&Progress) + Send + Sync>,
}

impl Meter {
    /// Counts up to the bytes of `phase`; `tell` hears of it now and then.
    pub fn new(phase: Progress, tell: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        tell(&phase);
        Self(Arc::new(Counter { phase, done: AtomicU64::new(0), tell: Box::new(tell) }))
    }

    /// For work that nobody follows.
    #[must_use]
    pub fn silent() -> Self {
        Self::new(Progress::default(), |_| {})
    }

    pub fn add(&self, bytes: u64) {
        let before = self.0.done.fetch_add(bytes, Ordering::Relaxed);
        if before / TOLD_EVERY != (before + bytes) / TOLD_EVERY {
            let done_bytes = (before + bytes).min(self.0.phase.total_bytes);
            (self.0.tell)(&Progress { done_bytes, ..self.0.phase.clone() });
        }
    }

    /// Reads `source` and counts what was read.
    pub fn count<R: Read>(&self, source: R) -> Counted<R> {
        Counted { source, meter: self.clone() }
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "Meter({} of {} bytes)",
            self.0.done.load(Ordering::Relaxed),
            self.0.phase.total_bytes
        )
    }
}

/// See [`Meter::count`].
#[derive(Debug)]
pub struct Counted<R> {
    source: R,
    meter: Meter,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.meter.add(count as u64);
        Ok(count)
    }
}
