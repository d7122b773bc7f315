//! `conflict apply` and `conflict take`: one conflict ends as a person, or an agent,
//! says.
//!
//! Refused when a side is no longer what was shown. A result goes the way of a
//! merge: appended, then written here (B4); only where the next push is to
//! publish it, it is written as an edit on top of the head.

use std::collections::BTreeMap;

use async_trait::async_trait;
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
use crate::project::checkout::Edit;
use crate::project::commit::draft::Draft;
use crate::project::commit::until_won::{Drafter, until_won};
use crate::project::conflict::decision::{Decision, action_of, refuse_markers};
use crate::project::conflict::detect::is_diverged;
use crate::project::merge::{Outcome, Resolutions, Sides};
use crate::project::worker::Worker;
use crate::project::worker::outcome::{FileOutcome, Outcomes};
use crate::project::worker::reporter::Reporter;
use crate::state::BaseRecord;

/// How one try to write the result here ended.
enum Round {
    Over,
    /// A file changed while it was read.
    Again,
}

impl Worker {
    pub(crate) async fn resolve(
        &mut self,
        mut decision: Decision,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let name = decision.path.clone();
        let unknown = || EngineError::NoConflict(name.clone());
        let path = RelPath::new(&name).map_err(|_| unknown())?;
        decision.resolution = self.resolution_of(&path, &decision.resolution).await?;
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
        let mut settling = Settling {
            path: &path,
            decision: &decision,
            shown,
            gone: Some(gone),
            resolutions: None,
        };
        let committed = until_won(self, reporter, &mut settling).await?;
        let is_committed = committed.is_some();
        if let Some(resolutions) = settling.resolutions.filter(|_| is_committed) {
            let landed = self.land_merged(&resolutions, reporter).await;
            match reporter.add(landed) {
                Err(EngineError::Stale) => reporter.pull_pending(),
                landed => landed?,
            }
        }
        let facts = self.all_facts();
        self.drop_settled(Root::Sound, &facts).await;
        if is_committed { self.finish_view(false, reporter).await } else { Ok(()) }
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
            reporter.file(FileReport { path: path.clone(), action, from: None });
            return Ok(Round::Over);
        };
        let Some(id) = self.stash_local(path, local, "conflict").await? else {
            return Ok(Round::Again);
        };
        self.tell_stashed(path, id, reporter);
        let fetch = Fetch {
            path: path.clone(),
            remote: Sighted { state: outcome.state, seq },
            expected_local: Some(local),
            replaces: None,
        };
        let content = Content::Bytes(content);
        let landed = self.land_edits(vec![Edit { fetch, content, base, private: false }]).await;
        round_after_write(path, landed.told_as(|_| FileAction::Merged), reporter)
    }
}

/// One decision on its way into the log.
struct Settling<'a> {
    path: &'a RelPath,
    decision: &'a Decision,
    /// The token of the sides that it is about.
    shown: String,
    /// Why nothing can be decided about a path that is nowhere.
    gone: Option<EngineError>,
    /// What the last draft brings.
    resolutions: Option<Resolutions>,
}

impl Settling<'_> {
    /// Ends it without a commit where that is possible.
    async fn settle(
        &mut self,
        facts: &Facts,
        worker: &mut Worker,
        reporter: &mut Reporter,
    ) -> EngineResult<Option<Round>> {
        let (path, resolution) = (self.path, &self.decision.resolution);
        let moved = || EngineError::ConflictMoved(path.clone());
        let sides = Sides::of(path, facts).ok_or_else(moved)?;
        let outcome = outcome_of(&sides, resolution);
        let chosen = outcome.state;
        if reporter.dry_run {
            let action = action_of(resolution);
            reporter.file(FileReport { path: path.clone(), action, from: None });
            return Ok(Some(Round::Over));
        }
        // Whoever settled it has seen it, or made it (B16).
        worker.agree_to(vec![(path.clone(), chosen)]).await?;
        if self.decision.no_push && outcome.state != sides.remote.state {
            return worker.resolve_here(&sides, outcome, reporter).await.map(Some);
        }
        let mut resolutions = Resolutions::default();
        worker.add_outcome(&mut resolutions, &sides, outcome);
        if resolutions.outgoing.is_empty() {
            let landed = worker.land_arriving(&mut resolutions, "conflict", reporter).await;
            return round_after_write(path, landed, reporter).map(Some);
        }
        self.resolutions = Some(resolutions);
        Ok(None)
    }
}

#[async_trait]
impl Drafter for Settling<'_> {
    async fn draft(
        &mut self,
        worker: &mut Worker,
        reporter: &mut Reporter,
    ) -> EngineResult<Option<Draft>> {
        loop {
            let facts = worker.look_at_sides(self.decision.no_push).await?;
            let Some(facts) = facts.get(self.path) else {
                let moved = || EngineError::ConflictMoved(self.path.clone());
                return Err(self.gone.take().unwrap_or_else(moved));
            };
            worker.refuse_moved(self.path, facts, &self.shown)?;
            match self.settle(facts, worker, reporter).await? {
                Some(Round::Over) => return Ok(None),
                // Another version stands there now, which nobody decided about.
                Some(Round::Again) => continue,
                None => {}
            }
            let Some(Resolutions { outgoing, resolved, held, .. }) = &self.resolutions else {
                return Ok(None);
            };
            return Ok(Some(Draft {
                outgoing: outgoing.clone(),
                resolved: resolved.clone(),
                held: held.clone(),
                ..Draft::of(Action::Push, None)
            }));
        }
    }

    async fn changed(
        &mut self,
        _worker: &mut Worker,
        paths: Vec<(RelPath, Option<EngineError>)>,
        _reporter: &mut Reporter,
    ) -> EngineResult<()> {
        paths.into_iter().find_map(|(_, error)| error).map_or(Ok(()), Err)
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
        Resolution::Side(_) => unreachable!("a name has become a side by then"),
        Resolution::Merged(bytes) => {
            let digest = Digest::of(bytes);
            let state = State { kind: Kind::File, digest, exec: sides.exec() };
            Outcome { state, content: Some(bytes.clone()), strategy: Strategy::Edited }
        }
    }
}

/// A version that could not be put in its place is named in the report, unless
/// that is because something else stands there now.
fn round_after_write(
    path: &RelPath,
    landed: Outcomes,
    reporter: &mut Reporter,
) -> EngineResult<Round> {
    let is_there = landed.files.iter().any(|file| file.file().is_some_and(|f| f.path == *path));
    let was_changed = landed.files.iter().any(|file| match file {
        FileOutcome::Failed(fault) => {
            fault.path == path.as_str() && fault.class == FaultClass::Transient
        }
        FileOutcome::Done(_) | FileOutcome::Told(_) => false,
    });
    if landed.ended.is_ok() && !is_there && was_changed {
        return Err(EngineError::ConflictMoved(path.clone()));
    }
    reporter.add(landed)?;
    Ok(Round::Over)
}
