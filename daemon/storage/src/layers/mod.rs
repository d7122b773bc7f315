//! What stands around every adapter, in one fixed order, built here alone.
//!
//! `trace(proof(retry(pace(adapter))))`: calls are counted as the engine makes them,
//! the first entry of a log waits until the service has shown that it can hold one,
//! and calls are repeated for a few seconds while a failure is likely to pass, and
//! held back when the service asks for it.

mod pace;
mod patience;
mod proof;
mod retry;
mod timer;
mod trace;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::OnceCell;

pub use self::patience::Patience;
pub use self::proof::{Flaw, Unproved, prove};
pub use self::timer::{SystemTimer, Timer};
pub use self::trace::{CallCounts, Calls};
use crate::Backend;

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
    let proved = proof::Proved { inner: Arc::new(retried), given: OnceCell::new() };
    let traced = trace::Traced { inner: Arc::new(proved), counts: counts.clone() };
    (Arc::new(traced), counts)
}
