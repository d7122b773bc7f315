//! Conflicts of the working tree with the head.
//!
//! Whether a path is in conflict is decided anew each time, from the facts; a
//! record adds only since when, and contents that the log may lose. While one
//! waits, the working file stays the local version and the head the remote one.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use mirror_core::path::Clash;
use mirror_core::plan::{Agreed, Guard, Intent, NOTHING, Plan, Root, Selection, draw_plan};
use mirror_core::reconcile::{BaseFact, Facts, FileState, Verdict, decide, file_state};
use mirror_core::{Digest, Kind, RelPath, State, merge};

use crate::api::{ConflictKind, EngineResult};
use crate::data::conflicts::{Folder, Record};
use crate::error::EngineError;
use crate::project::worker::Worker;
use crate::project::worker::faults::fault;
use crate::project::worker::reporter::Reporter;

impl Worker {
    /// Brings the records into line with the files: adds what a plan leaves to a
    /// person, follows sides that moved, and drops what is settled.
    pub(crate) async fn record_conflicts(
        &mut self,
        root: Root,
        plan: &Plan,
        intent: Intent,
        reporter: &mut Reporter,
    ) {
        if self.conflicts.is_empty() && plan.diverged.is_empty() && plan.clashes.is_empty() {
            return;
        }
        let facts = self.all_facts();
        self.drop_settled(root, &facts).await;
        let mut waiting: BTreeMap<RelPath, bool> = self.recorded_paths();
        if intent != Intent::Pull {
            waiting.extend(plan.diverged.iter().map(|path| (path.clone(), false)));
            waiting.extend(plan.clashes.iter().map(|clash| (clash.path().clone(), true)));
        }
        for (path, clashes) in waiting {
            let Some(facts) = facts.get(&path) else { continue };
            if let Err(error) = self.record_conflict(&path, facts, clashes).await {
                // It stays in conflict all the same, and is recorded next time.
                reporter.fault(fault(&path, &error));
            }
        }
    }

    /// The recorded paths, and whether each is there for its name.
    pub(crate) fn recorded_paths(&self) -> BTreeMap<RelPath, bool> {
        let is_clash = |record: &Record| record.kind == ConflictKind::NameClash;
        self.conflicts.iter().map(|(path, record)| (path.clone(), is_clash(record))).collect()
    }

    /// Follows the sides of what is recorded, as far as they can be read now.
    pub(crate) async fn follow_conflicts(&mut self, facts: &BTreeMap<RelPath, Facts>) {
        for (path, clashes) in self.recorded_paths() {
            let Some(facts) = facts.get(&path) else { continue };
            if let Err(error) = self.record_conflict(&path, facts, clashes).await {
                tracing::info!(%path, %error, "a conflict is as it was recorded");
            }
        }
    }

    /// Drops the records of paths that are in conflict no more: equal sides, or
    /// somebody settled them. An absent folder says nothing.
    pub(crate) async fn drop_settled(&mut self, root: Root, facts: &BTreeMap<RelPath, Facts>) {
        if root != Root::Sound || self.conflicts.is_empty() {
            return;
        }
        let clashing = self.standing_clashes(facts);
        let is_open = |path: &RelPath| {
            let facts = facts.get(path);
            facts.is_some_and(is_diverged) || clashing.contains(path)
        };
        let settled: Vec<Record> =
            self.conflicts.values().filter(|record| !is_open(&record.path)).cloned().collect();
        for record in settled {
            self.conflicts.remove(&record.path);
            let folder = Folder::of(&record.path, &self.parts.data);
            let path = record.path.clone();
            let dropped = self.parts.outside.offload(move || folder.drop_all(&record)).await;
            if let Err(error) = dropped {
                tracing::warn!(%path, %error, "a settled conflict could not be dropped");
            }
        }
    }

    /// The recorded name clashes that stand still.
    fn standing_clashes(&self, facts: &BTreeMap<RelPath, Facts>) -> BTreeSet<RelPath> {
        if !self.recorded_paths().into_values().any(|clashes| clashes) {
            return BTreeSet::new();
        }
        let guard = Guard {
            covered: 0,
            deletions_last_hour: 0,
            root: Root::Sound,
            consent: true,
            agreed: Agreed::All,
            waiting: NOTHING,
        };
        let plan = draw_plan(facts, Intent::Sync, &Selection::all(), &guard);
        let clashes = plan.map(|plan| plan.clashes).unwrap_or_default();
        clashes.iter().map(Clash::path).cloned().collect()
    }

    /// What stands at a path now, as a conflict.
    pub(crate) fn conflict_at(&self, path: &RelPath, facts: &Facts, clashes: bool) -> Record {
        let known = self.conflicts.get(path);
        let (local, remote) = (facts.local, facts.remote);
        let is_same = |known: &&Record| (known.local, known.remote) == (local, remote);
        let base = match (facts.base, known) {
            (BaseFact::Absent, _) => None,
            // What this machine forgot is still what both sides come from.
            (BaseFact::Unknown(_), known) => known.and_then(|known| known.base),
            (BaseFact::Known { state, .. }, known) => {
                known.filter(is_same).map_or(Some(state), |known| known.base)
            }
        };
        let kinds = (local.map(|state| state.kind), remote.map(|remote| remote.state.kind));
        let kind = match (clashes, kinds, facts.base) {
            (true, _, _) => ConflictKind::NameClash,
            (_, (Some(one), Some(other)), _) if one != other => ConflictKind::Type,
            (_, _, BaseFact::Absent) => ConflictKind::AddAdd,
            (_, _, BaseFact::Unknown(_)) if base.is_none() => ConflictKind::UnknownBase,
            (_, _, BaseFact::Unknown(_) | BaseFact::Known { .. }) => ConflictKind::EditEdit,
        };
        let (since, binary) =
            known.map_or((self.now(), false), |known| (known.since, known.binary));
        Record { path: path.clone(), kind, binary, base, local, remote, since, place: None }
    }

    /// Records one conflict with the bytes of its sides; does nothing when they
    /// are recorded already.
    async fn record_conflict(
        &mut self,
        path: &RelPath,
        facts: &Facts,
        clashes: bool,
    ) -> EngineResult<()> {
        let mut record = self.conflict_at(path, facts, clashes);
        if self.conflicts.get(path).is_some_and(|known| known.has_sides_of(&record)) {
            return Ok(());
        }
        let folder = Folder::of(path, &self.parts.data);
        if let Some(local) = record.local_digest()
            && !self.keep_local(&folder, path, local).await?
        {
            // It is being written: the next look finds what comes of it.
            return Ok(());
        }
        if let Some(remote) = record.remote_digest() {
            self.keep_version(&folder, path, remote).await?;
        }
        if let Some(base) = record.base_digest() {
            match self.keep_version(&folder, path, base).await {
                Ok(()) => {}
                Err(error) if error.is_gone() => record.base = None,
                Err(error) => return Err(error),
            }
        }
        let record = self
            .parts
            .outside
            .offload(move || {
                record.binary = is_binary(&folder, &record)?;
                folder.write(&record).map(|()| record)
            })
            .await?;
        self.conflicts.insert(path.clone(), record);
        Ok(())
    }

    /// `false` when another version stands at the path.
    async fn keep_local(
        &self,
        folder: &Folder,
        path: &RelPath,
        digest: Digest,
    ) -> EngineResult<bool> {
        let (folder, path, tree) = (folder.clone(), path.clone(), self.parts.tree.clone());
        let keep = move || -> EngineResult<bool> {
            if folder.has(digest)? {
                return Ok(true);
            }
            let Some((_, mut reader)) = tree.open(&path)? else { return Ok(false) };
            Ok(folder.keep(digest, reader.as_mut())?)
        };
        self.parts.outside.offload(keep).await
    }

    /// Keeps a version that the log knows.
    pub(crate) async fn keep_version(
        &mut self,
        folder: &Folder,
        path: &RelPath,
        digest: Digest,
    ) -> EngineResult<()> {
        let known = folder.clone();
        if self.parts.outside.offload(move || known.has(digest)).await? {
            return Ok(());
        }
        let missing = || EngineError::ContentMissing { path: path.clone() };
        let wanted = self.wanted_version(path, digest).ok_or_else(missing)?;
        let content = self.fetch_at_newest_head(&wanted).await?;
        let folder = folder.clone();
        let kept = move || folder.keep(digest, content.open()?.as_mut());
        if self.parts.outside.offload(kept).await? { Ok(()) } else { Err(missing()) }
    }

    /// One path's standing, in the words of `status`.
    pub(crate) fn state_of(&self, path: &RelPath, facts: &Facts) -> FileState {
        let state = file_state(facts);
        let is_clash =
            |record: &Record| record.kind == ConflictKind::NameClash && state != FileState::InSync;
        match self.conflicts.get(path) {
            Some(record) if state == FileState::Diverged || is_clash(record) => FileState::Conflict,
            _ => state,
        }
    }
}

pub(crate) fn is_diverged(facts: &Facts) -> bool {
    decide(facts) == Verdict::Diverged
}

/// Whether one side at least is no text.
pub(crate) fn is_binary(folder: &Folder, record: &Record) -> io::Result<bool> {
    let remote = record.remote.map(|remote| remote.state);
    for State { kind, digest, .. } in [record.base, record.local, remote].into_iter().flatten() {
        let text = folder.read(digest, merge::MAX_TEXT_BYTES)?;
        if kind == Kind::Link || !text.is_some_and(|text| merge::is_text(&text)) {
            return Ok(true);
        }
    }
    Ok(false)
}
