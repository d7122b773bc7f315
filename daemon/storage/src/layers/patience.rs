//! How patient the layers are with one service.

use std::time::Duration;

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
