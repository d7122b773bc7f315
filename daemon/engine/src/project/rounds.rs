//! Push, pull and sync: rounds of look, decide, act, until nothing is left.

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::RelPath;
use mirror_core::commit::Action;
use mirror_core::patterns::IGNORE_FILE;
use mirror_core::plan::{self, Guard, Intent, Plan, Root, Selection};
use mirror_core::reconcile::{Facts, Sighted};
use mirror_storage::FaultClass;

use super::commit::{Committing, Tried};
use super::faults::fault;
use super::merging::{Manner, Settlement};
use super::outgoing::Draft;
use super::reporting::preview;
use super::worker::{Telling, Worker};
use crate::api::{EngineResult, Scope, Settle};
use crate::error::EngineError;
use crate::state::BaseRecord;

/// A lost race is progress of somebody else; so many in a row are a fault.
pub(super) const MOST_ROUNDS: usize = 1_000;

/// How often a file that changes while it is read is tried again.
pub(super) const READS: usize = 4;

/// What a job of rounds was asked for.
pub(super) struct Errand<'a> {
    pub(super) selection: &'a Selection,
    pub(super) intent: Intent,
    pub(super) message: Option<String>,
    pub(super) manner: Manner,
}

impl Errand<'_> {
    pub(super) fn action(&self) -> Action {
        if self.intent == Intent::Sync { Action::Sync } else { Action::Push }
    }
}

impl Worker {
    pub(super) async fn push(
        &mut self,
        scope: &Scope,
        message: Option<String>,
        force_local: bool,
        no_wait: bool,
        telling: &mut Telling,
    ) -> EngineResult<()> {
        let selection = Selection::of(&scope.names);
        // What stands here is the result, where a person says so.
        let settle = if force_local { Settle::KeepLocal } else { Settle::Wait };
        let manner = Manner { merges: !force_local, settle };
        let errand = Errand { selection: &selection, intent: Intent::Push, message, manner };
        if let Err(error) = self.rounds(&errand, telling).await {
            return self.queue_instead(&errand, error, telling).await;
        }
        self.finish_view(no_wait, telling).await
    }

    pub(super) async fn pull(&mut self, scope: &Scope, telling: &mut Telling) -> EngineResult<()> {
        let selection = Selection::of(&scope.names);
        let manner = Manner { merges: false, settle: Settle::Wait };
        let errand = Errand { selection: &selection, intent: Intent::Pull, message: None, manner };
        self.rounds(&errand, telling).await
    }

    pub(super) async fn sync(
        &mut self,
        scope: &Scope,
        message: Option<String>,
        settle: Settle,
        telling: &mut Telling,
    ) -> EngineResult<()> {
        let selection = Selection::of(&scope.names);
        let manner = Manner { merges: true, settle };
        let errand = Errand { selection: &selection, intent: Intent::Sync, message, manner };
        // First, so that what people wrote there comes here with this job.
        let surveyed = match telling.dry_run {
            true => Ok(()),
            false => self.survey_view(telling).await,
        };
        if let Err(error) = self.rounds(&errand, telling).await {
            return self.queue_instead(&errand, error, telling).await;
        }
        if telling.dry_run {
            return Ok(());
        }
        self.finish_view(false, telling).await?;
        self.name_outside_conflicts(telling);
        if let Err(error) = surveyed {
            // The files and the log are in step; the view waits for the daemon.
            tracing::warn!(%error, "the view could not be looked at");
            telling.report.view_pending = true;
            return Ok(());
        }
        self.tell_machine().await;
        Ok(())
    }

    async fn rounds(&mut self, errand: &Errand<'_>, telling: &mut Telling) -> EngineResult<()> {
        self.settle_attempt(Some(&mut *telling)).await?;
        self.catch_up().await?;
        self.recognise().await?;
        if errand.intent != Intent::Push {
            // A push compares the head beside its packs.
            let confirmed = self.log.confirm_head().await;
            self.note_stop(confirmed)?;
        }
        if errand.intent != Intent::Pull && !telling.dry_run {
            self.send_queue(telling).await?;
        }
        let (mut root, mut unsettled) = self.observe_disk().await?;
        if root != Root::Missing {
            self.check_names(errand.selection)?;
        }
        let (mut committing, mut rules_landed) = (Committing::default(), false);
        for _ in 0..MOST_ROUNDS {
            let (facts, head) = (self.facts(), self.log.head());
            let carried = self.commits_carry_consent(&facts).await?;
            let mut plan = self.plan(&facts, errand, root, carried, telling)?;
            leave_out(&mut plan, &committing.given_up, &unsettled);
            let mut settlement = match errand.intent {
                Intent::Push | Intent::Sync => {
                    let diverged = &mut plan.diverged;
                    self.settle_diverged(diverged, &facts, errand.manner, telling).await?
                }
                Intent::Pull | Intent::Check => Settlement::default(),
            };
            if telling.dry_run {
                preview(&plan, &settlement, telling);
                return Ok(());
            }
            if let Some(ignore_file) = newer_ignore_file(&mut plan, &mut rules_landed) {
                self.land(Vec::new(), vec![ignore_file], telling).await?;
                (root, unsettled) = self.observe_disk().await?;
                continue;
            }
            self.record_adopted(&plan);
            let (deletions, fetches) =
                (std::mem::take(&mut plan.deletions), std::mem::take(&mut plan.fetches));
            let counted = self.state.deletions().to_vec();
            let agreed = telling.consent || carried;
            self.land(deletions, fetches, telling).await?;
            if agreed {
                // What somebody agreed to doesn't count towards asking again.
                self.state.set_deletions(counted);
            }
            self.land_arriving(&mut settlement, "merge", telling).await?;
            let sends = !plan.sends.is_empty() || !settlement.outgoing.is_empty();
            let tried = if sends && self.log.head() != head {
                // Looking for a content again has moved the head that all this
                // was planned on: what did not come then may come now.
                telling.report.failed.retain(|fault| fault.class != FaultClass::Transient);
                Tried::Lost
            } else {
                self.try_sends(errand, &plan, &settlement, &mut committing, telling).await?
            };
            match tried {
                Tried::Nothing | Tried::Won => {
                    self.land_merged(&settlement, telling).await?;
                    if settlement.is_partial {
                        (root, unsettled) = self.observe_disk().await?;
                        continue;
                    }
                    self.name_obstructed(errand, telling);
                    self.record_conflicts(root, &plan, errand.intent, telling).await;
                    self.conclude(&plan, &committing, &unsettled, &facts, telling);
                    return Ok(());
                }
                Tried::Lost => {
                    // The winner may have changed what is covered.
                    self.catch_up().await?;
                    (root, unsettled) = self.observe_disk().await?;
                }
                Tried::Changed(paths) => {
                    for path in paths {
                        committing.count_read(path, READS);
                    }
                    (root, unsettled) = self.observe_disk().await?;
                }
            }
        }
        Err(EngineError::Internal("the head moved on at every try".to_owned()))
    }

    async fn try_sends(
        &mut self,
        errand: &Errand<'_>,
        plan: &Plan,
        settlement: &Settlement,
        committing: &mut Committing,
        telling: &mut Telling,
    ) -> EngineResult<Tried> {
        if plan.sends.is_empty() && settlement.outgoing.is_empty() {
            if errand.intent == Intent::Push {
                let confirmed = self.log.confirm_head().await;
                self.note_stop(confirmed)?;
            }
            return Ok(Tried::Nothing);
        }
        let sends = plan.sends.iter().map(|send| self.outgoing(send.clone()));
        let draft = Draft {
            outgoing: sends.chain(settlement.outgoing.iter().cloned()).collect(),
            resolved: settlement.resolved.clone(),
            held: settlement.held.clone(),
            ..Draft::of(errand.action(), errand.message.clone())
        };
        self.try_commit(&draft, committing, telling).await
    }

    pub(super) fn plan(
        &self,
        facts: &BTreeMap<RelPath, Facts>,
        errand: &Errand<'_>,
        root: Root,
        commits_carry_consent: bool,
        telling: &mut Telling,
    ) -> EngineResult<Plan> {
        let guard = Guard {
            covered: facts.values().filter(|facts| facts.base.state().is_some()).count(),
            deletions_last_hour: self.recent_deletions().len(),
            root,
            consent: telling.consent,
            commits_carry_consent,
        };
        self.plan_with_consent(facts, errand.intent, errand.selection, &guard, telling)
    }

    /// Refuses names that no file here or at the head goes by.
    pub(super) fn check_names(&self, selection: &Selection) -> EngineResult<()> {
        selection.check(self.known_paths()).map_err(|error| EngineError::UnknownPaths(error.0))
    }

    pub(super) fn known_paths(&self) -> impl Iterator<Item = &RelPath> {
        let manifest = self.log.history().manifest().keys();
        self.index.entries().keys().chain(manifest).chain(self.state.bases().keys())
    }

    /// Both sides are equal: only the base follows (B1).
    fn record_adopted(&mut self, plan: &Plan) {
        for adopt in &plan.adopts {
            let known = |Sighted { state, seq }| BaseRecord::Known { state, seq };
            let base = adopt.remote.map(known);
            self.state.set_base(&adopt.path, base);
        }
    }
}

/// Takes the ignore file out of the plan, once a job: its rules come first, so
/// that what they ignore is not deleted here by the same job.
fn newer_ignore_file(plan: &mut Plan, landed: &mut bool) -> Option<plan::Fetch> {
    let at = plan.fetches.iter().position(|fetch| fetch.path.as_str() == IGNORE_FILE)?;
    (!std::mem::replace(landed, true)).then(|| plan.fetches.remove(at))
}

/// Takes out what is to be left as it is in this job.
pub(super) fn leave_out(plan: &mut Plan, given_up: &BTreeSet<RelPath>, unsettled: &[RelPath]) {
    let left = |path: &RelPath| given_up.contains(path) || unsettled.contains(path);
    plan.sends.retain(|send| !left(&send.path));
    plan.deletions.retain(|removal| !left(&removal.path));
    plan.fetches.retain(|fetch| !left(&fetch.path));
    plan.diverged.retain(|path| !left(path));
}

impl Committing {
    /// Gives a path up for this job after it changed under so many reads.
    pub(super) fn count_read(
        &mut self,
        (path, error): (RelPath, Option<EngineError>),
        most: usize,
    ) {
        let reads = self.reads.entry(path.clone()).or_insert(0);
        *reads += 1;
        if let Some(error) = error {
            self.failed.push(fault(&path, &error));
            self.given_up.insert(path);
        } else if *reads >= most {
            self.given_up.insert(path);
        }
    }
}
