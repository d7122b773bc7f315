//! When a project's own job is due, by what happened and when.

use std::time::Duration;

use tokio::time::Instant;

/// A change that goes on for ever is not waited for any longer.
const LONGEST: Duration = Duration::from_secs(30);

/// What happened since the last job, and when the next one is due.
#[derive(Debug)]
pub(super) struct Pace {
    quiet: Duration,
    /// The first and the last change here that no job has looked at since.
    changes: Option<(Instant, Instant)>,
    /// When to look whether anything changed or not.
    look: Option<Instant>,
}

/// A job that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// Changes still come, and were waited for long enough.
    pub(super) is_overdue: bool,
}

impl Pace {
    pub(super) fn new(quiet: Duration) -> Self {
        Self { quiet, changes: None, look: None }
    }

    /// Something changed here.
    pub(super) fn changed(&mut self, at: Instant) {
        let first = self.changes.map_or(at, |(first, _)| first);
        self.changes = Some((first, at));
    }

    /// A job is to be due at `at`, or before.
    pub(super) fn look_at(&mut self, at: Instant) {
        self.look = Some(self.look.map_or(at, |known| known.min(at)));
    }

    pub(super) fn due(&self) -> Option<Instant> {
        let changes = self.changes.map(|(first, last)| (last + self.quiet).min(first + LONGEST));
        [changes, self.look].into_iter().flatten().min()
    }

    /// The job that is due at `now`, if one is. What it looks at is not waited for
    /// again; changes that are too young stay.
    pub(super) fn take(&mut self, now: Instant) -> Option<Due> {
        if self.due()? > now {
            return None;
        }
        self.look = None;
        let Some((first, last)) = self.changes else { return Some(Due { is_overdue: false }) };
        let is_still = last + self.quiet <= now;
        let is_overdue = !is_still && first + LONGEST <= now;
        if is_still || is_overdue {
            self.changes = None;
        }
        Some(Due { is_overdue })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn change_goes_once_it_was_quiet_and_only_once() {
        let (start, mut pace) = (Instant::now(), Pace::new(seconds(2)));
        assert_eq!(pace.due(), None);
        pace.changed(start);
        pace.changed(start + seconds(1));
        assert_eq!(pace.due(), Some(start + seconds(3)));
        assert_eq!(pace.take(start + seconds(2)), None);
        assert_eq!(pace.take(start + seconds(3)), Some(Due { is_overdue: false }));
        assert_eq!(pace.due(), None);
    }

    #[test]
    fn changes_without_end_go_half_a_minute_after_the_first() {
        let (start, mut pace) = (Instant::now(), Pace::new(seconds(2)));
        for second in 0..=30 {
            pace.changed(start + seconds(second));
        }
        assert_eq!(pace.due(), Some(start + seconds(30)));
        assert_eq!(pace.take(start + seconds(30)), Some(Due { is_overdue: true }));
        pace.changed(start + seconds(31));
        assert_eq!(pace.due(), Some(start + seconds(33)), "the half minute begins anew");
    }

    #[test]
    fn news_from_elsewhere_don_t_wait_for_a_quiet_time_nor_end_it() {
        let (start, mut pace) = (Instant::now(), Pace::new(seconds(2)));
        pace.changed(start);
        pace.look_at(start + seconds(1));
        pace.look_at(start + seconds(9));
        assert_eq!(pace.take(start + seconds(1)), Some(Due { is_overdue: false }));
        assert_eq!(pace.due(), Some(start + seconds(2)));
    }
}
