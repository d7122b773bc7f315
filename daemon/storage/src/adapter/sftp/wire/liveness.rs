//! Whether a server still answers what it is asked.
//!
//! A server that falls silent while answers are due is given up after a while;
//! as long as bytes move, either way, it may take all the time it needs. One
//! that forgets an answer among many others is given up too.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use super::sanitize::id_of;

/// How many requests may be answered before one that was made earlier: servers
/// do not keep to the order, and some requests take long.
const MOST_OVERTAKEN: u64 = 1000;

/// How many times its patience a client waits for one that was overtaken at all.
const LONG: u32 = 10;

/// What was asked and not answered yet, and when anything moved last.
#[derive(Debug)]
pub(super) struct Liveness(Mutex<Due>);

/// The requests that have no answer yet, each with a number in their order.
#[derive(Debug)]
struct Due {
    asked: u64,
    numbers: HashMap<u32, u64>,
    since: BTreeMap<u64, Instant>,
    /// When bytes moved last, one way or the other.
    moved: Instant,
}

impl Liveness {
    pub(super) fn new() -> Self {
        let (numbers, since) = (HashMap::new(), BTreeMap::new());
        Self(Mutex::new(Due { asked: 0, numbers, since, moved: Instant::now() }))
    }

    fn due(&self) -> MutexGuard<'_, Due> {
        self.0.lock().expect("no panic while held")
    }

    /// Notes a request; the first after a rest starts the wait.
    pub(super) fn note_request(&self, packet: &[u8]) {
        let now = Instant::now();
        let mut due = self.due();
        if due.since.is_empty() {
            due.moved = now;
        }
        let number = due.asked;
        due.asked += 1;
        due.numbers.insert(id_of(packet), number);
        due.since.insert(number, now);
    }

    pub(super) fn note_answer(&self, packet: &[u8]) {
        let mut due = self.due();
        if let Some(number) = due.numbers.remove(&id_of(packet)) {
            due.since.remove(&number);
        }
    }

    /// Notes that bytes moved, one way or the other.
    pub(super) fn note_traffic(&self) {
        self.due().moved = Instant::now();
    }

    /// How long to wait before it makes sense to look again; `None` when that
    /// was long enough: nothing moved for that time though answers are due, or
    /// one of them was forgotten.
    pub(super) fn next_look(&self, patience: Duration) -> Option<Duration> {
        let due = self.due();
        let Some((number, since)) = due.since.first_key_value() else { return Some(patience) };
        let (silence, age) = (due.moved.elapsed(), since.elapsed());
        // Later requests that were answered before this one.
        let overtaken = due.asked - number - due.since.len() as u64;
        let is_forgotten = match overtaken {
            0 => false,
            MOST_OVERTAKEN.. => age >= patience,
            _ => age >= patience * LONG,
        };
        let is_over = silence >= patience || is_forgotten;
        (!is_over).then(|| patience.saturating_sub(silence).max(patience / 8))
    }
}
