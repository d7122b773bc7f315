//! When work that failed is tried again: later and later, by full jitter, so
//! that machines that failed together don't come back together.

use mirror_core::Timestamp;

use super::faults::with_causes;
use super::worker::Worker;
use crate::api::{FileFault, QueuedKind, QueuedWork};
use crate::error::EngineError;

/// The first wait; each further one is twice as long.
const FIRST_WAIT_MS: i64 = 5_000;
pub(super) const LONGEST_WAIT_MS: i64 = 600_000;

/// Whether a time to try again, no more than `longest` ahead when it was set,
/// has come. One further ahead was set by a clock that has gone back since.
pub(super) fn has_come(time: Timestamp, now: Timestamp, longest_ms: i64) -> bool {
    let ahead = time.milliseconds().saturating_sub(now.milliseconds());
    ahead <= 0 || ahead > longest_ms
}

impl Worker {
    /// The work after one more try that failed.
    pub(super) fn again(
        &self,
        kind: QueuedKind,
        before: Option<QueuedWork>,
        fault: FileFault,
    ) -> QueuedWork {
        let now = self.now();
        let attempts = before.as_ref().map_or(0, |queued| queued.attempts) + 1;
        let longest = FIRST_WAIT_MS.saturating_mul(1 << attempts.min(16)).min(LONGEST_WAIT_MS);
        let spread = i64::try_from(self.parts.outside.entropy.bits() % 1_000).unwrap_or(0);
        let next_at = Timestamp(now.milliseconds() + longest * spread / 1_000);
        let since = before.map_or(now, |queued| queued.since);
        QueuedWork { kind, since, attempts, next_at, fault }
    }

    /// Notes why queued pushes wait on, where there are any.
    pub(super) fn note_try(&mut self, error: &EngineError) {
        let Some(oldest) = self.queue.pushes().first() else { return };
        let since = oldest.created;
        let fault = FileFault {
            path: String::new(),
            class: error.class(),
            message: with_causes(error),
            hint: error.hint(),
        };
        let before = self.queue.work.take();
        let work = self.again(QueuedKind::Push, before, fault);
        self.queue.work = Some(QueuedWork { since, ..work });
    }
}
