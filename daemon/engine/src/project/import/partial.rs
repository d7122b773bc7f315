//! Telling an edit of the view from a write that is not through yet (V5).

use std::collections::BTreeSet;
use std::time::Duration;

use futures::{FutureExt, StreamExt, TryStreamExt};
use mirror_core::Digest;
use mirror_storage::RemotePath;

use crate::api::EngineResult;
use crate::planted;
use crate::planted::Rule;
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;
use crate::view::Found;

/// So long a file stands still that is taken for whole.
const STILL: Duration = Duration::from_secs(2);

impl Worker {
    /// Whether what stands there may be a write that is not through yet.
    pub(crate) fn is_short(&self, found: &Found) -> bool {
        if self.waits_outside(found) {
            // It has been looked at twice.
            return false;
        }
        let history = self.log.history();
        let base = found.base.and_then(|base| history.place(base.digest)).map(|place| place.size);
        let head = history.manifest().get(&found.path).map(|placed| placed.entry.size);
        // At a deleted path it may be the beginning of what stood there last.
        let last = || history.past_of(&found.path).next().map(|version| version.entry.size);
        let whole = base.or(head).or_else(last);
        found.seen.size == 0 || whole.is_some_and(|size| found.seen.size < size)
    }

    /// Takes out what some machine was writing when it was cut off: however short
    /// the head's version is by now, it is nobody's edit.
    pub(crate) async fn part_torn(
        &mut self,
        found: Vec<Found>,
    ) -> EngineResult<(Vec<Found>, Vec<Found>)> {
        if !found.is_empty() && !self.parts.backend.capabilities().atomic_view {
            self.read_notes().await?;
        }
        let (mut edits, mut torn) = (Vec::new(), Vec::new());
        for found in found {
            match self.is_torn(&found).await? {
                true => torn.push(found),
                false => edits.push(found),
            }
        }
        Ok((edits, torn))
    }

    /// Whether it is the beginning of what some machine was writing there.
    async fn is_torn(&mut self, found: &Found) -> EngineResult<bool> {
        if self.waits_outside(found) {
            // A person decides on it by now.
            return Ok(false);
        }
        let noted: Vec<_> = self
            .machines
            .noted
            .iter()
            .filter(|noted| noted.path == found.path && noted.size > found.seen.size)
            .map(|noted| noted.sha256)
            .collect();
        for digest in noted.into_iter().chain(self.digest_without_note(found)) {
            let Some(wanted) = self.wanted_version(&found.path, digest) else { continue };
            let content = match self.fetch_at_newest_head(&wanted).await {
                Ok(content) => content,
                Err(error) if error.is_gone() => continue,
                // Whoever can't look now must not take it for somebody's edit.
                Err(error) => return Err(error),
            };
            let begins = found.seen.size;
            let beginning = self.parts.outside.offload(move || {
                let mut reader = std::io::Read::take(content.open()?, begins);
                crate::outside::tree::digest_of(&mut reader)
            });
            if beginning.await?.0 == found.seen.digest {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// For a simulation without V5 only: every beginning of the head's version
    /// counts as torn, whether a note tells of it or not.
    fn digest_without_note(&self, found: &Found) -> Option<Digest> {
        let entry = &self.log.history().manifest().get(&found.path)?.entry;
        let counts = entry.size > found.seen.size && !planted::stands(Rule::V5);
        counts.then_some(entry.sha256)
    }

    /// Says that a shorter file waits for its second look. What made way as it
    /// was expected is no news.
    pub(crate) fn tell_short(&self, found: &Found, reporter: &mut Reporter) {
        if found.base.is_none_or(|base| base.digest != found.seen.digest) {
            self.tell_unsettled(&found.path, "is shorter than it was", reporter);
        }
    }

    /// Gives the edits that stand still. What may have been written just now is
    /// looked at again after a moment; what moves is left to the next round.
    pub(crate) async fn leave_moving(
        &mut self,
        found: Vec<Found>,
        reporter: &mut Reporter,
    ) -> EngineResult<Vec<Found>> {
        let fresh: Vec<&Found> = found.iter().filter(|found| self.is_fresh(found)).collect();
        if fresh.is_empty() {
            return Ok(found);
        }
        self.parts.outside.clock.wait(STILL).await;
        let looks: Vec<_> =
            fresh.iter().map(|found| self.view.stands_still(found).boxed()).collect();
        let parallel = self.parts.backend.capabilities().parallel.max(1);
        let stand: Vec<bool> =
            futures::stream::iter(looks).buffered(parallel).try_collect().await?;
        let moving = fresh.iter().zip(stand).filter(|(_, stands)| !stands);
        let moving: BTreeSet<RemotePath> = moving.map(|(found, _)| found.place.clone()).collect();
        let (moving, still): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|found| moving.contains(&found.place));
        for found in moving {
            self.next_survey = self.now();
            self.tell_unsettled(&found.path, "is being written", reporter);
        }
        Ok(still)
    }

    /// Whether its time doesn't show that the last write to it is over. Where
    /// revisions are compared, files appear whole.
    fn is_fresh(&self, found: &Found) -> bool {
        let is_judged = self.waits_outside(found) || self.state.alters();
        !self.parts.backend.capabilities().swap && !is_judged && !found.seen.proves_by_time()
    }
}
