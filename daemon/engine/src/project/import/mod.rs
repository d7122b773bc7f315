//! Taking what people write into the view into the log (V2-V5).
//!
//! An edit becomes a version of its path, or is merged with the head on the
//! version that the view held before it. Its bytes are in the log before
//! anything takes its place. The working tree gets the result by the ordinary
//! way; what doesn't merge waits for a person.

pub(crate) mod classify;
pub(crate) mod contents;
pub(crate) mod partial;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use bytes::Bytes;
use mirror_core::commit::{Action, Input, Resolved, Strategy};
use mirror_core::plan::Send;
use mirror_core::{Digest, Kind, RelPath, State};

use self::classify::{Fate, NewNames};
use crate::api::{ConflictKind, EngineResult, NoticeKind};
use crate::error::EngineError;
use crate::project::commit::draft::{ContentSource, Draft, Outgoing};
use crate::project::commit::until_won::{Drafter, until_won};
use crate::project::worker::Worker;
use crate::project::worker::faults::fault;
use crate::project::worker::reporter::Reporter;
use crate::state::Seen;
use crate::view::{Found, Known, known_of};

/// What one commit is to say of some edits, and what becomes of the others.
struct Reading {
    draft: Draft,
    committed: Vec<Found>,
    known: Vec<Found>,
    waiting: Vec<(Found, ConflictKind)>,
}

impl Worker {
    /// Imports what a pass found, as far as one look is enough (V5).
    pub(crate) async fn import_found(
        &mut self,
        found: Vec<Found>,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let (edits, torn) = self.part_torn(found).await?;
        for found in torn {
            self.take_as_torn(&found).await?;
        }
        let (short, others): (Vec<_>, Vec<_>) =
            edits.into_iter().partition(|found| self.is_short(found));
        for found in &short {
            // The daemon's next round takes the two looks.
            self.next_survey = self.now();
            self.tell_short(found, reporter);
        }
        let ripe = self.leave_moving(others, reporter).await?;
        self.import(ripe, reporter).await
    }

    /// A torn file is written again, and a torn aside dropped.
    pub(crate) async fn take_as_torn(&mut self, found: &Found) -> EngineResult<()> {
        if found.is_aside() {
            return self.drop_aside(found).await;
        }
        self.torn.insert(found.path.clone(), found.seen.digest);
        self.add_unprojected([found.path.clone()].into_iter());
        Ok(())
    }

    /// Takes edits of the view into the log, in one commit if they are of
    /// different paths.
    pub(crate) async fn import(
        &mut self,
        found: Vec<Found>,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        if found.is_empty() {
            return Ok(());
        }
        self.read_notes().await?;
        if self.state.alters() {
            return Ok(());
        }
        self.recover_attempt(Some(&mut *reporter)).await?;
        let imported = self.import_held(found, reporter).await;
        self.drop_held().await;
        imported
    }

    async fn import_held(
        &mut self,
        found: Vec<Found>,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let held = self.keep_contents(&found).await?;
        let is_held = |found: &Found| held.contains_key(&found.seen.digest);
        // What changed under the read is found again by the next look.
        for batch in one_a_path(found.into_iter().filter(is_held)) {
            self.import_batch(batch, &held, reporter).await?;
        }
        Ok(())
    }

    async fn import_batch(
        &mut self,
        batch: Vec<Found>,
        held: &BTreeMap<Digest, ContentSource>,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        // What is news to the log is judged by all of it.
        self.catch_up().await?;
        let mut import = Import { batch: &batch, held, reading: None };
        // What it sends came from elsewhere: nothing of this machine is told of.
        until_won(self, reporter, &mut import).await?;
        match import.reading {
            Some(reading) => self.finish_import(reading, held, reporter).await,
            None => Ok(()),
        }
    }

    /// Says what each edit means for the head as it is now.
    async fn read_batch(
        &mut self,
        batch: &[Found],
        held: &BTreeMap<Digest, ContentSource>,
    ) -> EngineResult<Reading> {
        let rules = self.shared_rules().await?;
        let draft = Draft::of(Action::External, None);
        let mut reading =
            Reading { draft, committed: Vec::new(), known: Vec::new(), waiting: Vec::new() };
        let mut known: BTreeMap<RelPath, Known> =
            known_of(self.log.history(), batch.iter().map(|found| &found.path))
                .into_iter()
                .map(|(path, known)| (path.clone(), known))
                .collect();
        // One that was deleted meanwhile stays what it was (B14).
        let paths = batch.iter().map(|found| &found.path);
        let private: BTreeSet<RelPath> =
            self.log.history().private_among(paths).into_iter().cloned().collect();
        let mut names = NewNames::default();
        for found in batch {
            let known = known.remove(&found.path).unwrap_or_default();
            let content = &held[&found.seen.digest];
            let is_at_head = self.log.history().manifest().contains_key(&found.path);
            let fate = match rules.take(&found.path, is_at_head) {
                true => self.fate_of(found, known, content, &mut names).await?,
                false => Fate::Left,
            };
            match fate {
                Fate::Known => reading.known.push(found.clone()),
                Fate::Waits(kind) => reading.waiting.push((found.clone(), kind)),
                Fate::Left => {}
                Fate::Taken => {
                    let is_private = private.contains(&found.path);
                    self.add_taken(&mut reading.draft, (found, is_private), content, None);
                    reading.committed.push(found.clone());
                }
                Fate::Merged(bytes) => {
                    let is_private = private.contains(&found.path);
                    self.add_taken(&mut reading.draft, (found, is_private), content, Some(bytes));
                    reading.committed.push(found.clone());
                }
                Fate::Contained => {
                    self.add_inputs(&mut reading.draft, found, content);
                    reading.committed.push(found.clone());
                }
            }
        }
        Ok(reading)
    }

    /// Makes an edit, or its merge with the head, the next version of its path.
    fn add_taken(
        &self,
        draft: &mut Draft,
        (found, private): (&Found, bool),
        content: &ContentSource,
        merged: Option<Bytes>,
    ) {
        let head = self.log.history().manifest().get(&found.path).map(|placed| &placed.entry);
        let (digest, size) = match &merged {
            Some(bytes) => (Digest::of(bytes), bytes.len() as u64),
            None => (found.seen.digest, found.seen.size),
        };
        let exec = head.is_some_and(|head| head.exec);
        let send = Send {
            path: found.path.clone(),
            from: head.map(|head| head.sha256),
            to: Some(State { kind: Kind::File, digest, exec }),
            renamed_from: None,
        };
        let mtime = found.seen.modified();
        draft.outgoing.push(Outgoing { send, size, mtime, private, input: None });
        match merged {
            Some(bytes) => {
                draft.held.insert(digest, ContentSource::Bytes(bytes));
                self.add_inputs(draft, found, content);
            }
            None => drop(draft.held.insert(digest, content.clone())),
        }
    }

    /// Keeps an edit's bytes as what went into a merge (M2).
    fn add_inputs(&self, draft: &mut Draft, found: &Found, content: &ContentSource) {
        let Seen { digest, size, .. } = found.seen;
        draft.held.insert(digest, content.clone());
        let edit = State { kind: Kind::File, digest, exec: false };
        let mut inputs = vec![Input::whole(edit, size)];
        let placed = self.log.history().manifest().get(&found.path);
        inputs.extend(placed.map(|placed| Input::from(&placed.entry)));
        // The result depends on the set of both sides only (M1).
        inputs.sort_by_key(|input| input.sha256);
        inputs.dedup_by_key(|input| input.sha256);
        draft.resolved.push(Resolved {
            path: found.path.clone(),
            base: found.base.map(|base| base.digest),
            inputs,
            strategy: Strategy::Merged,
        });
    }

    /// Lets go of what the log has now: the view follows by the ordinary way,
    /// and asides are dropped.
    async fn finish_import(
        &mut self,
        reading: Reading,
        held: &BTreeMap<Digest, ContentSource>,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        self.tell_deletions_beaten(&reading, reporter);
        let mut shown = Vec::new();
        for found in reading.committed.iter().chain(&reading.known) {
            self.drop_outside_conflict(found.place.as_str()).await;
            if found.is_aside() {
                self.drop_aside(found).await?;
                continue;
            }
            let seen = Seen { seq: self.log.head(), ..found.seen.clone() };
            self.state.set_seen(&found.path, Some(seen));
            shown.push(found.path.clone());
        }
        self.add_unprojected(shown.into_iter());
        for (found, kind) in &reading.waiting {
            let content = &held[&found.seen.digest];
            match self.keep_outside_conflict(found, *kind, content, reporter).await {
                Err(error @ EngineError::Storage(_)) => return Err(error),
                // It stays where it is, and is found again.
                Err(error) => {
                    tracing::warn!(path = %found.path, %error, "an edit could not be kept here");
                    reporter.fault(fault(&found.path, &error));
                }
                Ok(()) => {}
            }
        }
        Ok(())
    }

    fn tell_deletions_beaten(&self, reading: &Reading, reporter: &mut Reporter) {
        let outgoing = reading.draft.outgoing.iter().map(|outgoing| &outgoing.send);
        let coming: BTreeSet<&RelPath> =
            outgoing.filter(|send| send.from.is_none()).map(|send| &send.path).collect();
        let stood = |found: &&Found| found.base.is_some() && coming.contains(&found.path);
        for Found { path, .. } in reading.committed.iter().filter(stood) {
            let message = format!("{path} was deleted and edited on the backend: the edit stays");
            reporter.notice(NoticeKind::EditBeatDeletion, Some(path), message, self.now());
        }
    }
}

/// Edits of the view on their way into the log.
struct Import<'a> {
    batch: &'a [Found],
    held: &'a BTreeMap<Digest, ContentSource>,
    /// What they mean for the head as it was read last.
    reading: Option<Reading>,
}

#[async_trait]
impl Drafter for Import<'_> {
    async fn draft(
        &mut self,
        worker: &mut Worker,
        _reporter: &mut Reporter,
    ) -> EngineResult<Option<Draft>> {
        let reading = worker.read_batch(self.batch, self.held).await?;
        let draft = (!reading.committed.is_empty()).then(|| reading.draft.clone());
        self.reading = Some(reading);
        Ok(draft)
    }

    async fn changed(
        &mut self,
        _worker: &mut Worker,
        _paths: Vec<(RelPath, Option<EngineError>)>,
        _reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let what = "what was read from the view changed before it was packed";
        Err(EngineError::Internal(what.to_owned()))
    }
}

/// Batches with one edit of each path, in their order: a commit changes a path once.
fn one_a_path(found: impl Iterator<Item = Found>) -> Vec<Vec<Found>> {
    let (mut batches, mut counts) = (Vec::<Vec<Found>>::new(), BTreeMap::new());
    for found in found {
        let count: &mut usize = counts.entry(found.path.clone()).or_default();
        if *count == batches.len() {
            batches.push(Vec::new());
        }
        batches[*count].push(found);
        *count += 1;
    }
    batches
}
