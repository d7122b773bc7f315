//! What a watcher has not been told yet, by its own place in the log and the journal:
//! nothing is lost to a hint that never came, and nothing told twice.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use mirror_core::RelPath;
use mirror_core::readers::Spans;

use super::log::summary_of;
use crate::api::{EngineResult, Occurrence, Witness};
use crate::project::worker::Worker;

/// So many commits and notices are told in one go, so that a slow watcher costs no more.
const MOST: u64 = 50;

impl Worker {
    /// What is new to a watcher, oldest first and only so much; noted as told.
    pub(crate) async fn occurrences(&self, told: &mut Witness) -> EngineResult<Vec<Occurrence>> {
        let mut all = Vec::new();
        self.new_commits(told, &mut all).await?;
        self.new_notices(told, &mut all).await?;
        if all.is_empty() {
            self.new_conflicts(told, &mut all);
            self.new_by_facts(told, &mut all);
        }
        Ok(all)
    }

    async fn new_commits(&self, told: &mut Witness, all: &mut Vec<Occurrence>) -> EngineResult<()> {
        let head = self.log.head();
        // A head that went back is told from where it is.
        let after = told.commit.map_or(head, |seq| seq.min(head));
        let last = head.min(after + MOST);
        for seq in after + 1..=last {
            all.push(Occurrence::Commit(summary_of(&self.log.entry(seq).await?)));
        }
        told.commit = Some(last);
        Ok(())
    }

    async fn new_notices(&self, told: &mut Witness, all: &mut Vec<Occurrence>) -> EngineResult<()> {
        let newest = self.journal.newest().load(Ordering::Relaxed);
        let after = told.notice.map_or(newest, |number| number.min(newest));
        let last = newest.min(after + MOST);
        let kept = self.journal.of(Spans::from(vec![(after + 1, last)])).await?;
        all.extend(kept.into_iter().map(|(number, notice)| Occurrence::Notice { number, notice }));
        told.notice = Some(last);
        Ok(())
    }

    fn new_conflicts(&self, told: &mut Witness, all: &mut Vec<Occurrence>) {
        let mut now: BTreeSet<RelPath> = self.recorded_paths().into_keys().collect();
        now.extend(self.outside_standing().into_iter().map(|record| record.path));
        let conflict = |path, is_over| Occurrence::Conflict { path, is_over };
        all.extend(differing(&told.conflicts, &now, conflict));
        told.conflicts = now;
    }

    /// What is held, and whether deletions wait: looked for where it may have changed,
    /// as that takes all facts.
    fn new_by_facts(&self, told: &mut Witness, all: &mut Vec<Occurrence>) {
        let head = Some(self.log.head());
        let may_hold = told.held_at != head || !told.held.is_empty();
        let may_wait = !self.state.waiting().is_empty();
        told.waits_for_consent = false;
        if !may_hold && !may_wait {
            return;
        }
        let facts = self.all_facts();
        told.waits_for_consent = may_wait && self.has_waiting_losses(&facts);
        let waiting = self.held(&facts);
        let now: BTreeSet<RelPath> = waiting.open().map(|(path, _)| path.clone()).collect();
        all.extend(differing(&told.held, &now, |path, is_over| Occurrence::Held { path, is_over }));
        (told.held, told.held_at) = (now, head);
    }
}

/// What is over, and then what has come.
fn differing(
    before: &BTreeSet<RelPath>,
    now: &BTreeSet<RelPath>,
    occurrence: impl Fn(RelPath, bool) -> Occurrence,
) -> Vec<Occurrence> {
    let over = before.difference(now).map(|path| occurrence(path.clone(), true));
    let come = now.difference(before).map(|path| occurrence(path.clone(), false));
    over.chain(come).collect()
}
