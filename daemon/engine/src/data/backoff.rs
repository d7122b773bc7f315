//! When work that failed is tried again: later and later, no more than ten
//! minutes apart.

use mirror_core::Timestamp;

/// The first wait; each further one is twice as long.
pub(crate) const FIRST_WAIT_MS: i64 = 5_000;

pub(crate) const LONGEST_WAIT_MS: i64 = 600_000;

/// Whether a time to try again, no more than `longest` ahead when it was set,
/// has come. One further ahead was set by a clock that has gone back since.
pub(crate) fn has_come(time: Timestamp, now: Timestamp, longest_ms: i64) -> bool {
    let ahead = time.milliseconds().saturating_sub(now.milliseconds());
    ahead <= 0 || ahead > longest_ms
}
