//! How many deletions the last hour saw (B12).

use crate::project::worker::Worker;

/// The last hour's deletions count together.
const HOUR_MS: i64 = 3_600_000;

impl Worker {
    /// Times of the deletions of the last hour, in milliseconds.
    pub(crate) fn recent_deletions(&self) -> Vec<i64> {
        let now = self.now().milliseconds();
        let recent = |time: &&i64| now.saturating_sub(**time) < HOUR_MS;
        self.state.deletions().iter().filter(recent).copied().collect()
    }

    pub(crate) fn count_deletions(&mut self, count: usize) {
        let mut deletions = self.recent_deletions();
        deletions.extend(std::iter::repeat_n(self.now().milliseconds(), count));
        self.state.set_deletions(deletions);
    }
}
