//! What becomes of a queued push at the head of now (B8): by the same table as
//! everything else, with the version that was set aside as the local side.

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::RelPath;
use mirror_core::history::Placed;
use mirror_core::path::Clash;
use mirror_core::plan::{Agreed, Guard, Intent, NOTHING, Plan, Root, Selection, draw_plan};
use mirror_core::reconcile::{BaseFact, Facts, Privacy, Sighted};

use crate::api::{EngineResult, Settle};
use crate::data::queue::{MadeOn, QueuedChange, QueuedPush, content_name};
use crate::project::commit::draft::{ContentSource, Draft, Outgoing};
use crate::project::merge::{MergePolicy, Policies, Resolutions, Sides, Spooled};
use crate::project::plan::consent::refusal;
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;
use crate::state::LocalInput;

/// A queued push at one head.
pub(crate) struct Replanned {
    pub(crate) draft: Draft,
    /// Paths that leave the push, with what later versions of them are made on
    /// from then on, if that is something else.
    pub(crate) settled: BTreeMap<RelPath, Option<MadeOn>>,
    /// Those of them whose version the log may not hold.
    pub(crate) unsendable: Vec<QueuedChange>,
}

impl Worker {
    pub(crate) async fn replan(
        &mut self,
        push: &QueuedPush,
        reporter: &mut Reporter,
    ) -> EngineResult<Replanned> {
        let facts = self.facts_of(push);
        let plan = plan_of(push, &facts)?;
        let merged = self.merge_queued(push, &plan, &facts, reporter).await?;
        let draft = draft_of(push, &plan, merged);
        let sent: BTreeSet<&RelPath> = draft.outgoing.iter().map(|o| &o.send.path).collect();
        let left = || push.changes.iter().filter(|change| !sent.contains(&change.path));
        let clashing = plan.clashes.iter().map(Clash::path);
        let lost: BTreeSet<&RelPath> = plan.diverged.iter().chain(clashing).collect();
        let unsendable = left().filter(|change| lost.contains(&change.path)).cloned().collect();
        let settled = settled(&plan, left(), self.log.head());
        Ok(Replanned { draft, settled, unsendable })
    }

    /// Merges what changed on both sides, as far as that goes.
    async fn merge_queued(
        &mut self,
        push: &QueuedPush,
        plan: &Plan,
        facts: &BTreeMap<RelPath, Facts>,
        reporter: &mut Reporter,
    ) -> EngineResult<Resolutions> {
        let settle = if push.keep_local { Settle::KeepLocal } else { Settle::Wait };
        let usual = MergePolicy { merges: !push.keep_local, settle };
        let policies = Policies { usual, held: &self.held(facts) };
        let mut resolutions = Resolutions::default();
        let changes: BTreeMap<_, _> = push.changes.iter().map(|c| (&c.path, c)).collect();
        for path in &plan.diverged {
            let Some(mut sides) = Sides::of(path, &facts[path]) else { continue };
            sides.spooled = changes.get(path).and_then(|change| spooled_side(change));
            let outcome = self.outcome_of(&sides, policies.of(path), reporter).await?;
            // No commit is made whose result equals the head (M1).
            if let Some(outcome) = outcome.filter(|outcome| outcome.state != sides.remote.state) {
                self.add_outcome(&mut resolutions, &sides, outcome);
            }
        }
        Ok(resolutions)
    }

    /// The facts of a push's paths; all others are as the head has them.
    fn facts_of(&self, push: &QueuedPush) -> BTreeMap<RelPath, Facts> {
        let manifest = self.log.history().manifest();
        let unmoved = |remote: Sighted| Facts {
            base: BaseFact::Known { state: remote.state, seq: remote.seq },
            local: Some(remote.state),
            remote: Some(remote),
            privacy: Privacy::default(),
        };
        let mut facts: BTreeMap<RelPath, Facts> = manifest
            .iter()
            .map(|(path, placed)| (path.clone(), unmoved(placed.sighted())))
            .collect();
        let agreed = self.private_when_queued(push);
        for change in &push.changes {
            let (path, local) = (&change.path, change.state());
            // What has left the project since is not deleted (B7).
            if local.is_none() && self.coverage.as_ref().is_some_and(|c| !c.covers(path)) {
                continue;
            }
            let base = match change.made_on {
                MadeOn::Absent => BaseFact::Absent,
                MadeOn::Known { state, seq } => BaseFact::Known { state, seq },
                MadeOn::Unknown => BaseFact::Unknown(self.past_of(path, local)),
            };
            let (placed, to) = (manifest.get(path), change.to.as_ref());
            let remote = placed.is_some_and(|placed| placed.entry.private);
            let local = to.is_some_and(|to| to.private);
            let agreed = agreed.get(path).copied().unwrap_or(remote);
            let privacy = Privacy { agreed, local, remote };
            let (local, remote) = (change.state(), placed.map(Placed::sighted));
            facts.insert(path.clone(), Facts { base, local, remote, privacy });
        }
        facts
    }

    /// Which paths were for their owner alone (B14) in the version that a queued one
    /// was made on, of those that are at another version now.
    fn private_when_queued(&self, push: &QueuedPush) -> BTreeMap<RelPath, bool> {
        let history = self.log.history();
        let made_on = push.changes.iter().filter_map(|change| match change.made_on {
            MadeOn::Known { seq, .. } => Some((&change.path, seq)),
            MadeOn::Absent | MadeOn::Unknown => None,
        });
        let is_there = |path: &RelPath, seq: u64| {
            history.manifest().get(path).is_some_and(|placed| placed.seq == seq)
        };
        let moved = made_on.filter(|(path, seq)| !is_there(path, *seq));
        let private = moved.filter_map(|(path, seq)| {
            let version = history.past_of(path).find(|version| version.since == seq)?;
            Some((path.clone(), version.entry.private))
        });
        private.collect()
    }
}

/// The push was selected, and agreed to, when it was queued.
fn plan_of(push: &QueuedPush, facts: &BTreeMap<RelPath, Facts>) -> EngineResult<Plan> {
    let paths = Selection::exactly(push.changes.iter().map(|change| &change.path));
    let guard = Guard {
        covered: facts.len(),
        deletions_last_hour: 0,
        root: Root::Sound,
        consent: true,
        agreed: Agreed::All,
        waiting: NOTHING,
    };
    let plan = draw_plan(facts, Intent::Push, &paths, &guard);
    plan.map_err(|needed| refusal(&needed))
}

fn draft_of(push: &QueuedPush, plan: &Plan, merged: Resolutions) -> Draft {
    let mut draft = Draft {
        resolved: merged.resolved,
        held: merged.held,
        outgoing: merged.outgoing,
        queued: Some(push.id),
        ..Draft::of(push.action, push.message.clone())
    };
    let changes: BTreeMap<_, _> = push.changes.iter().map(|c| (&c.path, c)).collect();
    for send in &plan.sends {
        let Some(change) = changes.get(&send.path) else { continue };
        let (size, mtime) = change.to.as_ref().map_or((0, None), |to| (to.size, to.mtime));
        let private = change.to.as_ref().is_some_and(|to| to.private);
        let (send, input) = (send.clone(), Some(input_of(change)));
        draft.outgoing.push(Outgoing { send, size, mtime, private, input });
    }
    for entry in push.changes.iter().filter_map(|change| change.to.as_ref()) {
        let stored = ContentSource::Stored(content_name(entry.sha256));
        draft.held.entry(entry.sha256).or_insert(stored);
    }
    draft
}

/// What changes that leave a push have come to: a version that the head has
/// come to by itself is a base now.
fn settled<'a>(
    plan: &Plan,
    left: impl Iterator<Item = &'a QueuedChange>,
    head: u64,
) -> BTreeMap<RelPath, Option<MadeOn>> {
    let adopts: BTreeMap<_, _> = plan.adopts.iter().map(|adopt| (&adopt.path, adopt)).collect();
    let adopted = |change: &QueuedChange| {
        let seq = adopts.get(&change.path)?.remote.map_or(head, |remote| remote.seq);
        Some(MadeOn::at(change.state(), seq))
    };
    left.map(|change| (change.path.clone(), adopted(change))).collect()
}

/// What the base becomes by this commit, if it still is the one that the
/// version was made on.
fn input_of(change: &QueuedChange) -> LocalInput {
    let made_on = Some(change.made_on.record());
    LocalInput { state: change.state(), made_on }
}

fn spooled_side(change: &QueuedChange) -> Option<Spooled> {
    let entry = change.to.as_ref()?;
    let (name, size) = (content_name(entry.sha256), entry.size);
    Some(Spooled { name, size, input: input_of(change) })
}
