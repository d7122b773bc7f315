//! Numbers that were dealt with, as ranges: of commits, or of notices.

use serde::{Deserialize, Serialize};

/// A set of numbers from 1 on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(u64, u64)>")]
pub struct Spans(Vec<(u64, u64)>);

impl From<Vec<(u64, u64)>> for Spans {
    /// Of whatever order, as it may come from a file.
    fn from(mut ranges: Vec<(u64, u64)>) -> Self {
        // In order, each joins the last one or comes behind it.
        ranges.sort_unstable();
        let mut spans = Self::default();
        for (first, last) in ranges {
            spans.add(first, last);
        }
        spans
    }
}

impl Spans {
    /// All up to `last` but these.
    #[must_use]
    pub fn all_but(last: u64, missing: impl IntoIterator<Item = u64>) -> Self {
        let (mut spans, mut next) = (Self::default(), 1);
        for number in missing.into_iter().filter(|number| *number <= last) {
            spans.add(next, number.saturating_sub(1));
            next = next.max(number + 1);
        }
        spans.add(next, last);
        spans
    }

    /// Adds a range, both ends included; an empty one is none.
    pub fn add(&mut self, first: u64, last: u64) {
        let first = first.max(1);
        if first > last {
            return;
        }
        let start = self.0.partition_point(|range| range.1.saturating_add(1) < first);
        let end = self.0.partition_point(|range| range.0 <= last.saturating_add(1));
        let met = &self.0[start..end];
        let joined = (
            met.first().map_or(first, |range| range.0.min(first)),
            met.last().map_or(last, |range| range.1.max(last)),
        );
        self.0.splice(start..end, [joined]);
    }

    pub fn add_all(&mut self, other: &Self) {
        for (first, last) in other.ranges() {
            self.add(first, last);
        }
    }

    pub fn has(&self, number: u64) -> bool {
        let at = self.0.partition_point(|range| range.1 < number);
        self.0.get(at).is_some_and(|range| range.0 <= number)
    }

    pub fn ranges(&self) -> impl DoubleEndedIterator<Item = (u64, u64)> + '_ {
        self.0.iter().copied()
    }

    /// What is missing up to `last`, in order.
    #[must_use]
    pub fn missing_until(&self, last: u64) -> Self {
        let mut missing = Self::default();
        let mut next = 1;
        for (first, end) in self.ranges() {
            missing.add(next, last.min(first - 1));
            next = end.saturating_add(1);
        }
        if !self.has(u64::MAX) {
            missing.add(next, last);
        }
        missing
    }

    /// The newest number up to which nothing is missing.
    pub fn whole_until(&self) -> u64 {
        self.0.first().filter(|range| range.0 == 1).map_or(0, |range| range.1)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn numbers(&self) -> impl DoubleEndedIterator<Item = u64> + '_ {
        self.ranges().flat_map(|(first, last)| first..=last)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn set(spans: &Spans) -> BTreeSet<u64> {
        spans.numbers().collect()
    }

    #[test]
    fn ranges_that_touch_are_one_and_the_whole_beginning_is_known() {
        let spans = Spans::from(vec![(5, 7), (1, 2), (3, 4)]);
        assert_eq!(spans.ranges().collect::<Vec<_>>(), [(1, 7)]);
        assert_eq!(spans.whole_until(), 7);
        assert_eq!(Spans::from(vec![(2, 3)]).whole_until(), 0);
        assert_eq!(
            Spans::all_but(6, [2, 5]).ranges().collect::<Vec<_>>(),
            [(1, 1), (3, 4), (6, 6)]
        );
    }

    #[test]
    fn numbers_at_the_very_end_do_no_harm() {
        let mut spans = Spans::from(vec![(u64::MAX - 1, u64::MAX), (0, 0)]);
        spans.add(u64::MAX, u64::MAX);
        assert!(spans.has(u64::MAX) && !spans.has(0));
        let missing = spans.missing_until(u64::MAX);
        assert_eq!(missing.ranges().collect::<Vec<_>>(), [(1, u64::MAX - 2)]);
    }

    proptest! {
        #[test]
        fn ranges_say_what_a_set_of_numbers_says(
            ranges in prop::collection::vec((1_u64..40, 0_u64..6), 0..12),
            last in 0_u64..50,
        ) {
            let ranges: Vec<_> = ranges.into_iter().map(|(first, more)| (first, first + more)).collect();
            let expected: BTreeSet<u64> =
                ranges.iter().flat_map(|(first, last)| *first..=*last).collect();
            let spans = Spans::from(ranges);

            prop_assert_eq!(set(&spans), expected.clone());
            prop_assert!((0..60).all(|number| spans.has(number) == expected.contains(&number)));
            let missing: BTreeSet<u64> = (1..=last).filter(|number| !expected.contains(number)).collect();
            prop_assert_eq!(set(&spans.missing_until(last)), missing.clone());
            let but = Spans::all_but(last, missing.iter().copied());
            let within: BTreeSet<u64> = expected.into_iter().filter(|number| *number <= last).collect();
            prop_assert_eq!(set(&but), within);
            let apart = spans.ranges().zip(spans.ranges().skip(1)).all(|(one, next)| one.1 + 1 < next.0);
            prop_assert!(apart);
        }
    }
}
