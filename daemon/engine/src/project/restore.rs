//! Bringing earlier versions back into the working tree, from the log or from
//! the stash.
//!
//! What is restored is an edit made on top of the head: a push publishes it.
//! A version that makes way for it and isn't in the log goes to the stash.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use mirror_core::path::Folded;
use mirror_core::plan::{Fetch, Root, Selection};
use mirror_core::reconcile::{BaseFact, Facts, LocalTraits, Sighted};
use mirror_core::{Entry, Kind, RelPath, State};
use mirror_storage::FaultClass;

use super::faults::{changed_meanwhile, fault};
use super::settle::state_at;
use super::worker::{Telling, Worker};
use crate::api::{
    EngineResult, FileAction, FileFault, FileReport, OutputTree, Progress, Scope, Stashed,
};
use crate::error::EngineError;
use crate::outside::TreeError;
use crate::packs::{Content, Wanted};
use crate::state::BaseRecord;

/// Files that are written together.
const BATCH: usize = 64;

/// Bytes of one batch that may be held in memory.
const BATCH_BYTES: u64 = 64 << 20;

type Edit = (Fetch, Content, Option<BaseRecord>);

impl Worker {
    pub(super) async fn restore(
        &mut self,
        scope: &Scope,
        from: Option<u64>,
        output: Option<&OutputTree>,
        telling: &mut Telling,
    ) -> EngineResult<()> {
        self.settle_attempt(Some(&mut *telling)).await?;
        self.catch_up().await?;
        self.recognise().await?;
        let seq = self.commit_to_restore(from)?;
        let selection = Selection::of(&scope.names);
        let manifest = self.log.history().manifest_at(seq);
        let unknown = selection.check(manifest.keys().copied()).err();
        unknown.map_or(Ok(()), |unknown| Err(self.not_in_commit(unknown.0, seq)))?;
        let chosen: Vec<(RelPath, Entry)> = manifest
            .into_iter()
            .filter(|(path, _)| selection.matches(path))
            .map(|(path, entry)| (path.clone(), entry.clone()))
            .collect();
        match output {
            Some(output) => self.export_all(chosen, &output.0, FileAction::Restored, telling).await,
            None => self.bring_back(chosen, &selection, telling).await,
        }
    }

    fn commit_to_restore(&self, from: Option<u64>) -> EngineResult<u64> {
        let (head, history) = (self.log.head(), self.log.history());
        match from.unwrap_or(head) {
            seq if seq == 0 || seq > head => Err(EngineError::NotFound(format!(
                "there is no commit #{seq}: the head is #{head}"
            ))),
            seq if from.is_some() && history.is_void(seq) => {
                Err(EngineError::Usage(format!("commit #{seq} is void: it changed nothing")))
            }
            seq => Ok(seq),
        }
    }

    /// Names that other commits may know.
    fn not_in_commit(&self, names: Vec<String>, seq: u64) -> EngineError {
        let history = self.log.history();
        let past = history.past().iter().rev().map(|version| &version.path);
        let known: Vec<&RelPath> = past.chain(history.manifest().keys()).collect();
        let elsewhere = names.iter().find_map(|name| {
            let selection = Selection::of(&[name]);
            Some((name.clone(), known.iter().find(|path| selection.matches(path))?))
        });
        match elsewhere {
            Some((name, past)) => EngineError::NotInCommit { name, seq, past: (*past).clone() },
            None => EngineError::UnknownPaths(names),
        }
    }

    async fn bring_back(
        &mut self,
        chosen: Vec<(RelPath, Entry)>,
        selection: &Selection,
        telling: &mut Telling,
    ) -> EngineResult<()> {
        let (root, unsettled) = self.observe_disk().await?;
        if root == Root::Missing {
            return Err(TreeError::RootMissing.into());
        }
        let chosen = self.restorable(chosen, selection, &unsettled, telling);
        if telling.dry_run {
            let files = chosen.iter().map(|(path, _)| restored(path));
            telling.report.files.extend(files);
            return Ok(());
        }
        let mut progress = Progress {
            step: "restoring",
            total_files: chosen.len() as u64,
            total_bytes: chosen.iter().map(|(_, entry)| entry.size).sum(),
            ..Progress::default()
        };
        let (mut edits, mut bytes, kept) = (Vec::new(), 0, self.stash().await?);
        for (path, entry) in chosen {
            progress.done_files += 1;
            progress.done_bytes += entry.size;
            bytes += entry.size;
            edits.extend(self.edit_back(&path, &entry, &kept, telling).await?);
            if edits.len() >= BATCH || bytes >= BATCH_BYTES {
                self.land_restored(std::mem::take(&mut edits), telling).await?;
                bytes = 0;
            }
            telling.progress(progress.clone());
        }
        self.land_restored(edits, telling).await?;
        telling.report.files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(())
    }

    /// The files that differ here and may be written; others that were named are
    /// told of.
    fn restorable(
        &self,
        mut chosen: Vec<(RelPath, Entry)>,
        selection: &Selection,
        unsettled: &[RelPath],
        telling: &mut Telling,
    ) -> Vec<(RelPath, Entry)> {
        let standing: BTreeMap<Folded, &RelPath> =
            self.index.entries().keys().map(|path| (path.folded(), path)).collect();
        let unsettled: BTreeSet<&RelPath> = unsettled.iter().collect();
        chosen.retain(|(path, entry)| {
            let twin = standing.get(&path.folded()).filter(|standing| **standing != path);
            let covered = self.coverage.as_ref().is_some_and(|coverage| coverage.covers(path));
            let refused = match twin {
                _ if !covered && !selection.names(path) => return false,
                _ if !covered => format!("{path} is not mirrored here"),
                Some(twin) => format!("{twin} is here, whose name is too much like {path}"),
                None if unsettled.contains(path) || self.state.targets().contains_key(path) => {
                    format!("{path} is being written here; it stays as it is")
                }
                None => return !self.stands_here(path, entry.state()),
            };
            let path = path.as_str().to_owned();
            let class = FaultClass::Rejected;
            telling.report.failed.push(FileFault { path, class, message: refused, hint: None });
            false
        });
        chosen
    }

    /// Whether a file is this version, as far as the disk can hold it (B10).
    fn stands_here(&self, path: &RelPath, state: State) -> bool {
        let local = self.index.get(path).map(|indexed| indexed.state);
        let remote = Some(Sighted { state, seq: 0 });
        let traits = LocalTraits { exec: self.parts.tree.traits().exec };
        let facts = Facts { base: BaseFact::Absent, local, remote }.seen_through(traits);
        facts.local == Some(state)
    }

    /// One file's way back, once what stands there is safe. `None`: it is named
    /// why not.
    async fn edit_back(
        &mut self,
        path: &RelPath,
        entry: &Entry,
        kept: &[Stashed],
        telling: &mut Telling,
    ) -> EngineResult<Option<Edit>> {
        let content = match self.fetch_again(&Wanted::of(path, entry)).await {
            Ok(content) => content,
            Err(error @ EngineError::Storage(_)) => return Err(error),
            Err(error) => {
                telling.report.failed.push(fault(path, &error));
                return Ok(None);
            }
        };
        let local = self.index.get(path).map(|indexed| indexed.state);
        let has_room = self.make_room(path, local, kept, telling).await?;
        Ok(has_room.then(|| self.edit_over(path, local, entry.state(), content)))
    }

    /// Sees that the version which makes way is kept, unless the log has it;
    /// `false` when it is no longer the expected one.
    async fn make_room(
        &mut self,
        path: &RelPath,
        local: Option<State>,
        kept: &[Stashed],
        telling: &mut Telling,
    ) -> EngineResult<bool> {
        let history = self.log.history();
        let unknown = local.filter(|local| history.place(local.digest).is_none());
        let Some(local) = unknown else { return Ok(true) };
        let stashed = self.stash_beside(kept, path, local, "restore").await?;
        match stashed {
            Some(id) => self.tell_stashed(path, id, telling),
            None => telling.report.failed.push(changed_meanwhile(path)),
        }
        Ok(stashed.is_some())
    }

    fn edit_over(
        &self,
        path: &RelPath,
        local: Option<State>,
        state: State,
        content: Content,
    ) -> Edit {
        // The person chose this over what the head is.
        let placed =
            self.log.history().manifest().get(path).map(mirror_core::history::Placed::sighted);
        let base = placed.map(|Sighted { state, seq }| BaseRecord::Known { state, seq });
        let covered = self.coverage.as_ref().is_some_and(|coverage| coverage.covers(path));
        let (path, remote) = (path.clone(), Sighted { state, seq: self.log.head() });
        let fetch = Fetch { path, remote, expected_local: local, replaces: None };
        (fetch, content, base.filter(|_| covered))
    }

    async fn land_restored(&mut self, edits: Vec<Edit>, telling: &mut Telling) -> EngineResult<()> {
        if edits.is_empty() {
            return Ok(());
        }
        let known = telling.report.files.len();
        self.land_edits(edits, telling).await?;
        for file in &mut telling.report.files[known..] {
            file.action = FileAction::Restored;
        }
        Ok(())
    }

    pub(super) async fn restore_stash(
        &mut self,
        id: &str,
        telling: &mut Telling,
    ) -> EngineResult<()> {
        let (Stashed { path, sha256, kind, exec, .. }, content) = self.stashed(id).await?;
        if let Err(error) = self.settle_attempt(Some(&mut *telling)).await {
            tracing::info!(%error, "the stash needs no backend");
        } else if let Err(error) = self.catch_up().await {
            tracing::info!(%error, "the stash needs no backend");
        }
        if self.observe_disk().await?.0 == Root::Missing {
            return Err(TreeError::RootMissing.into());
        }
        let (tree, file) = (self.parts.tree.clone(), path.clone());
        let local = self.parts.outside.offload(move || state_at(tree.as_ref(), &file)).await?;
        let placed = self.log.history().manifest().get(&path);
        let stands = || local.map_or(placed.is_some_and(|p| p.entry.exec), |local| local.exec);
        let exec = exec.unwrap_or_else(stands);
        let state = State { kind: kind.unwrap_or(Kind::File), digest: sha256, exec };
        if local == Some(state) {
            return Ok(());
        }
        if telling.dry_run {
            telling.report.files.push(restored(&path));
            return Ok(());
        }
        let kept = self.stash().await?;
        if !self.make_room(&path, local, &kept, telling).await? {
            return Ok(());
        }
        let edit = self.edit_over(&path, local, state, content);
        self.land_restored(vec![edit], telling).await
    }

    /// A version of the stash, whole and verified.
    pub(super) async fn stashed(&self, typed: &str) -> EngineResult<(Stashed, Content)> {
        let id = self.stash_id(typed).await?;
        let (data, cache) = (self.parts.data.clone(), self.parts.cache.clone());
        let read = move || -> EngineResult<(Stashed, Content)> {
            let missing = || EngineError::NotStashed(id.to_string());
            let record = super::stash::record(data.as_ref(), id)?.ok_or_else(missing)?;
            let mut kept = data.open(&format!("stash/{id}"))?.ok_or_else(missing)?;
            let mut scratch = cache.scratch()?;
            std::io::copy(&mut kept.by_ref().take(record.size.saturating_add(1)), &mut scratch)?;
            let (found, _) = crate::outside::tree::digest_of(&mut scratch.reopen()?)?;
            if found != record.sha256 {
                let reason = "what the stash kept of it is damaged".to_owned();
                return Err(EngineError::ContentCorrupt { path: record.path, reason });
            }
            Ok((record, Content::Scratch(scratch)))
        };
        self.parts.outside.offload(read).await
    }
}

fn restored(path: &RelPath) -> FileReport {
    FileReport { path: path.clone(), action: FileAction::Restored, from: None }
}
