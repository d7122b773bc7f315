//! `conflict apply` and `conflict take`: one conflict ends as a person, or an agent,
//! says.
//!
//! Refused when a side is no longer what was shown. A result goes the way of a
//! merge: appended, then written here (B4); only where the next push is to
//! publish it, it is written as an edit on top of the head.

use std::collections::BTreeMap;

use mirror_core::commit::{Action, Strategy};
use mirror_core::plan::{Fetch, Root};
use mirror_core::reconcile::{Facts, Sighted};
use mirror_core::{Digest, Kind, RelPath, State};
use mirror_storage::FaultClass;

use crate::api::{ConflictKind, EngineResult, FileAction, FileReport, Resolution};
use crate::data::conflicts::Record;
use crate::error::EngineError;
use crate::outside::TreeError;
use crate::packs::Content;
use crate::project::commit::append::{CommitOutcome, CommitProgress};
use crate::project::commit::draft::Draft;
use crate::project::conflict::decision::{Decision, action_of, refuse_markers};
use crate::project::conflict::detect::is_diverged;
use crate::project::merge::{Outcome, Resolutions, Sides};
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;
use crate::state::BaseRecord;

/// A lost race is progress of somebody else; so many in a row are a fault.
const MOST_ROUNDS: usize = 1_000;

/// How one try ended.
enum Round {
    Over,
    /// Somebody else was first, or a file changed while it was read.
    Again,
}

impl Worker {
    pub(crate) async fn resolve(
        &mut self,
        decision: Decision,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let unknown = || EngineError::NoConflict(decision.path.clone());
        let path = RelPath::new(&decision.path).map_err(|_| unknown())?;
        refuse_markers(&path, &decision.resolution)?;
        if !self.conflicts.contains_key(&path) && self.resolve_outside(&decision, reporter).await? {
            return Ok(());
        }
        self.recover_attempt(Some(&mut *reporter)).await?;
        let recorded = self.conflicts.get(&path).map(Record::token);
        let gone = match recorded {
            Some(_) => EngineError::ConflictMoved(path.clone()),
            None => unknown(),
        };
        let shown = decision.token.clone().or(recorded).ok_or_else(unknown)?;
        let mut progress = CommitProgress::default();
        for _ in 0..MOST_ROUNDS {
            let facts = self.look_at_sides(decision.no_push).await?;
            let Some(facts) = facts.get(&path) else { return Err(gone) };
            self.refuse_moved(&path, facts, &shown)?;
            let round = self.try_resolve(&path, facts, &decision, &mut progress, reporter).await?;
            if matches!(round, Round::Over) {
                let facts = self.all_facts();
                self.drop_settled(Root::Sound, &facts).await;
                return match reporter.report.commit {
                    Some(_) => self.finish_view(false, reporter).await,
                    None => Ok(()),
                };
            }
        }
        Err(EngineError::Internal("the head moved on at every try".to_owned()))
    }

    async fn look_at_sides(&mut self, no_push: bool) -> EngineResult<BTreeMap<RelPath, Facts>> {
        if no_push {
            self.reach_backend().await?;
        } else {
            self.catch_up().await?;
        }
        match self.observe_disk().await?.0 {
            Root::Missing => Err(TreeError::RootMissing.into()),
            Root::Sound | Root::Empty | Root::OtherDevice => Ok(self.facts()),
        }
    }

    /// Both sides have to be those that the decision was about.
    fn refuse_moved(&self, path: &RelPath, facts: &Facts, shown: &str) -> EngineResult<()> {
        let is_clash = self.recorded_paths().get(path) == Some(&true);
        let standing = self.conflict_at(path, facts, is_clash);
        if standing.token() != shown || !(is_clash || is_diverged(facts)) {
            return Err(EngineError::ConflictMoved(path.clone()));
        }
        if standing.kind == ConflictKind::NameClash {
            return Err(EngineError::NameClash(path.clone()));
        }
        Ok(())
    }

    async fn try_resolve(
        &mut self,
        path: &RelPath,
        facts: &Facts,
        decision: &Decision,
        progress: &mut CommitProgress,
        reporter: &mut Reporter,
    ) -> EngineResult<Round> {
        let moved = || EngineError::ConflictMoved(path.clone());
        let sides = Sides::of(path, facts).ok_or_else(moved)?;
        let outcome = outcome_of(&sides, &decision.resolution);
        if reporter.dry_run {
            let action = action_of(&decision.resolution);
            reporter.report.files.push(FileReport { path: path.clone(), action, from: None });
            return Ok(Round::Over);
        }
        if decision.no_push && outcome.state != sides.remote.state {
            return self.resolve_here(&sides, outcome, reporter).await;
        }
        let mut resolutions = Resolutions::default();
        self.add_outcome(&mut resolutions, &sides, outcome);
        if resolutions.outgoing.is_empty() {
            self.land_arriving(&mut resolutions, "conflict", reporter).await?;
            return round_after_write(path, reporter);
        }
        let draft = Draft {
            outgoing: resolutions.outgoing.clone(),
            resolved: resolutions.resolved.clone(),
            held: resolutions.held.clone(),
            ..Draft::of(Action::Push, None)
        };
        match self.try_commit(&draft, progress, reporter).await? {
            CommitOutcome::Won => {
                self.land_merged(&resolutions, reporter).await?;
                Ok(Round::Over)
            }
            CommitOutcome::Nothing | CommitOutcome::Lost => Ok(Round::Again),
            CommitOutcome::Changed(paths) => match paths.into_iter().find_map(|(_, error)| error) {
                Some(error) => Err(error),
                None => Ok(Round::Again),
            },
        }
    }

    /// Writes the result as an edit of the head's version, which whoever made
    /// it has seen; the next push publishes it.
    async fn resolve_here(
        &mut self,
        sides: &Sides<'_>,
        outcome: Outcome,
        reporter: &mut Reporter,
    ) -> EngineResult<Round> {
        let Sides { path, local, remote: Sighted { state, seq }, .. } = *sides;
        let base = Some(BaseRecord::Known { state, seq });
        let Some(content) = outcome.content.filter(|_| outcome.state != local) else {
            self.state.set_base(path, base);
            self.save(true).await?;
            let action = FileAction::Adopted;
            reporter.report.files.push(FileReport { path: path.clone(), action, from: None });
            return Ok(Round::Over);
        };
        let Some(id) = self.stash_local(path, local, "conflict").await? else {
            return Ok(Round::Again);
        };
        self.tell_stashed(path, id, reporter);
        let edit = Fetch {
            path: path.clone(),
            remote: Sighted { state: outcome.state, seq },
            expected_local: Some(local),
            replaces: None,
        };
        self.land_edit(edit, Content::Bytes(content), base, reporter).await?;
        for file in reporter.report.files.iter_mut().filter(|file| file.path == *path) {
            file.action = FileAction::Merged;
        }
        round_after_write(path, reporter)
    }
}

fn outcome_of(sides: &Sides<'_>, resolution: &Resolution) -> Outcome {
    match resolution {
        Resolution::Local => {
            Outcome { state: sides.local, content: None, strategy: Strategy::KeepLocal }
        }
        Resolution::Remote => {
            Outcome { state: sides.remote.state, content: None, strategy: Strategy::KeepRemote }
        }
        Resolution::Merged(bytes) => {
            let digest = Digest::of(bytes);
            let state = State { kind: Kind::File, digest, exec: sides.exec() };
            Outcome { state, content: Some(bytes.clone()), strategy: Strategy::Edited }
        }
    }
}

/// A version that could not be put in its place is named in the report, unless
/// that is because something else stands there now.
fn round_after_write(path: &RelPath, reporter: &Reporter) -> EngineResult<Round> {
    let is_there = reporter.report.files.iter().any(|file| file.path == *path);
    let mut failed = reporter.report.failed.iter().filter(|fault| fault.path == path.as_str());
    match failed.next_back() {
        Some(fault) if !is_there && fault.class == FaultClass::Transient => {
            Err(EngineError::ConflictMoved(path.clone()))
        }
        Some(_) | None => Ok(Round::Over),
    }
}
