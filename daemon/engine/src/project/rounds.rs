//! Push, pull and sync: rounds of look, decide, act, until nothing is left.

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::RelPath;
use mirror_core::commit::{Action, Input, Resolved, Strategy};
use mirror_core::patterns::IGNORE_FILE;
use mirror_core::plan::{
    self, Guard, Intent, NeedsConsent, Plan, Root, Selection, Send, Why, draw_plan,
};
use mirror_core::reconcile::{Facts, Verdict, decide};

use super::commit::{Committing, Draft, Tried};
use super::landing::fault;
use super::worker::{Telling, Worker};
use crate::api::{EngineResult, FileAction, FileFault, FileReport, NoticeKind, Scope, SkipReason};
use crate::error::EngineError;
use crate::outside::TreeError;
use crate::state::BaseRecord;

/// A lost race is progress of somebody else; so many in a row are a fault.
const MOST_ROUNDS: usize = 1_000;

/// How often a file that changes while it is read is tried again.
const READS: usize = 4;

/// The last hour's deletions count together (B12).
const HOUR_MS: i64 = 3_600_000;

/// What a job of rounds was asked for.
struct Errand<'a> {
    selection: &'a Selection,
    intent: Intent,
    action: Action,
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
        let errand = Errand {
            selection: &selection,
            intent: Intent::Push,
            action: Action::Push,
            message,
            force_local,
        };
        self.rounds(&errand, telling).await?;
        self.finish_view(no_wait, telling).await
    }

    pub(super) async fn pull(&mut self, scope: &Scope, telling: &mut Telling) -> EngineResult<()> {
        let selection = Selection::of(&scope.names);
        let errand = Errand {
            selection: &selection,
            intent: Intent::Pull,
            action: Action::Push,
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
        let errand = Errand {
            selection: &selection,
            intent: Intent::Sync,
            action: Action::Sync,
            message,
            force_local: false,
        };
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
            let agreed = telling.consent || deletions.len() > 1 && carried;
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
            action: errand.action,
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

    /// Whether every deletion that could be pulled was agreed to where it was
    /// made.
    async fn commits_carry_consent(&self, facts: &BTreeMap<RelPath, Facts>) -> EngineResult<bool> {
        let deleted: BTreeSet<&RelPath> = facts
            .iter()
            .filter(|(_, facts)| decide(facts) == Verdict::FetchDeletion)
            .map(|(path, _)| path)
            .collect();
        if deleted.len() < 2 {
            return Ok(true);
        }
        let past = self.log.history().past().iter().rev();
        let mut last: BTreeMap<&RelPath, u64> = BTreeMap::new();
        for version in past.filter(|version| deleted.contains(&version.path)) {
            last.entry(&version.path).or_insert(version.until);
        }
        let commits: BTreeSet<u64> = last.values().copied().collect();
        for seq in commits {
            let entry = self.log.entry(seq).await?;
            if entry.commit.is_none_or(|commit| commit.consent != Some(true)) {
                return Ok(false);
            }
        }
        Ok(last.len() == deleted.len())
    }

    fn known_paths(&self) -> impl Iterator<Item = &RelPath> {
        let manifest = self.log.history().manifest().keys();
        self.index.entries().keys().chain(manifest).chain(self.state.bases().keys())
    }

    /// What should go or come and can't is named.
    fn name_obstructed(&self, errand: &Errand<'_>, telling: &mut Telling) {
        let unreadable = self.index.skipped().filter(|skipped| {
            let path = RelPath::new(&skipped.path);
            skipped.reason == SkipReason::Unreadable
                && path.is_ok_and(|path| errand.selection.matches(&path))
        });
        telling.report.failed.extend(unreadable.map(|skipped| FileFault {
            path: skipped.path.clone(),
            class: mirror_storage::FaultClass::Permission,
            message: format!("{} can't be read here", skipped.path),
            hint: Some("make it readable for yourself, or ignore it".to_owned()),
        }));
        if errand.intent == Intent::Push {
            return;
        }
        for path in self.obstructed(errand.selection) {
            telling.report.failed.push(FileFault {
                path: path.as_str().to_owned(),
                class: mirror_storage::FaultClass::Permission,
                message: format!(
                    "{path} can't be written here: something that is not mirrored is in the way"
                ),
                hint: Some("see `mirrorctl status` for what is skipped, and move it".to_owned()),
            });
        }
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

    /// Gathers what the job could not do, and what people should hear.
    fn conclude(
        &mut self,
        plan: &Plan,
        committing: &Committing,
        unsettled: &[RelPath],
        facts: &BTreeMap<RelPath, Facts>,
        telling: &mut Telling,
    ) {
        let now = self.now();
        telling.report.conflicts.clone_from(&plan.diverged);
        telling.report.conflicts.extend(plan.clashes.iter().map(|clash| clash.path().clone()));
        telling.report.conflicts.sort();
        telling.report.conflicts.dedup();
        telling.report.failed.extend(committing.failed.iter().cloned());
        let named = |path: &&RelPath| !committing.failed.iter().any(|f| f.path == path.as_str());
        for path in unsettled.iter().chain(&committing.given_up).filter(named) {
            telling.report.failed.push(never_still(path));
        }
        for path in &plan.kept {
            let message = format!(
                "{path} was deleted elsewhere while this machine did not know its state; it stays \
                 here, and is sent only when it is named"
            );
            telling.notice(NoticeKind::KeptUnknown, Some(path), message, now);
        }
        for notice in &plan.notices {
            let plan::Notice::EditBeatDeletion { path, edited_here } = notice;
            let (edited, deleted) =
                if *edited_here { ("here", "elsewhere") } else { ("elsewhere", "here") };
            let message =
                format!("{path} was deleted {deleted} and edited {edited}: the edit stays");
            telling.notice(NoticeKind::EditBeatDeletion, Some(path), message, now);
        }
        telling.report.files.sort_by(|left, right| left.path.cmp(&right.path));
        if !facts.is_empty() {
            self.state.set_device(self.device);
        }
    }

    /// Times of the deletions of the last hour, in milliseconds.
    pub(super) fn recent_deletions(&self) -> Vec<i64> {
        let now = self.now().milliseconds();
        let recent = |time: &&i64| now.saturating_sub(**time) < HOUR_MS;
        self.state.deletions().iter().filter(recent).copied().collect()
    }

    pub(super) fn count_deletions(&mut self, count: usize) {
        let mut deletions = self.recent_deletions();
        deletions.extend(std::iter::repeat_n(self.now().milliseconds(), count));
        self.state.set_deletions(deletions);
    }
}

/// What a dry run says: the plan as if it had been carried out.
fn preview(plan: &Plan, telling: &mut Telling) {
    let mut files: Vec<FileReport> = plan.sends.iter().map(report_of_send).collect();
    let simple = |path: &RelPath, action| FileReport { path: path.clone(), action, from: None };
    files.extend(plan.deletions.iter().map(|r| simple(&r.path, FileAction::DeletedLocal)));
    files.extend(plan.fetches.iter().map(|f| simple(&f.path, FileAction::Fetched)));
    files.sort_by(|left, right| left.path.cmp(&right.path));
    telling.report.files = files;
    telling.report.conflicts.clone_from(&plan.diverged);
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

pub(super) fn report_of_send(send: &Send) -> FileReport {
    let action = match (&send.to, &send.renamed_from) {
        (None, _) => FileAction::DeletedRemote,
        (Some(_), Some(_)) => FileAction::Renamed,
        (Some(_), None) => FileAction::Sent,
    };
    FileReport { path: send.path.clone(), action, from: send.renamed_from.clone() }
}

fn never_still(path: &RelPath) -> FileFault {
    FileFault {
        path: path.as_str().to_owned(),
        class: mirror_storage::FaultClass::Transient,
        message: format!("{path} changed each time it was read"),
        hint: Some("run it again when the program that writes it has finished".to_owned()),
    }
}

pub(super) fn refusal(needed: &NeedsConsent) -> EngineError {
    if needed.why == Why::RootMissing {
        return TreeError::RootMissing.into();
    }
    let named: Vec<&str> = needed.deletions.iter().take(3).map(RelPath::as_str).collect();
    let more = needed.deletions.len().saturating_sub(named.len());
    let which = match (named.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => format!(" ({})", named.join(", ")),
        (false, more) => format!(" ({} and {more} more)", named.join(", ")),
    };
    EngineError::Consent(format!("{needed}{which}; nothing was done"))
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
