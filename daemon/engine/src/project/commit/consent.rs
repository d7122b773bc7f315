//! How many files the last hour took away (B12).

use crate::project::worker::Worker;

/// The last hour's losses count together.
const HOUR_MS: i64 = 3_600_000;

impl Worker {
    /// Times of the losses of the last hour, in milliseconds. A clock that was set
    /// back makes none of them last longer than an hour from now.
    pub(crate) fn recent_deletions(&mut self) -> Vec<i64> {
        let now = self.now().milliseconds();
        let recent = |time: &i64| now.saturating_sub(*time) < HOUR_MS;
        let known = self.state.deletions().iter().map(|time| (*time).min(now));
        let recent: Vec<i64> = known.filter(recent).collect();
        self.state.set_deletions(recent.clone());
        recent
    }

    pub(crate) fn count_deletions(&mut self, count: usize) {
        let mut deletions = self.recent_deletions();
        deletions.extend(std::iter::repeat_n(self.now().milliseconds(), count));
        self.state.set_deletions(deletions);
    }

    /// Consent covers the earlier losses of the hour, too.
    pub(crate) fn count_or_clear(&mut self, losses: usize, consent: bool) {
        match consent {
            true if losses > 0 => self.state.set_deletions(Vec::new()),
            _ => self.count_deletions(losses),
        }
    }
}
