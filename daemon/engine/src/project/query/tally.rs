//! How many files differ, and nothing of which: for a prompt, which is drawn again and
//! again and waits for nobody.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use mirror_core::RelPath;
use mirror_core::plan::Root;
use mirror_core::reconcile::FileState;

use crate::api::{EngineResult, Tally};
use crate::outside::Dirt;
use crate::project::worker::Worker;
use crate::project::worker::reading::Reading;

/// How long events may take to tell that nothing changed.
const PATIENCE: Duration = Duration::from_millis(100);

/// A tally, and what it was made of. A reader beside a job has no reading of its own.
pub(crate) struct KnownTally {
    pub(crate) tally: Tally,
    of: Option<Arc<Reading>>,
}

impl KnownTally {
    /// The same, for whoever asks next.
    pub(crate) fn kept(&self) -> Self {
        Self { tally: self.tally, of: self.of.clone() }
    }
}

impl Worker {
    /// The tally of now; what is `known` is not counted again where nothing changed.
    pub(crate) async fn tally(&mut self, known: Option<KnownTally>) -> EngineResult<KnownTally> {
        if let Some(known) = known
            && self.is_as_it_was(&known).await
        {
            return Ok(known);
        }
        let tally = self.count().await?;
        // This publishes, so what is published afterwards is what was counted.
        self.save_index(false).await;
        Ok(KnownTally { tally, of: self.published.get() })
    }

    async fn is_as_it_was(&self, known: &KnownTally) -> bool {
        let now = self.published.get();
        let is_same = matches!((&known.of, &now), (Some(of), Some(now)) if Arc::ptr_eq(of, now));
        if !is_same {
            return false;
        }
        let watch = self.parts.watch.clone();
        let dirt = self.parts.outside.offload(move || watch.peek(PATIENCE)).await;
        dirt == Dirt::default()
    }

    async fn count(&mut self) -> EngineResult<Tally> {
        let (root, _) = self.observe_disk().await?;
        if root == Root::Missing {
            return Err(crate::outside::TreeError::RootMissing.into());
        }
        let facts = self.all_facts();
        self.drop_settled(root, &facts).await;
        let held = self.held(&facts);
        let outside: BTreeSet<RelPath> =
            self.outside_standing().into_iter().map(|record| record.path).collect();
        let mut tally = Tally {
            conflicts: outside.len() as u64,
            held: held.open().count() as u64,
            waits_for_consent: self.has_waiting_losses(&facts),
            ..Tally::default()
        };
        for (path, facts) in facts.iter().filter(|(path, _)| !outside.contains(*path)) {
            tally.add(self.state_of(path, facts), held.is_coming(path));
        }
        Ok(tally)
    }
}

impl Tally {
    /// What is held is counted by itself, and what was refused not at all.
    fn add(&mut self, state: FileState, is_held: bool) {
        let (local, remote) = match state {
            FileState::InSync => (false, false),
            FileState::LocalAhead | FileState::NewLocal | FileState::DeletedLocal => (true, false),
            FileState::RemoteAhead | FileState::NewRemote | FileState::DeletedRemote => {
                (false, !is_held)
            }
            FileState::Diverged => (true, true),
            FileState::Conflict => {
                self.conflicts += 1;
                (false, false)
            }
        };
        self.local += u64::from(local);
        self.remote += u64::from(remote);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_that_changed_on_both_sides_counts_on_both_and_a_conflict_on_neither() {
        let mut tally = Tally::default();
        for (state, is_held) in [
            (FileState::InSync, false),
            (FileState::DeletedLocal, false),
            (FileState::Diverged, false),
            (FileState::NewRemote, false),
            (FileState::NewRemote, true),
            (FileState::Conflict, false),
        ] {
            tally.add(state, is_held);
        }
        assert_eq!((tally.local, tally.remote, tally.conflicts), (2, 2, 1));
    }
}
