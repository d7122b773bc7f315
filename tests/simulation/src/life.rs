//! One run of a daemon, from its start to its crash.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// How many more steps a daemon has before it dies between two of them. None
/// has an effect afterwards.
#[derive(Debug)]
pub(crate) struct Life(AtomicI64);

impl Life {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(i64::MAX)))
    }

    pub(crate) fn ends_after(&self, steps: i64) {
        self.0.store(steps, Ordering::Relaxed);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed) <= 0
    }

    /// Takes one step; `false` when the daemon is dead.
    pub(crate) fn lasts(&self) -> bool {
        !self.is_over() && self.0.fetch_sub(1, Ordering::Relaxed) > 0
    }

    /// Never returns to a daemon that is dead.
    pub(crate) async fn or_never(&self) {
        if self.is_over() {
            std::future::pending::<()>().await;
        }
    }
}
