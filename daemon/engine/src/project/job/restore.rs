//! `restore`: earlier versions of the log back into the working tree.
//!
//! What is restored is an edit made on top of the head: a push publishes it.
//! A version that makes way for it and isn't in the log goes to the stash.

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::path::Folded;
use mirror_core::plan::{Root, Selection};
use mirror_core::reconcile::{BaseFact, Facts, LocalTraits, Privacy, Sighted};
use mirror_core::{Entry, RelPath, State};
use mirror_storage::FaultClass;

use super::unstash::{Version, report_of_restore};
use crate::api::{EngineResult, FileAction, FileFault, OutputTree, Progress, Scope};
use crate::data::stash::StashedCopies;
use crate::outside::TreeError;
use crate::packs::Wanted;
use crate::project::checkout::Edit;
use crate::project::worker::Worker;
use crate::project::worker::faults::fault;
use crate::project::worker::outcome::FileOutcome;
use crate::project::worker::reporter::Reporter;
use crate::snapshots::Snapshot;
use crate::state::BaseRecord;

/// Files that are written together.
const BATCH: usize = 64;

/// Bytes of one batch that may be held in memory.
const BATCH_BYTES: u64 = 64 << 20;

impl Worker {
    pub(crate) async fn restore(
        &mut self,
        scope: &Scope,
        from: Option<u64>,
        output: Option<&OutputTree>,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        // Who is stopped goes by what was read before.
        if self.refuse_when_stopped().is_ok() {
            self.recover_attempt(Some(&mut *reporter)).await?;
            self.catch_up().await?;
            self.recognise().await?;
        }
        let snapshot = Snapshot::of(self.log.history(), from, &self.fetcher)?;
        let selection = self.selection_of(&scope.names).await;
        let files = snapshot.files();
        let unknown = selection.check(files.keys().copied()).err();
        unknown.map_or(Ok(()), |unknown| Err(self.not_in_commit(unknown.0, snapshot.seq())))?;
        let chosen: Vec<(RelPath, Entry)> = files
            .into_iter()
            .filter(|(path, _)| selection.matches(path))
            .map(|(path, entry)| (path.clone(), entry.clone()))
            .collect();
        match output {
            Some(output) => {
                self.export_all(chosen, &output.0, FileAction::Restored, reporter).await
            }
            None => self.bring_back(chosen, &selection, reporter).await,
        }
    }

    async fn bring_back(
        &mut self,
        chosen: Vec<(RelPath, Entry)>,
        selection: &Selection,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let (root, unsettled) = self.observe_disk().await?;
        if root == Root::Missing {
            return Err(TreeError::RootMissing.into());
        }
        let chosen = self.restorable(chosen, selection, &unsettled, reporter);
        let chosen = self.without_held(chosen, selection, reporter);
        if reporter.dry_run {
            let files = chosen.iter().map(|(path, _)| report_of_restore(path));
            reporter.add_files(files.map(FileOutcome::Done));
            return Ok(());
        }
        let mut progress = Progress {
            step: "write",
            total_files: chosen.len() as u64,
            total_bytes: chosen.iter().map(|(_, entry)| entry.size).sum(),
            ..Progress::default()
        };
        let (mut edits, mut bytes, kept) = (Vec::new(), 0, self.kept().await?);
        for (path, entry) in chosen {
            self.refuse_when_cancelled()?;
            progress.done_files += 1;
            progress.done_bytes += entry.size;
            bytes += entry.size;
            edits.extend(self.edit_back(&path, &entry, &kept, reporter).await?);
            if edits.len() >= BATCH || bytes >= BATCH_BYTES {
                self.land_restored(std::mem::take(&mut edits), reporter).await?;
                bytes = 0;
            }
            reporter.progress(&progress);
        }
        self.land_restored(edits, reporter).await?;
        Ok(())
    }

    /// The files that differ here and may be written; others that were named are
    /// told of.
    fn restorable(
        &self,
        mut chosen: Vec<(RelPath, Entry)>,
        selection: &Selection,
        unsettled: &[RelPath],
        reporter: &mut Reporter,
    ) -> Vec<(RelPath, Entry)> {
        let standing: BTreeMap<Folded, &RelPath> =
            self.index.entries().keys().map(|path| (path.folded(), path)).collect();
        let unsettled: BTreeSet<&RelPath> = unsettled.iter().collect();
        chosen.retain(|(path, entry)| {
            let twin = standing.get(&path.folded()).filter(|standing| **standing != path);
            let covered = self.coverage.as_ref().is_some_and(|coverage| coverage.covers(path));
            let refused = match twin {
                _ if !covered && !selection.names(path) => return false,
                _ if !covered => match self.why_left_out(path.as_str()) {
                    Some(why) => format!("{path} is not mirrored here: {why}"),
                    None => format!("{path} is not mirrored here"),
                },
                Some(twin) => format!("{twin} is here, whose name is too much like {path}"),
                None if unsettled.contains(path) || self.state.targets().contains_key(path) => {
                    format!("{path} is being written here; it stays as it is")
                }
                None => return !self.stands_here(path, entry.state()),
            };
            let path = path.as_str().to_owned();
            let class = FaultClass::Rejected;
            reporter.fault(FileFault { path, class, message: refused, hint: None });
            false
        });
        chosen
    }

    /// What an agent may run and nobody here has agreed to comes by name alone (B16).
    fn without_held(
        &self,
        mut chosen: Vec<(RelPath, Entry)>,
        selection: &Selection,
        reporter: &mut Reporter,
    ) -> Vec<(RelPath, Entry)> {
        let is_held = |path: &RelPath, entry: &Entry| {
            let is_base = |base: &BaseRecord| match base {
                BaseRecord::Known { state, .. } => {
                    (state.kind, state.digest) == (entry.kind, entry.sha256)
                }
                BaseRecord::Unknown => false,
            };
            !selection.names(path)
                && self.is_to_be_held(path, entry.state())
                && !self.state.bases().get(path).is_some_and(is_base)
        };
        let held = chosen.extract_if(.., |(path, entry)| is_held(path, entry));
        reporter.set_held(held.map(|(path, _)| path).collect());
        chosen
    }

    /// Whether a file is this version, as far as the disk can hold it (B10).
    fn stands_here(&self, path: &RelPath, state: State) -> bool {
        let local = self.index.get(path).map(|indexed| indexed.state);
        let remote = Some(Sighted { state, seq: 0 });
        let traits = LocalTraits { exec: self.parts.tree.traits().exec };
        let facts = Facts { base: BaseFact::Absent, local, remote, privacy: Privacy::default() }
            .seen_through(traits);
        facts.local == Some(state)
    }

    /// One file's way back, once what stands there is safe. `None`: it is named
    /// why not.
    async fn edit_back(
        &mut self,
        path: &RelPath,
        entry: &Entry,
        kept: &StashedCopies,
        reporter: &mut Reporter,
    ) -> EngineResult<Option<Edit>> {
        let content = match self.fetch_at_newest_head(&Wanted::of(path, entry)).await {
            Ok(content) => content,
            Err(error) if error.ends_the_job() => return Err(error),
            Err(error) => {
                reporter.fault(fault(path, &error));
                return Ok(None);
            }
        };
        let local = self.index.get(path).map(|indexed| indexed.state);
        let has_room = self.make_room(path, local, kept, reporter).await?;
        let version = Version { state: entry.state(), content, private: entry.private };
        Ok(has_room.then(|| self.edit_over(path, local, version)))
    }
}
