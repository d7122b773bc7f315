//! Looking at the whole view: what other machines left behind is repaired (V1),
//! what people wrote there is taken in (V3).
//!
//! What a look finds stale may be another machine's write under way, and a file
//! that is shorter than it was a person's: only what two looks, one poll apart,
//! found alike is acted on.

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::history::Placed;
use mirror_core::{Kind, RelPath};
use mirror_storage::is_system_path;

use crate::api::{EngineResult, NoticeKind};
use crate::project::rules::SharedRules;
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;
use crate::project::worker::view::Standing;
use crate::state::Seen;
use crate::view::{Found, Known, Meaning, Sight, Survey, known_of};

/// What one look at the view found.
#[derive(Default)]
struct Deviations {
    stale: Vec<(RelPath, Standing)>,
    edits: Vec<Found>,
    altered: Option<RelPath>,
    /// What is known of the files that the log knows (V2).
    seen: Vec<(RelPath, Seen)>,
}

impl Deviations {
    /// Keeps what was seen, so that the next look reads less (V2).
    fn remember(&mut self, before: Option<&Seen>, path: RelPath, seen: Seen) {
        let is_known = before.is_some_and(|before| {
            let same = Seen { recorded_ns: seen.recorded_ns, ..before.clone() };
            same == seen && (before.recorded_ns == seen.recorded_ns || before.proves_by_time())
        });
        if !is_known {
            self.seen.push((path, seen));
        }
    }
}

impl Worker {
    /// Looks at the view; repairs what is stale for good, and imports what
    /// people wrote there. What is to be written waits for the next pass.
    pub(crate) async fn survey_view(&mut self, reporter: &mut Reporter) -> EngineResult<()> {
        self.recognise().await?;
        self.read_notes().await?;
        let rules = self.shared_rules().await?;
        let survey = self.look_at_view(&rules).await?;
        self.tell_unreadable(&survey, reporter);
        let asides = self.view.asides().await?;
        // Whoever wrote what stands there had read the log: what it doesn't say
        // now is no projection.
        self.catch_up().await?;
        self.note_asides(&asides, survey.service_ns);
        let stands = |path: &RelPath| survey.sights.contains_key(path) || survey.is_hidden(path);
        self.drop_settled_outside(stands).await;
        let mut deviations = self.sort_out(survey);
        if let Some(path) = deviations.altered.take() {
            self.tell_altered(&path, reporter);
        }
        let set_aside = self.find_asides().await?;
        deviations.edits.extend(set_aside);
        let (edits, torn) = self.part_torn(deviations.edits).await?;
        let (short, others): (Vec<_>, Vec<_>) =
            edits.into_iter().partition(|found| self.is_short(found));
        let stale =
            deviations.stale.into_iter().map(|(path, found)| (path.as_str().to_owned(), found));
        let whole = |found: &Found| (found.place.as_str().to_owned(), Some(found.seen.digest));
        let looked: Vec<_> = stale.chain(short.iter().chain(&torn).map(whole)).collect();
        let settled = self.take_confirmed(looked);
        let is_settled = |found: &Found| settled.contains(found.place.as_str());
        for found in torn.iter().filter(|found| is_settled(found)) {
            self.take_as_torn(found).await?;
        }
        let (settled_short, waiting): (Vec<_>, Vec<_>) = short.into_iter().partition(is_settled);
        for found in &waiting {
            self.tell_short(found, reporter);
        }
        for (path, seen) in deviations.seen {
            self.state.set_seen(&path, Some(seen));
        }
        let repaired = settled.iter().filter_map(|place| RelPath::new(place).ok());
        let edited: BTreeSet<_> = settled_short.iter().map(|found| found.path.clone()).collect();
        self.add_unprojected(repaired.filter(|path| !edited.contains(path)));
        let ripe = self.leave_moving(others, reporter).await?;
        self.import(ripe.into_iter().chain(settled_short).collect(), reporter).await
    }

    /// Lists the view, and reads what is the project's: other files may lie
    /// there too, however large.
    async fn look_at_view(&self, rules: &SharedRules) -> EngineResult<Survey> {
        let history = self.log.history();
        let is_ours = |path: &RelPath| {
            history.manifest().contains_key(path)
                || history.past().has(path)
                || rules.take(path, false)
        };
        let files = history.manifest().iter().filter(|(_, placed)| placed.entry.kind == Kind::File);
        let of_systems = files.map(|(path, _)| path).filter(|path| is_system_path(path.as_str()));
        let of_systems = of_systems.cloned().collect();
        Ok(self.view.survey(self.state.all_seen(), of_systems, is_ours).await?)
    }

    /// Tells apart what stands in the view, by what the log says of it.
    fn sort_out(&self, mut survey: Survey) -> Deviations {
        let sights = std::mem::take(&mut survey.sights);
        let history = self.log.history();
        let is_file = |path: &RelPath| {
            history.manifest().get(path).filter(|placed| placed.entry.kind == Kind::File)
        };
        let is_shown = |path: &RelPath, sight: &Sight| {
            is_file(path).is_some_and(|placed| {
                placed.entry.sha256 == sight.digest || self.is_as_altered(path, sight, placed.seq)
            })
        };
        let mut deviations = Deviations::default();
        let files = history.manifest().iter().filter(|(_, placed)| placed.entry.kind == Kind::File);
        // Written again: a file that is missing there is no deletion (V6).
        let is_missing = |path: &RelPath| !sights.contains_key(path) && !survey.is_hidden(path);
        let missing = files.filter(|(path, _)| is_missing(path));
        deviations.stale.extend(missing.map(|(path, _)| (path.clone(), None)));
        let (shown, others): (Vec<_>, Vec<_>) =
            sights.into_iter().partition(|(path, sight)| is_shown(path, sight));
        for (path, sight) in shown {
            if sight.altered {
                deviations.altered = Some(path.clone());
            }
            let placed = is_file(&path);
            let is_private =
                |placed: &Placed| placed.entry.private && placed.entry.sha256 == sight.digest;
            if sight.is_open && placed.is_some_and(is_private) {
                deviations.stale.push((path.clone(), Some(sight.digest)));
            }
            let seq = placed.map_or(0, |placed| placed.seq);
            deviations.remember(self.state.seen(&path), path, Seen { seq, ..sight.seen });
        }
        let mut known: BTreeMap<RelPath, Known> =
            known_of(history, others.iter().map(|(path, _)| path))
                .into_iter()
                .map(|(path, known)| (path.clone(), known))
                .collect();
        for (path, sight) in others {
            let known = known.remove(&path).unwrap_or_default();
            self.sort_out_other(path, sight, known, &mut deviations);
        }
        deviations
    }

    /// Says once of everything that can't be read there.
    fn tell_unreadable(&mut self, survey: &Survey, reporter: &mut Reporter) {
        for place in survey.closed.difference(self.state.unreadable()) {
            let message = format!(
                "{place} on the backend can't be read by this machine's login; it is passed over, \
                 and nothing that is changed there is taken over"
            );
            let path = RelPath::new(place).ok();
            reporter.notice(NoticeKind::ViewUnreadable, path.as_ref(), message, self.now());
        }
        self.state.set_unreadable(survey.closed.clone());
    }

    /// A file that isn't what should stand there.
    fn sort_out_other(
        &self,
        path: RelPath,
        sight: Sight,
        known: Known,
        deviations: &mut Deviations,
    ) {
        let last = self.state.seen(&path);
        let projection = self.projection(&path, known);
        let since = projection.known.get(&sight.digest).copied().flatten();
        match Meaning::of(sight.digest, &projection, last) {
            Meaning::Reverted if !self.view.takes_reverts() => {
                // The record stays as it is, so that the repair is told of.
                deviations.stale.push((path, Some(sight.digest)));
            }
            Meaning::Shown | Meaning::Stale => {
                let seq = since.unwrap_or(sight.seen.seq);
                deviations.stale.push((path.clone(), Some(sight.digest)));
                deviations.remember(last, path, Seen { seq, ..sight.seen });
            }
            Meaning::Reverted | Meaning::Unknown => deviations.edits.push(Found {
                place: (&path).into(),
                base: last.map(Seen::version),
                path,
                seen: sight.seen,
            }),
        }
    }

    /// Whether a file is as it came back after this machine wrote it (V7).
    fn is_as_altered(&self, path: &RelPath, sight: &Sight, seq: u64) -> bool {
        let is_last_seen = self.state.seen(path).is_some_and(|seen| seen.digest == sight.digest);
        sight.seen.seq == seq && (sight.altered || self.state.alters() && is_last_seen)
    }

    /// Gives the places that were found alike a poll ago; notes the others.
    fn take_confirmed(&mut self, looked: Vec<(String, Standing)>) -> BTreeSet<String> {
        let now = self.now();
        let apart = i64::try_from(self.spec.poll_interval.as_millis()).unwrap_or(i64::MAX);
        let before = std::mem::take(&mut self.pending);
        let mut settled = BTreeSet::new();
        for (place, found) in looked {
            let first = match before.get(&place) {
                // A clock that has gone back begins anew.
                Some((same, first)) if *same == found => (*first).min(now),
                _ => now,
            };
            if now.milliseconds().saturating_sub(first.milliseconds()) >= apart {
                settled.insert(place);
            } else {
                self.pending.insert(place, (found, first));
            }
        }
        settled
    }
}
