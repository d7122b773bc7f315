//! The rounds of push, pull and sync: look, decide, act, until nothing is left.

use async_trait::async_trait;
use mirror_core::RelPath;
use mirror_core::plan::{self, Agreed, Intent, Losses, Plan, Root, losses};
use mirror_core::reconcile::Sighted;
use mirror_storage::FaultClass;

use crate::api::EngineResult;
use crate::error::EngineError;
use crate::project::commit::draft::Draft;
use crate::project::commit::rereads::Rereads;
use crate::project::commit::until_won::{Drafter, until_won};
use crate::project::merge::Resolutions;
use crate::project::observe::FactMap;
use crate::project::plan::draw::{CycleRequest, leave_out};
use crate::project::plan::report::preview;
use crate::project::worker::Worker;
use crate::project::worker::outcome::FileOutcome;
use crate::project::worker::reporter::Reporter;
use crate::state::BaseRecord;

impl Worker {
    /// Brings both sides together as far as the request asks for it.
    pub(crate) async fn cycle(
        &mut self,
        request: &CycleRequest<'_>,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        self.read_ahead(request, reporter).await?;
        let mut cycle = Cycle::new(request);
        loop {
            let committed = until_won(self, reporter, &mut cycle).await;
            reporter.add_files(std::mem::take(&mut cycle.files));
            let committed = committed?;
            let Some(round) = cycle.round.take() else { return Ok(()) };
            let merged = &round.resolutions.replacements;
            // What was merged is told by its result.
            let is_told = |file: &FileOutcome| {
                file.file().is_none_or(|file| !merged.contains_key(&file.path))
            };
            reporter.add_files(committed.into_iter().flatten().filter(is_told));
            self.tell_overlong(&round.resolutions, reporter);
            let landed = self.land_merged(&round.resolutions, reporter).await;
            match reporter.add(landed) {
                // The commit stands; the next pull brings what it is made of.
                Err(EngineError::Stale) => reporter.pull_pending(),
                landed => landed?,
            }
            if !round.resolutions.is_partial {
                return self.end_cycle(&cycle, &round, reporter).await;
            }
        }
    }

    /// The log to its head, and what was pushed before to its place in it.
    async fn read_ahead(
        &mut self,
        request: &CycleRequest<'_>,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        self.recover_attempt(Some(&mut *reporter)).await?;
        self.catch_up().await?;
        self.recognise().await?;
        if request.intent != Intent::Push {
            // A push compares the head beside its packs.
            let confirmed = self.log.confirm_head().await;
            self.note_stop(confirmed)?;
        }
        if request.intent != Intent::Pull && !reporter.dry_run {
            self.send_queue(reporter).await?;
        }
        Ok(())
    }

    async fn end_cycle(
        &mut self,
        cycle: &Cycle<'_>,
        round: &Round,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let request = cycle.request;
        if request.intent != Intent::Pull {
            self.remove_unused_uploads().await?;
        }
        self.name_obstructed(request, reporter);
        self.record_conflicts(round.root, &round.plan, request.intent, reporter).await;
        self.conclude(&round.plan, &cycle.rereads, &round.unsettled, &round.facts, reporter);
        Ok(())
    }

    /// Both sides are equal: only the base follows (B1).
    fn record_adopted(&mut self, plan: &Plan) {
        for adopt in &plan.adopts {
            let known = |Sighted { state, seq }| BaseRecord::Known { state, seq };
            let base = adopt.remote.map(known);
            self.state.set_base(&adopt.path, base);
            self.agree_on_privacy(&adopt.path);
        }
    }
}

/// One push, pull or sync over its rounds.
struct Cycle<'a> {
    request: &'a CycleRequest<'a>,
    rereads: Rereads,
    /// The names were checked against what is there.
    is_checked: bool,
    /// The ignore file's newest rules are here.
    has_rules: bool,
    /// What the rounds did here.
    files: Vec<FileOutcome>,
    /// The last round; `None` before the first, and of a dry run.
    round: Option<Round>,
}

/// What one round saw and decided.
struct Round {
    facts: FactMap,
    root: Root,
    unsettled: Vec<RelPath>,
    plan: Plan,
    /// What it takes away and nobody agreed to where it was made.
    losses: Losses,
    resolutions: Resolutions,
}

impl<'a> Cycle<'a> {
    fn new(request: &'a CycleRequest<'a>) -> Self {
        Self {
            request,
            rereads: Rereads::default(),
            is_checked: false,
            has_rules: false,
            files: Vec::new(),
            round: None,
        }
    }

    /// Looks at both sides and decides; gives the round, with the ignore file's
    /// rules of the head in force.
    async fn decide(
        &mut self,
        worker: &mut Worker,
        reporter: &mut Reporter,
    ) -> EngineResult<Round> {
        loop {
            let (root, unsettled) = worker.observe_disk().await?;
            if root != Root::Missing && !self.is_checked {
                worker.check_names(self.request.selection).await?;
            }
            self.is_checked = true;
            let mut facts = worker.facts();
            let held = worker.held(&facts);
            if !self.has_rules
                && let Some(coverage) = worker.coverage_to_come(&facts, &held, self.request).await?
            {
                facts.retain(|path, _| coverage.covers(path));
            }
            let agreed = worker.agreed_elsewhere(&facts).await?;
            let agreed_to = Agreed::Only(&agreed);
            let restless = worker.restless(&facts, self.request, reporter).await?;
            let coming = held.coming().map(|(path, _)| path);
            let selection = self.request.selection.without(restless.iter().chain(coming));
            let request = self.request.limited_to(&selection);
            let drawn = worker.plan(&facts, &request, root, agreed_to, reporter);
            if let Err(error) = &drawn
                && root != Root::Sound
                && !reporter.dry_run
            {
                let doubted = worker.note_doubt(&facts);
                if doubted && request.auto.is_some() {
                    worker.tell_doubt(error, reporter);
                }
                worker.save(false).await?;
            }
            let mut plan = drawn?;
            leave_out(&mut plan, &self.rereads.given_up, &unsettled);
            let mut losses = losses(&plan, &facts);
            losses.here.retain(|path| !agreed.contains(path));
            let resolutions = match self.request.intent {
                Intent::Push | Intent::Sync => {
                    worker.merge_plan(&mut plan, &facts, &held, self.request, reporter).await?
                }
                Intent::Pull | Intent::Check => Resolutions::default(),
            };
            let rules = match reporter.dry_run || self.has_rules {
                true => Vec::new(),
                false => newer_rules(&mut plan, worker),
            };
            if !rules.is_empty() {
                let landed = worker.land(Vec::new(), rules, reporter).await;
                landed.keep_in(&mut self.files)?;
                self.has_rules = true;
                continue;
            }
            worker.name_held(&held, self.request, reporter).await;
            return Ok(Round { facts, root, unsettled, plan, losses, resolutions });
        }
    }

    /// Carries out what the round decided for the working tree.
    async fn act(
        &mut self,
        round: &mut Round,
        worker: &mut Worker,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let plan = &mut round.plan;
        worker.record_adopted(plan);
        let (deletions, fetches) =
            (std::mem::take(&mut plan.deletions), std::mem::take(&mut plan.fetches));
        let losses = round.losses.here.iter().cloned().collect();
        let landed = worker.land_counted(deletions, fetches, &losses, reporter).await;
        landed.keep_in(&mut self.files)?;
        let arrived = worker.land_arriving(&mut round.resolutions, "merge", reporter).await;
        arrived.keep_in(&mut self.files)
    }

    fn draft_of(&self, round: &Round, worker: &Worker) -> Draft {
        let sends = round.plan.sends.iter().map(|send| worker.outgoing(send.clone()));
        let resolutions = &round.resolutions;
        Draft {
            outgoing: sends.chain(resolutions.outgoing.iter().cloned()).collect(),
            resolved: resolutions.resolved.clone(),
            held: resolutions.held.clone(),
            losses: round.losses.at_head.len(),
            ..Draft::of(self.request.action(), self.request.message.clone())
        }
    }
}

#[async_trait]
impl Drafter for Cycle<'_> {
    async fn draft(
        &mut self,
        worker: &mut Worker,
        reporter: &mut Reporter,
    ) -> EngineResult<Option<Draft>> {
        // What did not come in an earlier round may come now.
        self.files.retain(|file| match file {
            FileOutcome::Done(_) | FileOutcome::Told(_) => true,
            FileOutcome::Failed(fault) => fault.class != FaultClass::Transient,
        });
        let mut round = self.decide(worker, reporter).await?;
        if reporter.dry_run {
            preview(&round.plan, &round.resolutions, reporter);
            return Ok(None);
        }
        self.act(&mut round, worker, reporter).await?;
        let draft = self.draft_of(&round, worker);
        self.round = Some(round);
        if !draft.outgoing.is_empty() {
            return Ok(Some(draft));
        }
        if self.request.intent == Intent::Push {
            let confirmed = worker.log.confirm_head().await;
            worker.note_stop(confirmed)?;
        }
        Ok(None)
    }

    async fn changed(
        &mut self,
        _worker: &mut Worker,
        paths: Vec<(RelPath, Option<EngineError>)>,
        _reporter: &mut Reporter,
    ) -> EngineResult<()> {
        for path in paths {
            self.rereads.count(path);
        }
        Ok(())
    }
}

/// Takes files of rules out of the plan, once a job: their rules come first, so
/// that what they ignore is not deleted here by the same job.
fn newer_rules(plan: &mut Plan, worker: &Worker) -> Vec<plan::Fetch> {
    let Some(coverage) = &worker.coverage else { return Vec::new() };
    plan.fetches.extract_if(.., |fetch| coverage.holds_rules(&fetch.path)).collect()
}
