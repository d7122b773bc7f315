//! How often a session may be woken (S8).

use serde::{Deserialize, Serialize};

use crate::Timestamp;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// So many in an hour.
const MOST: usize = 6;

/// When a session was woken lately, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wakes(Vec<Timestamp>);

impl Wakes {
    /// When the next one may be: `now`, or later.
    pub(super) fn next_at(&self, now: Timestamp) -> Timestamp {
        let lately = self.0.iter().filter(|at| is_lately(**at, now));
        let lately: Vec<i64> = lately.map(|at| at.milliseconds()).collect();
        let after_last = lately.last().map(|at| at + MINUTE_MS);
        let oldest = lately.len().checked_sub(MOST).map(|at| lately[at] + HOUR_MS);
        let waits = after_last.into_iter().chain(oldest).max();
        waits.map_or(now, |at| Timestamp(at.max(now.milliseconds())))
    }

    pub(super) fn add(&mut self, now: Timestamp) {
        self.0.retain(|at| is_lately(*at, now));
        self.0.push(now);
    }
}

/// What lies ahead was noted before the clock was set back, and counts no more.
fn is_lately(at: Timestamp, now: Timestamp) -> bool {
    at <= now && now.milliseconds() - at.milliseconds() < HOUR_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(number: i64) -> Timestamp {
        Timestamp(number * MINUTE_MS)
    }

    #[test]
    fn one_a_minute_and_six_an_hour() {
        let mut wakes = Wakes::default();
        for number in 0..6 {
            assert_eq!(wakes.next_at(minute(number)), minute(number));
            wakes.add(minute(number));
            assert_eq!(
                wakes.next_at(Timestamp(minute(number).0 + 1)),
                match number {
                    5 => minute(60),
                    _ => minute(number + 1),
                }
            );
        }
        assert_eq!(wakes.next_at(minute(30)), minute(60));
        assert_eq!(wakes.next_at(minute(60)), minute(60));
    }

    #[test]
    fn clock_that_is_set_back_holds_no_wake_up() {
        let mut wakes = Wakes::default();
        wakes.add(minute(10_000));
        assert_eq!(wakes.next_at(minute(5)), minute(5));
    }
}
