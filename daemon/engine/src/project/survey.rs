//! Repairing the view where other machines left it behind (V1).
//!
//! What a look finds stale may be another machine's write under way: only what
//! two looks, one poll apart, found alike is written again.

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::{Digest, Kind, RelPath, Timestamp};

use super::worker::{Telling, Worker};
use crate::api::{EngineResult, NoticeKind};
use crate::view::Sight;

/// What stood at a stale path of the view: an older version, or nothing.
type Stale = Option<Digest>;

/// What the last look found stale, and when it was first found so.
pub(super) type Looks = BTreeMap<RelPath, (Stale, Timestamp)>;

impl Worker {
    /// Looks at the view, repairs what is stale for good, and names what the
    /// log has never seen, which stays as it is.
    pub(super) async fn survey_view(
        &mut self,
        telling: &mut Option<&mut Telling>,
    ) -> EngineResult<()> {
        let sights = self.view.survey(self.state.all_seen()).await?;
        let history = self.log.history();
        let mut past: BTreeMap<&RelPath, BTreeSet<Digest>> = BTreeMap::new();
        for version in history.past() {
            past.entry(&version.path).or_default().insert(version.entry.sha256);
        }
        let (mut stale, mut foreign) = (Vec::new(), Vec::new());
        for (path, placed) in history.manifest() {
            let desired = placed.entry.sha256;
            match sights.get(path).map(|sight| sight.digest) {
                // Links don't stand in the view.
                None if placed.entry.kind == Kind::Link => {}
                Some(digest) if digest == desired && placed.entry.kind == Kind::File => {}
                None => stale.push((path.clone(), None)),
                Some(digest) if is_past(&past, path, digest) => {
                    stale.push((path.clone(), Some(digest)));
                }
                Some(_) => foreign.push(path.clone()),
            }
        }
        for (path, sight) in &sights {
            let deleted = !history.manifest().contains_key(path);
            if deleted && is_past(&past, path, sight.digest) {
                stale.push((path.clone(), Some(sight.digest)));
            }
        }
        self.remember(&sights);
        self.name_foreign(&foreign, telling);
        let settled = self.settle_looks(stale);
        self.add_unprojected(settled.into_iter());
        self.show_unprojected(telling).await
    }

    /// Keeps what was seen, so that the next look reads less (V2).
    fn remember(&mut self, sights: &BTreeMap<RelPath, Sight>) {
        let news: Vec<_> = sights
            .iter()
            .filter(|(path, sight)| self.state.seen(path) != Some(&sight.seen))
            .filter(|(path, sight)| {
                // Only a version of the head counts as what the view last held.
                let placed = self.log.history().manifest().get(*path);
                placed.is_some_and(|placed| placed.entry.sha256 == sight.digest)
            })
            .map(|(path, sight)| (path.clone(), sight.seen.clone()))
            .collect();
        for (path, seen) in news {
            self.state.set_seen(&path, Some(seen));
        }
    }

    fn name_foreign(&self, foreign: &[RelPath], telling: &mut Option<&mut Telling>) {
        let Some(telling) = telling else { return };
        let now = self.now();
        for path in foreign {
            let message = format!(
                "{path} on the backend was changed by something else; it was left as it is there"
            );
            telling.notice(NoticeKind::ViewUnsettled, Some(path), message, now);
        }
    }

    /// Gives the paths that were found alike a poll ago; notes the others.
    fn settle_looks(&mut self, stale: Vec<(RelPath, Stale)>) -> Vec<RelPath> {
        let now = self.now();
        let apart = i64::try_from(self.spec.poll_interval.as_millis()).unwrap_or(i64::MAX);
        let before = std::mem::take(&mut self.looks);
        let mut settled = Vec::new();
        for (path, found) in stale {
            let first = match before.get(&path) {
                Some((same, first)) if *same == found => *first,
                _ => now,
            };
            if now.milliseconds().saturating_sub(first.milliseconds()) >= apart {
                settled.push(path);
            } else {
                self.looks.insert(path, (found, first));
            }
        }
        settled
    }
}

fn is_past(past: &BTreeMap<&RelPath, BTreeSet<Digest>>, path: &RelPath, digest: Digest) -> bool {
    past.get(path).is_some_and(|digests| digests.contains(&digest))
}
