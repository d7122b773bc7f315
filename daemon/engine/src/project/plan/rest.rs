//! What a job that nobody asked for leaves alone for now (B17).

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::plan::{Intent, Plan};
use mirror_core::reconcile::{Facts, Verdict, decide};
use mirror_core::{RelPath, Timestamp};

use super::draw::CycleRequest;
use crate::api::{Auto, EngineResult, NoticeKind};
use crate::project::held::Held;
use crate::project::merge::{Policies, Resolutions};
use crate::project::observe::FactMap;
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;

/// So many changes in turn by two machines, within this time, are enough.
const MOST_TURNS: usize = 6;
const TURNS_MS: i64 = 600_000;

/// What counts of a commit for whose turn it is.
#[derive(Clone, Copy)]
struct Made {
    is_own: bool,
    time: Timestamp,
}

impl Worker {
    /// The paths that a job without a person does nothing about: those that still
    /// move, those that git is at work on, and those that two machines change in
    /// turn. None where a person asked.
    pub(crate) async fn restless(
        &self,
        facts: &FactMap,
        request: &CycleRequest<'_>,
        reporter: &mut Reporter,
    ) -> EngineResult<BTreeSet<RelPath>> {
        let Some(auto) = &request.auto else {
            return Ok(BTreeSet::new());
        };
        let wanted = |(_, facts): &(&RelPath, &Facts)| is_wanted(decide(facts), request.intent);
        let concerned: Vec<(&RelPath, &Facts)> = facts.iter().filter(wanted).collect();
        let changed = concerned.iter().filter(|(_, facts)| is_change_here(decide(facts)));
        let changed: Vec<(&RelPath, &Facts)> = changed.copied().collect();
        let mut restless = self.moving(&changed, auto);
        restless.extend(self.at_work(concerned.iter().map(|(path, _)| *path)).await);
        let is_new = |path: &RelPath| facts.get(path).is_some_and(|facts| facts.remote.is_none());
        if restless.iter().any(is_new) {
            // It may be half of a move, and half of a move is no deletion.
            let gone = changed.iter().filter(|(_, facts)| facts.local.is_none());
            restless.extend(gone.map(|(path, _)| (*path).clone()));
        }
        let mut made = BTreeMap::new();
        for (path, facts) in changed {
            if facts.remote.is_none()
                || restless.contains(path)
                || !self.takes_turns(path, &mut made).await?
            {
                continue;
            }
            let message = format!(
                "{path} is changed in turn here and on another machine; it is not sent by itself \
                 for a while, and `mirrorctl push {path}` sends it"
            );
            reporter.notice(NoticeKind::LeftAlone, Some(path), message, self.now());
            restless.insert(path.clone());
        }
        if !restless.is_empty() {
            reporter.left_for_later();
        }
        Ok(restless)
    }

    /// Files that did not stand still for long enough.
    fn moving(&self, changed: &[(&RelPath, &Facts)], auto: &Auto) -> BTreeSet<RelPath> {
        let moves = |(path, facts): &&(&RelPath, &Facts)| {
            // A file that is gone can't go on changing for ever.
            let may_go = facts.local.is_some() && auto.overdue.has(path);
            !may_go && !self.stands_still(path, auto)
        };
        changed.iter().filter(moves).map(|(path, _)| (*path).clone()).collect()
    }

    fn stands_still(&self, path: &RelPath, auto: &Auto) -> bool {
        if let Some(quiet) = self.parts.watch.quiet_for(path) {
            return quiet >= auto.quiet;
        }
        // No event told of it: its own times do. One from ahead of the clock says
        // nothing.
        let Some(indexed) = self.index.get(path) else { return true };
        let age = self.now().milliseconds() - indexed.stamp.identity.ctime_ns / 1_000_000;
        !u128::try_from(age).is_ok_and(|age| age < auto.quiet.as_millis())
    }

    /// Those of the paths whose repository git is changing right now.
    async fn at_work(&self, paths: impl Iterator<Item = &RelPath>) -> BTreeSet<RelPath> {
        let paths: Vec<RelPath> = paths.cloned().collect();
        if paths.is_empty() {
            return BTreeSet::new();
        }
        let tree = self.parts.tree.clone();
        let look = move || {
            if tree.is_git_at_work(None) {
                return paths.into_iter().collect();
            }
            let folders = paths.iter().flat_map(RelPath::ancestors).collect::<BTreeSet<&str>>();
            let folders = folders.into_iter().filter_map(|folder| RelPath::new(folder).ok());
            let busy: BTreeSet<RelPath> =
                folders.filter(|folder| tree.is_git_at_work(Some(folder))).collect();
            let is_in_one = |path: &RelPath| path.ancestors().any(|above| busy.contains(above));
            paths.iter().filter(|path| is_in_one(path)).cloned().collect()
        };
        self.parts.outside.offload(look).await
    }

    /// Whether this machine and others have changed a path one after the other, and
    /// it would be this machine's turn. This machine's clock alone says how lately.
    async fn takes_turns(
        &self,
        path: &RelPath,
        made: &mut BTreeMap<u64, Option<Made>>,
    ) -> EngineResult<bool> {
        let history = self.log.history();
        let newest = history.manifest().get(path).map(|placed| placed.seq);
        let before = history.past_of(path).map(|version| version.since);
        let seqs: Vec<u64> = newest.into_iter().chain(before).take(MOST_TURNS).collect();
        if seqs.len() < MOST_TURNS {
            return Ok(false);
        }
        let mut is_own_turn = false;
        for seq in seqs {
            let Some(Made { is_own, time }) = self.made(seq, made).await? else {
                return Ok(false);
            };
            let age = self.now().milliseconds() - time.milliseconds();
            if is_own != is_own_turn || (is_own && age.abs() > TURNS_MS) {
                return Ok(false);
            }
            is_own_turn = !is_own_turn;
        }
        Ok(true)
    }

    /// Who made a commit, and when; each is read once, as it may be of many files.
    async fn made(
        &self,
        seq: u64,
        known: &mut BTreeMap<u64, Option<Made>>,
    ) -> EngineResult<Option<Made>> {
        if let Some(made) = known.get(&seq) {
            return Ok(*made);
        }
        let own = self.spec.author.machine_id;
        let commit = self.log.entry(seq).await?.commit;
        let made = commit.map(|it| Made { is_own: it.machine_id == own, time: it.time });
        known.insert(seq, made);
        Ok(made)
    }

    /// Merges what changed on both sides. What is in conflict already waits for a
    /// person, who may be about to settle it; of what is held, nothing comes here.
    pub(crate) async fn merge_plan(
        &self,
        plan: &mut Plan,
        facts: &FactMap,
        held: &Held,
        request: &CycleRequest<'_>,
        reporter: &mut Reporter,
    ) -> EngineResult<Resolutions> {
        let waits =
            |path: &mut RelPath| request.auto.is_some() && self.conflicts.contains_key(path);
        let waiting: Vec<RelPath> = plan.diverged.extract_if(.., waits).collect();
        let policies = Policies { usual: request.policy, held };
        let merged = self.merge_diverged(&mut plan.diverged, facts, &policies, reporter).await;
        plan.diverged.extend(waiting);
        plan.diverged.sort();
        merged
    }
}

/// Whether a job of this intent does anything about it.
fn is_wanted(verdict: Verdict, intent: Intent) -> bool {
    match verdict {
        Verdict::Send | Verdict::SendDeletion | Verdict::Diverged => intent != Intent::Pull,
        Verdict::Fetch | Verdict::FetchDeletion => intent != Intent::Push,
        Verdict::Unchanged | Verdict::Adopt | Verdict::Kept => false,
    }
}

fn is_change_here(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Send | Verdict::SendDeletion | Verdict::Diverged)
}
