//! What stands around every adapter, in one fixed order, built here alone.
//!
//! `trace(retry(pace(adapter)))`: calls are counted as the engine makes them,
//! repeated for a few seconds while a failure is likely to pass, and held back
//! when the service asks for it.

mod pace;
mod retry;
mod timer;
mod trace;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub use self::timer::{SystemTimer, Timer};
pub use self::trace::{CallCounts, Calls};
use crate::Backend;

/// How patient the layers are with one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How many calls may be under way at once; as many as the adapter says
    /// are worth having when `None`.
    pub parallel: Option<usize>,
    /// The longest first pause; each further one may be twice as long.
    pub first_pause: Duration,
    /// No pause is longer.
    pub longest_pause: Duration,
    /// A call that has taken this long is not tried again: the queue, which
    /// thinks in minutes, takes over.
    pub total: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            parallel: None,
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(2),
            total: Duration::from_secs(6),
        }
    }
}

/// Puts the layers around `adapter`, and gives the counts of its calls.
pub fn stack(
    adapter: Arc<dyn Backend>,
    patience: Patience,
    timer: Arc<dyn Timer>,
) -> (Arc<dyn Backend>, Arc<CallCounts>) {
    let counts = Arc::new(CallCounts::default());
    let paced = pace::Paced::new(adapter, patience, timer.clone());
    let retried = retry::Retried {
        inner: Arc::new(paced),
        patience,
        timer,
        counts: counts.clone(),
        is_away: AtomicBool::new(false),
    };
    let traced = trace::Traced { inner: Arc::new(retried), counts: counts.clone() };
    (Arc::new(traced), counts)
}
