//! Runs many schedules on several threads, each schedule on one.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::plants::Rule;
use crate::report::Outcome;
use crate::run;

/// Runs every seed, and hears of each schedule that breaks a promise.
pub fn hunt(seeds: Range<u64>, threads: usize, tell: impl Fn(&Outcome) + Sync) {
    let next = AtomicU64::new(seeds.start);
    let work = || {
        while let Some(seed) = take(&next, seeds.end) {
            let outcome = run(seed, None, false);
            if !outcome.is_sound() {
                tell(&outcome);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
}

/// The first of these seeds by which the lack of a rule is found. What is
/// found with the rule in place too has another cause.
pub fn find(rule: Rule, seeds: Range<u64>, threads: usize) -> Option<Outcome> {
    let next = AtomicU64::new(seeds.start);
    let end = AtomicU64::new(seeds.end);
    let found: Mutex<Option<Outcome>> = Mutex::default();
    let work = || {
        while let Some(seed) = take(&next, end.load(Ordering::Relaxed)) {
            let outcome = run(seed, Some(rule), false);
            if outcome.is_sound() || !run(seed, None, false).is_sound() {
                continue;
            }
            end.fetch_min(seed, Ordering::Relaxed);
            let mut first = found.lock().expect("no panic while it is held");
            if first.as_ref().is_none_or(|first| seed < first.seed) {
                *first = Some(outcome);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    found.into_inner().expect("no panic while it was held")
}

fn take(next: &AtomicU64, end: u64) -> Option<u64> {
    let seed = next.fetch_add(1, Ordering::Relaxed);
    (seed < end).then_some(seed)
}
