//! Which contents were found damaged, and where (P8).
//!
//! The next push takes none of them for known, and no job reads one again that is
//! as it was. Only a memory of looks: one that reads well after all is taken off,
//! and losing the list costs another look.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mirror_core::history::Place;
use mirror_core::{Digest, Timestamp};

use crate::state::{Damage, Spot};

/// What was read twice and stayed damaged is read again after this, then after
/// twice as long each time, also where the service shows it unchanged.
const FIRST_WAIT_MS: i64 = 60_000;
const LONGEST_WAIT_MS: i64 = 24 * 3_600_000;

/// More are not remembered: they are found anew.
const MOST: usize = 10_000;

type Known = BTreeMap<(Digest, Spot), Damage>;

/// The list, shared by all who read the contents of one project.
#[derive(Clone, Debug, Default)]
pub struct Damaged(Arc<Mutex<List>>);

#[derive(Debug, Default)]
struct List {
    known: Known,
    is_changed: bool,
}

/// What a look found instead of the content.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) reason: Option<String>,
    pub(super) revision: Option<String>,
}

impl Damaged {
    pub fn of(known: &[((Digest, Spot), Damage)]) -> Self {
        let known = known.iter().cloned().collect();
        Self(Arc::new(Mutex::new(List { known, is_changed: false })))
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the last look there found, if that was damage.
    pub fn at(&self, content: Digest, spot: Spot) -> Option<Damage> {
        self.list().known.get(&(content, spot)).cloned()
    }

    /// All that is on the list.
    pub fn all(&self) -> Vec<((Digest, Spot), Damage)> {
        self.list().known.iter().map(|(at, damage)| (*at, damage.clone())).collect()
    }

    /// The same, if it has changed since it was asked for last.
    pub fn changed(&self) -> Option<Vec<((Digest, Spot), Damage)>> {
        let is_changed = std::mem::take(&mut self.list().is_changed);
        is_changed.then(|| self.all())
    }

    pub(super) fn note(&self, content: Digest, spot: Spot, finding: Finding, now: Timestamp) {
        let mut list = self.list();
        let before = list.known.get(&(content, spot));
        if before.is_none() && list.known.len() >= MOST {
            return;
        }
        let looks = before.map_or(0, |damage| damage.looks).saturating_add(1);
        // The first look is taken again at once (S4).
        let wait = match looks {
            0 | 1 => 0,
            _ => FIRST_WAIT_MS.saturating_mul(1 << (looks - 2).min(16)).min(LONGEST_WAIT_MS),
        };
        let next_at = now.milliseconds().saturating_add(wait);
        let Finding { reason, revision } = finding;
        list.known.insert((content, spot), Damage { reason, revision, looks, next_at });
        list.is_changed = true;
    }

    /// It read well, or needs no more attention.
    pub fn clear(&self, content: Digest, spot: Spot) {
        let mut list = self.list();
        let was_there = list.known.remove(&(content, spot)).is_some();
        list.is_changed |= was_there;
    }

    /// Forgets what `stays` doesn't want kept.
    pub fn retain(&self, stays: impl Fn(Digest, Spot) -> bool) {
        let mut list = self.list();
        let before = list.known.len();
        list.known.retain(|(content, spot), _| stays(*content, *spot));
        list.is_changed |= list.known.len() != before;
    }
}

/// Where a place of the log is.
pub fn spot_of(place: &Place) -> Spot {
    Spot::Pack { name: place.pack, offset: place.offset }
}

impl Damage {
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        // A clock that has gone back keeps nothing waiting for long.
        let wait = self.next_at.saturating_sub(now.milliseconds());
        !(1..=LONGEST_WAIT_MS).contains(&wait)
    }
}
