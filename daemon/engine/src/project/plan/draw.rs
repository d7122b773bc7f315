//! Draws the plan of one job from the facts of its paths.

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::RelPath;
use mirror_core::commit::Action;
use mirror_core::patterns::{Coverage, IGNORE_FILE};
use mirror_core::plan::{Agreed, Guard, Intent, Plan, Root, Selection, Send};
use mirror_core::reconcile::{Facts, Verdict, decide};

use crate::api::{Auto, EngineResult};
use crate::project::held::Held;
use crate::project::merge::MergePolicy;
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;

/// What a job of rounds was asked for.
pub(crate) struct CycleRequest<'a> {
    pub(crate) selection: &'a Selection,
    pub(crate) intent: Intent,
    pub(crate) message: Option<String>,
    pub(crate) policy: MergePolicy,
    /// Nobody asked for it, and nobody can answer it.
    pub(crate) auto: Option<Auto>,
}

impl CycleRequest<'_> {
    /// The same for fewer paths.
    pub(crate) fn limited_to<'a>(&self, selection: &'a Selection) -> CycleRequest<'a> {
        let Self { intent, ref message, policy, ref auto, .. } = *self;
        let (message, auto) = (message.clone(), auto.clone());
        CycleRequest { selection, intent, message, policy, auto }
    }

    pub(crate) fn action(&self) -> Action {
        if self.intent == Intent::Sync { Action::Sync } else { Action::Push }
    }
}

impl Worker {
    pub(crate) fn plan(
        &mut self,
        facts: &BTreeMap<RelPath, Facts>,
        request: &CycleRequest<'_>,
        root: Root,
        agreed: Agreed<'_>,
        reporter: &mut Reporter,
    ) -> EngineResult<Plan> {
        let waiting = self.waiting_losses(facts).into_iter().collect::<BTreeSet<_>>();
        if root == Root::Sound && !reporter.dry_run {
            // What is there again may be deleted like any other file.
            self.state.set_waiting(waiting.clone());
        }
        let guard = Guard {
            covered: facts.values().filter(|facts| facts.base.state().is_some()).count(),
            deletions_last_hour: self.recent_deletions().len(),
            root,
            consent: reporter.consent,
            agreed,
            waiting: &waiting,
        };
        let (intent, selection) = (request.intent, request.selection);
        let mut plan = match &request.auto {
            None => self.plan_with_consent(facts, intent, selection, &guard, reporter)?,
            Some(_) => self.plan_unattended(facts, intent, selection, &guard, reporter)?,
        };
        if let Some(fault) = self.fault_of_rules()
            && matches!(intent, Intent::Push | Intent::Sync)
        {
            withhold_new(&mut plan, &fault.path);
            reporter.fault(fault);
        }
        Ok(plan)
    }

    /// The rules of ignore files that this job would fetch. They come first, so
    /// that what they ignore is neither deleted here nor asked about.
    pub(crate) async fn coverage_to_come(
        &self,
        facts: &BTreeMap<RelPath, Facts>,
        held: &Held,
        request: &CycleRequest<'_>,
    ) -> EngineResult<Option<Coverage>> {
        let Some(coverage) = &self.coverage else { return Ok(None) };
        let fetches = matches!(request.intent, Intent::Pull | Intent::Sync);
        let comes = |(path, facts): (&RelPath, &Facts)| {
            let is_wanted = coverage.holds_rules(path) && request.selection.matches(path);
            is_wanted && !held.has(path) && decide(facts) == Verdict::Fetch
        };
        match fetches && facts.iter().any(comes) {
            true => self.coverage_at_head().await,
            false => Ok(None),
        }
    }
}

/// Takes out what the head doesn't have, with the old names of what was renamed:
/// perhaps a rule that nobody can read is about it. The rules of the others stay.
fn withhold_new(plan: &mut Plan, unusable: &str) {
    let is_new = |send: &Send| send.from.is_none() && send.to.is_some();
    let renamed = plan.sends.iter().filter(|send| is_new(send));
    let old: Vec<RelPath> = renamed.filter_map(|send| send.renamed_from.clone()).collect();
    let is_of_rules = |path: &RelPath| [IGNORE_FILE, unusable].contains(&path.as_str());
    let stays = |send: &Send| old.contains(&send.path) || is_of_rules(&send.path);
    plan.sends.retain(|send| !is_new(send) && !stays(send));
}

/// Takes out what is to be left as it is in this job.
pub(crate) fn leave_out(plan: &mut Plan, given_up: &BTreeSet<RelPath>, unsettled: &[RelPath]) {
    let left = |path: &RelPath| given_up.contains(path) || unsettled.contains(path);
    plan.sends.retain(|send| !left(&send.path));
    plan.deletions.retain(|removal| !left(&removal.path));
    plan.fetches.retain(|fetch| !left(&fetch.path));
    plan.diverged.retain(|path| !left(path));
}
