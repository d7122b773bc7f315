//! Push, pull and sync: rounds of look, decide, act, until nothing is left.

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::RelPath;
use mirror_core::commit::{Action, Input, Resolved, Strategy};
use mirror_core::patterns::IGNORE_FILE;
use mirror_core::plan::{self, Guard, Intent, Plan, Root, Selection, Send, draw_plan};
use mirror_core::reconcile::Facts;

use super::commit::{Committing, Draft, Tried};
use super::consent::refusal;
use super::landing::fault;
use super::reporting::preview;
use super::worker::{Telling, Worker};
use crate::api::{EngineResult, Scope};
use crate::error::EngineError;
use crate::state::BaseRecord;

/// A lost race is progress of somebody else; so many in a row are a fault.
const MOST_ROUNDS: usize = 1_000;

/// How often a file that changes while it is read is tried again.
const READS: usize = 4;

/// What a job of rounds was asked for.
pub(super) struct Errand<'a> {
    pub(super) selection: &'a Selection,
    pub(super) intent: Intent,
    message: Option<String>,
    force_local: bool,
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
        let errand = Errand { selection: &selection, intent: Intent::Push, message, force_local };
        self.rounds(&errand, telling).await?;
        self.finish_view(no_wait, telling).await
    }

    pub(super) async fn pull(&mut self, scope: &Scope, telling: &mut Telling) -> EngineResult<()> {
        let selection = Selection::of(&scope.names);
        let errand = Errand {
            selection: &selection,
            intent: Intent::Pull,
            message: None,
            force_local: false,
        };
        self.rounds(&errand, telling).await
    }

    pub(super) async fn sync(
        &mut self,
        scope: &Scope,
        message: Option<String>,
        telling: &mut Telling,
    ) -> EngineResult<()> {
        let selection = Selection::of(&scope.names);
        let errand =
            Errand { selection: &selection, intent: Intent::Sync, message, force_local: false };
        self.rounds(&errand, telling).await?;
        if telling.dry_run {
            return Ok(());
        }
        let surveyed = self.survey_view(&mut Some(&mut *telling)).await;
        self.finish_view(false, telling).await?;
        if let Err(error) = surveyed {
            // The files and the log are in step; the view waits for the daemon.
            tracing::warn!(%error, "the view could not be looked at");
            telling.report.view_pending = true;
        }
        Ok(())
    }

    async fn rounds(&mut self, errand: &Errand<'_>, telling: &mut Telling) -> EngineResult<()> {
        self.settle_attempt(Some(&mut *telling)).await?;
        self.catch_up().await?;
        if errand.intent != Intent::Push {
            // A push compares the head beside its packs.
            let confirmed = self.log.confirm_head().await;
            self.note_stop(confirmed)?;
        }
        let (mut root, mut unsettled) = self.observe_disk().await?;
        if root != Root::Missing {
            errand
                .selection
                .check(self.known_paths())
                .map_err(|error| EngineError::UnknownPaths(error.0))?;
        }
        let (mut committing, mut rules_landed) = (Committing::default(), false);
        for _ in 0..MOST_ROUNDS {
            let facts = self.facts();
            let carried = self.commits_carry_consent(&facts).await?;
            let mut plan = self.plan(&facts, errand, root, carried, telling)?;
            if errand.force_local {
                self.force(&mut plan, &facts, &mut committing);
            }
            leave_out(&mut plan, &committing.given_up, &unsettled);
            if telling.dry_run {
                preview(&plan, telling);
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
            let tried = self.try_sends(errand, &plan, &mut committing, telling).await?;
            match tried {
                Tried::Nothing | Tried::Won => {
                    self.name_obstructed(errand, telling);
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
        committing: &mut Committing,
        telling: &mut Telling,
    ) -> EngineResult<Tried> {
        if plan.sends.is_empty() {
            if errand.intent == Intent::Push {
                let confirmed = self.log.confirm_head().await;
                self.note_stop(confirmed)?;
            }
            return Ok(Tried::Nothing);
        }
        let draft = Draft {
            action: if errand.intent == Intent::Sync { Action::Sync } else { Action::Push },
            message: errand.message.clone(),
            settings: None,
            sends: plan.sends.clone(),
            resolved: committing.resolved_of(&plan.sends),
        };
        self.try_commit(&draft, committing, telling).await
    }

    fn plan(
        &self,
        facts: &BTreeMap<RelPath, Facts>,
        errand: &Errand<'_>,
        root: Root,
        commits_carry_consent: bool,
        telling: &Telling,
    ) -> EngineResult<Plan> {
        let guard = Guard {
            covered: facts.values().filter(|facts| facts.base.state().is_some()).count(),
            deletions_last_hour: self.recent_deletions().len(),
            root,
            // A dry run shows what consent would be asked for.
            consent: telling.consent || telling.dry_run,
            commits_carry_consent,
        };
        draw_plan(facts, errand.intent, errand.selection, &guard).map_err(|needed| refusal(&needed))
    }

    fn known_paths(&self) -> impl Iterator<Item = &RelPath> {
        let manifest = self.log.history().manifest().keys();
        self.index.entries().keys().chain(manifest).chain(self.state.bases().keys())
    }

    /// Takes the local version of what changed on both sides as the result.
    fn force(
        &self,
        plan: &mut Plan,
        facts: &BTreeMap<RelPath, Facts>,
        committing: &mut Committing,
    ) {
        committing.resolved.clear();
        let manifest = self.log.history().manifest();
        plan.diverged.retain(|path| {
            let Some(facts) = facts.get(path) else { return true };
            let Some(placed) = manifest.get(path) else { return true };
            let remote = Input {
                sha256: placed.entry.sha256,
                size: placed.entry.size,
                chunks: placed.entry.chunks.clone(),
            };
            committing.resolved.push(Resolved {
                path: path.clone(),
                base: facts.base.state().map(|base| base.digest),
                inputs: vec![remote],
                strategy: Strategy::KeepLocal,
            });
            let from = Some(placed.entry.sha256);
            plan.sends.push(Send { path: path.clone(), from, to: facts.local, renamed_from: None });
            false
        });
    }

    /// Both sides are equal: only the base follows (B1).
    fn record_adopted(&mut self, plan: &Plan) {
        for adopt in &plan.adopts {
            let identity = self.index.get(&adopt.path).map(|indexed| indexed.stamp.identity);
            let base = adopt.remote.map(|remote| BaseRecord::Known {
                state: remote.state,
                seq: remote.seq,
                identity,
            });
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
fn leave_out(plan: &mut Plan, given_up: &BTreeSet<RelPath>, unsettled: &[RelPath]) {
    let left = |path: &RelPath| given_up.contains(path) || unsettled.contains(path);
    plan.sends.retain(|send| !left(&send.path));
    plan.deletions.retain(|removal| !left(&removal.path));
    plan.fetches.retain(|fetch| !left(&fetch.path));
}

impl Committing {
    /// How the conflicts among these were settled.
    fn resolved_of(&self, sends: &[Send]) -> Vec<Resolved> {
        let is_sent = |resolved: &&Resolved| sends.iter().any(|send| send.path == resolved.path);
        self.resolved.iter().filter(is_sent).cloned().collect()
    }

    /// Gives a path up for this job after it changed under so many reads.
    fn count_read(&mut self, (path, error): (RelPath, Option<EngineError>), most: usize) {
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
