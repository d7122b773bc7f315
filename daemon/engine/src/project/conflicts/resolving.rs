//! Settling one conflict as a person, or an agent, says.
//!
//! Refused when a side is no longer what was shown. A result goes the way of a
//! merge: appended, then written here (B4); only where the next push is to
//! publish it, it is written as an edit on top of the head.

use std::collections::BTreeMap;

use mirror_core::commit::{Action, Strategy};
use mirror_core::plan::{Fetch, Root};
use mirror_core::reconcile::{Facts, Sighted};
use mirror_core::{Digest, Kind, RelPath, State, merge};
use mirror_storage::FaultClass;

use super::{Record, is_diverged};
use crate::api::{ConflictKind, EngineResult, FileAction, FileReport, Resolution};
use crate::error::EngineError;
use crate::outside::TreeError;
use crate::packs::Content;
use crate::project::commit::{Committing, Tried};
use crate::project::merging::{Outcome, Settlement, Sides};
use crate::project::outgoing::Draft;
use crate::project::worker::{Telling, Worker};
use crate::state::BaseRecord;

/// A lost race is progress of somebody else; so many in a row are a fault.
const MOST_ROUNDS: usize = 1_000;

/// What somebody decided, and about which two versions.
pub(in crate::project) struct Decision {
    pub(in crate::project) path: String,
    pub(in crate::project) resolution: Resolution,
    /// As shown; `None`: both sides as they were recorded last.
    pub(in crate::project) token: Option<String>,
    pub(in crate::project) no_push: bool,
}

/// How one try ended.
enum Round {
    Over,
    /// Somebody else was first, or a file changed while it was read.
    Again,
}

impl Worker {
    pub(in crate::project) async fn resolve(
        &mut self,
        decision: Decision,
        telling: &mut Telling,
    ) -> EngineResult<()> {
        let unknown = || EngineError::NoConflict(decision.path.clone());
        let path = RelPath::new(&decision.path).map_err(|_| unknown())?;
        refuse_markers(&path, &decision.resolution)?;
        if !self.conflicts.contains_key(&path) && self.resolve_outside(&decision, telling).await? {
            return Ok(());
        }
        self.settle_attempt(Some(&mut *telling)).await?;
        let recorded = self.conflicts.get(&path).map(Record::token);
        let gone = match recorded {
            Some(_) => EngineError::ConflictMoved(path.clone()),
            None => unknown(),
        };
        let shown = decision.token.clone().or(recorded).ok_or_else(unknown)?;
        let mut committing = Committing::default();
        for _ in 0..MOST_ROUNDS {
            let facts = self.look_at_sides(decision.no_push).await?;
            let Some(facts) = facts.get(&path) else { return Err(gone) };
            self.refuse_moved(&path, facts, &shown)?;
            let round = self.try_resolve(&path, facts, &decision, &mut committing, telling).await?;
            if matches!(round, Round::Over) {
                let facts = self.all_facts();
                self.drop_settled(Root::Sound, &facts).await;
                return match telling.report.commit {
                    Some(_) => self.finish_view(false, telling).await,
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
        let is_clash = self.recorded().get(path) == Some(&true);
        let standing = self.standing(path, facts, is_clash);
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
        committing: &mut Committing,
        telling: &mut Telling,
    ) -> EngineResult<Round> {
        let moved = || EngineError::ConflictMoved(path.clone());
        let sides = Sides::of(path, facts).ok_or_else(moved)?;
        let outcome = outcome_of(&sides, &decision.resolution);
        if telling.dry_run {
            let action = action_of(&decision.resolution);
            telling.report.files.push(FileReport { path: path.clone(), action, from: None });
            return Ok(Round::Over);
        }
        if decision.no_push && outcome.state != sides.remote.state {
            return self.resolve_here(&sides, outcome, telling).await;
        }
        let mut settlement = Settlement::default();
        self.settle(&mut settlement, &sides, outcome);
        if settlement.outgoing.is_empty() {
            self.land_arriving(&mut settlement, "conflict", telling).await?;
            return landed(path, telling);
        }
        let draft = Draft {
            outgoing: settlement.outgoing.clone(),
            resolved: settlement.resolved.clone(),
            held: settlement.held.clone(),
            ..Draft::of(Action::Push, None)
        };
        match self.try_commit(&draft, committing, telling).await? {
            Tried::Won => {
                self.land_merged(&settlement, telling).await?;
                Ok(Round::Over)
            }
            Tried::Nothing | Tried::Lost => Ok(Round::Again),
            Tried::Changed(paths) => match paths.into_iter().find_map(|(_, error)| error) {
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
        telling: &mut Telling,
    ) -> EngineResult<Round> {
        let Sides { path, local, remote: Sighted { state, seq }, .. } = *sides;
        let base = Some(BaseRecord::Known { state, seq });
        let Some(content) = outcome.content.filter(|_| outcome.state != local) else {
            self.state.set_base(path, base);
            self.save(true).await?;
            let action = FileAction::Adopted;
            telling.report.files.push(FileReport { path: path.clone(), action, from: None });
            return Ok(Round::Over);
        };
        let Some(id) = self.stash_local(path, local, "conflict").await? else {
            return Ok(Round::Again);
        };
        self.tell_stashed(path, id, telling);
        let edit = Fetch {
            path: path.clone(),
            remote: Sighted { state: outcome.state, seq },
            expected_local: Some(local),
            replaces: None,
        };
        self.land_edit(edit, Content::Bytes(content), base, telling).await?;
        for file in telling.report.files.iter_mut().filter(|file| file.path == *path) {
            file.action = FileAction::Merged;
        }
        landed(path, telling)
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

pub(super) fn action_of(resolution: &Resolution) -> FileAction {
    match resolution {
        Resolution::Local => FileAction::Sent,
        Resolution::Remote => FileAction::Fetched,
        Resolution::Merged(_) => FileAction::Merged,
    }
}

pub(super) fn refuse_markers(path: &RelPath, resolution: &Resolution) -> EngineResult<()> {
    match resolution {
        Resolution::Merged(bytes) if merge::is_text(bytes) && merge::has_markers(bytes) => {
            Err(EngineError::MarkersLeft(path.clone()))
        }
        Resolution::Merged(_) | Resolution::Local | Resolution::Remote => Ok(()),
    }
}

/// A version that could not be put in its place is named in the report, unless
/// that is because something else stands there now.
fn landed(path: &RelPath, telling: &Telling) -> EngineResult<Round> {
    let is_there = telling.report.files.iter().any(|file| file.path == *path);
    let mut failed = telling.report.failed.iter().filter(|fault| fault.path == path.as_str());
    match failed.next_back() {
        Some(fault) if !is_there && fault.class == FaultClass::Transient => {
            Err(EngineError::ConflictMoved(path.clone()))
        }
        Some(_) | None => Ok(Round::Over),
    }
}
