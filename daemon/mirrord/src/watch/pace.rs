//! When a project's own job is due, by what happened and when.
//!
//! Each path has a quiet time of its own: one that is saved again and again
//! holds up no other. What is saved one file after the other goes together.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mirror_core::RelPath;
use mirror_engine::Overdue;
use mirror_engine::outside::Dirt;
use tokio::time::Instant;

/// A change that goes on for ever is not waited for any longer.
const LONGEST: Duration = Duration::from_secs(30);

/// More paths than this are waited for as if they were one.
const MOST_PATHS: usize = 1_000;

/// So many quiet times a path waits for others that join it, beside its own.
const TOGETHER: u32 = 2;

/// The first and the last change that no job has looked at since.
#[derive(Clone, Copy, Debug)]
struct Span {
    first: Instant,
    last: Instant,
}

/// What happened since the last job, and when the next one is due.
#[derive(Debug)]
pub(super) struct Pace {
    quiet: Duration,
    changes: BTreeMap<RelPath, Span>,
    /// When a path joined them last.
    joined: Option<Instant>,
    /// Of what can't be told by path, or of too many paths; then it is all there is.
    anything: Option<Span>,
    /// When to look whether anything changed or not.
    look: Option<Instant>,
}

/// A job that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// What still changes, and was waited for long enough.
    pub(super) overdue: Overdue,
}

impl Span {
    fn at(at: Instant) -> Self {
        Self { first: at, last: at }
    }

    fn is_still(&self, quiet: Duration, now: Instant) -> bool {
        self.last + quiet <= now
    }

    fn is_overdue(&self, now: Instant) -> bool {
        self.first + LONGEST <= now
    }

    /// Nothing waits for longer, whatever else changes.
    fn bound(&self, due: Instant) -> Instant {
        due.min(self.first + LONGEST)
    }
}

impl Pace {
    pub(super) fn new(quiet: Duration) -> Self {
        let changes = BTreeMap::new();
        Self { quiet, changes, joined: None, anything: None, look: None }
    }

    /// Events told of these changes.
    pub(super) fn changed(&mut self, dirt: &Dirt, at: Instant) {
        for path in dirt.paths.iter().chain(&dirt.folders) {
            self.path_changed(path, at);
        }
        if dirt.everything {
            self.anything_changed(at);
        }
    }

    fn path_changed(&mut self, path: &RelPath, at: Instant) {
        if self.anything.is_some() {
            self.anything_changed(at);
        } else if let Some(span) = self.changes.get_mut(path) {
            span.last = at;
        } else {
            self.changes.insert(path.clone(), Span::at(at));
            self.joined = Some(at);
            if self.changes.len() > MOST_PATHS {
                self.anything_changed(at);
            }
        }
    }

    /// From here on all of it is waited for at once.
    fn anything_changed(&mut self, at: Instant) {
        let known = self.changes.values().chain(&self.anything).map(|span| span.first);
        let first = known.min().unwrap_or(at);
        self.changes.clear();
        self.anything = Some(Span { first, last: at });
    }

    /// A job is to be due at `at`, or before.
    pub(super) fn look_at(&mut self, at: Instant) {
        self.look = Some(self.look.map_or(at, |known| known.min(at)));
    }

    pub(super) fn due(&self) -> Option<Instant> {
        let paths = self.changes.values().map(|span| span.bound(self.due_of(span))).min();
        let anything = self.anything.map(|span| span.bound(span.last + self.quiet));
        [paths, anything, self.look].into_iter().flatten().min()
    }

    /// Once it stood still, and no other path has joined it for as long; those that
    /// join one after the other are not waited for without end.
    fn due_of(&self, span: &Span) -> Instant {
        let joined = self.joined.unwrap_or(span.last).max(span.last);
        joined.min(span.last + self.quiet * TOGETHER) + self.quiet
    }

    /// The job that is due at `now`, if one is. What it looks at is not waited for
    /// again; changes that are too young stay.
    pub(super) fn take(&mut self, now: Instant) -> Option<Due> {
        if self.due()? > now {
            return None;
        }
        self.look = None;
        let quiet = self.quiet;
        let mut overdue = BTreeSet::new();
        self.changes.retain(|path, span| {
            let is_overdue = !span.is_still(quiet, now) && span.is_overdue(now);
            if is_overdue {
                overdue.insert(path.clone());
            }
            !is_overdue && !span.is_still(quiet, now)
        });
        let anything =
            self.anything.take_if(|span| span.is_still(quiet, now) || span.is_overdue(now));
        let overdue = match anything.is_some_and(|span| !span.is_still(quiet, now)) {
            true => Overdue::Everything,
            false if overdue.is_empty() => Overdue::Nothing,
            false => Overdue::Paths(overdue),
        };
        Some(Due { overdue })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STILL: Due = Due { overdue: Overdue::Nothing };

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn path(name: &str) -> RelPath {
        RelPath::new(name).unwrap()
    }

    /// What happens at which second.
    struct Story {
        start: Instant,
        pace: Pace,
    }

    impl Story {
        fn new() -> Self {
            Self { start: Instant::now(), pace: Pace::new(seconds(2)) }
        }

        fn saved(&mut self, name: &str, second: u64) {
            let dirt = Dirt { paths: vec![path(name)], ..Dirt::default() };
            self.pace.changed(&dirt, self.start + seconds(second));
        }

        fn lost_events(&mut self, second: u64) {
            let dirt = Dirt { everything: true, ..Dirt::default() };
            self.pace.changed(&dirt, self.start + seconds(second));
        }

        #[track_caller]
        fn due(&self, second: Option<u64>) {
            let due = self.pace.due().map(|due| (due - self.start).as_secs());
            assert_eq!(due, second);
        }

        fn takes(&mut self, second: u64) -> Option<Due> {
            self.pace.take(self.start + seconds(second))
        }
    }

    fn overdue(name: &str) -> Due {
        Due { overdue: Overdue::Paths([path(name)].into()) }
    }

    #[test]
    fn change_goes_once_it_was_quiet_and_only_once() {
        let mut story = Story::new();
        story.due(None);
        story.saved("a", 0);
        story.saved("a", 1);
        story.due(Some(3));
        assert_eq!(story.takes(2), None);
        assert_eq!(story.takes(3), Some(STILL));
        story.due(None);
    }

    #[test]
    fn changes_without_end_go_half_a_minute_after_the_first() {
        let mut story = Story::new();
        for second in 0..=30 {
            story.saved("a", second);
        }
        story.due(Some(30));
        assert_eq!(story.takes(30), Some(overdue("a")));
        story.saved("a", 31);
        story.due(Some(33));
    }

    #[test]
    fn path_without_rest_holds_up_no_other() {
        let mut story = Story::new();
        for second in 0..=5 {
            story.saved("log", second);
        }
        story.saved("a", 5);
        story.saved("log", 6);
        story.due(Some(7));
        story.saved("log", 7);
        assert_eq!(story.takes(7), Some(STILL));
        story.saved("log", 8);
        story.due(Some(10));
        for second in 9..=30 {
            story.saved("log", second);
        }
        assert_eq!(story.takes(30), Some(overdue("log")), "its half minute began with it");
    }

    #[test]
    fn files_that_are_saved_one_after_the_other_go_together() {
        let mut story = Story::new();
        for second in 0..=3 {
            story.saved(&second.to_string(), second);
        }
        story.due(Some(5));
        assert_eq!(story.takes(5), Some(STILL));
        story.due(None);
    }

    #[test]
    fn files_that_are_saved_one_after_the_other_without_end_go_in_parts() {
        let mut story = Story::new();
        for second in 0..=6 {
            story.saved(&second.to_string(), second);
        }
        story.due(Some(6));
        assert_eq!(story.takes(6), Some(STILL));
        story.saved("6", 7);
        story.due(Some(8));
    }

    #[test]
    fn what_no_path_is_known_of_is_waited_for_as_one() {
        let mut story = Story::new();
        story.saved("a", 0);
        story.lost_events(1);
        story.saved("b", 2);
        story.due(Some(4));
        for second in 3..=30 {
            story.lost_events(second);
        }
        assert_eq!(story.takes(30), Some(Due { overdue: Overdue::Everything }));
        story.due(None);
        for number in 0..=MOST_PATHS {
            story.saved(&number.to_string(), 40);
        }
        assert!(story.pace.changes.is_empty());
        assert_eq!(story.takes(42), Some(STILL));
    }

    #[test]
    fn news_from_elsewhere_don_t_wait_for_a_quiet_time_nor_end_it() {
        let mut story = Story::new();
        story.saved("a", 0);
        story.pace.look_at(story.start + seconds(1));
        story.pace.look_at(story.start + seconds(9));
        assert_eq!(story.takes(1), Some(STILL));
        story.due(Some(2));
    }
}
