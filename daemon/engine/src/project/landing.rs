//! Bringing the head's versions into the working tree (B9), several at once.
//!
//! Each step is saved as a target before it begins and recorded when it is
//! done, so that a crash in between is settled by B3.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use mirror_core::plan::{Fetch, Removal};
use mirror_core::{Digest, Entry, RelPath, State};

use super::worker::{Telling, Worker};
use crate::api::{EngineResult, FileAction, FileFault, FileReport, Progress};
use crate::error::EngineError;
use crate::index::Indexed;
use crate::outside::tree::TEMP_PREFIX;
use crate::outside::{Disk, Expected, Put, Stamp, Taken, Tree, TreeError};
use crate::packs::{Content, Wanted};
use crate::state::{BaseRecord, Target};

/// Files whose targets are saved together.
const BATCH: usize = 256;

/// Bytes of one batch that may be held in memory.
const BATCH_BYTES: u64 = 64 << 20;

/// One local write, ready to be carried out off the async threads.
struct Landing {
    fetch: Fetch,
    target: Target,
    content: Content,
}

/// How a local step ended.
pub(super) enum Landed {
    Done(Stamp),
    /// Something else stood there and stands there still.
    Changed,
}

impl Worker {
    /// Removes and writes what a plan says, in its order.
    pub(super) async fn land(
        &mut self,
        deletions: Vec<Removal>,
        fetches: Vec<Fetch>,
        telling: &mut Telling,
    ) -> EngineResult<()> {
        self.remove_here(deletions, telling).await?;
        let total_files = fetches.len() as u64;
        let total_bytes = fetches.iter().map(|fetch| self.size_of(fetch)).sum();
        let mut progress =
            Progress { step: "fetching", total_files, total_bytes, ..Progress::default() };
        for batch in self.batches(fetches) {
            for fetch in &batch {
                progress.done_files += 1;
                progress.done_bytes += self.size_of(fetch);
            }
            self.write_here(batch, telling).await?;
            telling.progress(progress.clone());
        }
        self.fetcher.cache.trim().await;
        Ok(())
    }

    fn size_of(&self, fetch: &Fetch) -> u64 {
        self.log.history().manifest().get(&fetch.path).map_or(0, |placed| placed.entry.size)
    }

    fn batches(&self, fetches: Vec<Fetch>) -> Vec<Vec<Fetch>> {
        let (mut batches, mut bytes) = (vec![Vec::new()], 0);
        for fetch in fetches {
            let size = self.size_of(&fetch);
            let last: &mut Vec<Fetch> = batches.last_mut().expect("there is one at least");
            if last.len() == BATCH || (!last.is_empty() && bytes + size > BATCH_BYTES) {
                batches.push(Vec::new());
                bytes = 0;
            }
            bytes += size;
            batches.last_mut().expect("just pushed").push(fetch);
        }
        batches
    }

    async fn write_here(&mut self, fetches: Vec<Fetch>, telling: &mut Telling) -> EngineResult<()> {
        let contents = self.contents_for(&fetches, telling).await?;
        let mut landings = Vec::new();
        for (fetch, content) in contents {
            let target = self.target_for(&fetch);
            self.state.set_target(&fetch.path, Some(target.clone()));
            landings.push(Landing { fetch, target, content });
        }
        let outside = self.parts.outside.clone();
        self.save(true).await?;
        let step = |landing: Landing| {
            let (tree, data) = (self.parts.tree.clone(), self.parts.data.clone());
            let stash = format!("stash/{}", outside.ulid());
            let outside = outside.clone();
            async move {
                outside
                    .offload(move || {
                        let landed = carry_out(tree.as_ref(), data.as_ref(), &landing, &stash);
                        (landing.fetch, landing.target, landed)
                    })
                    .await
            }
            .boxed()
        };
        let steps: Vec<_> = landings.into_iter().map(step).collect();
        let width = self.parts.outside.spawner.width() * 4;
        let ended: Vec<_> = futures::stream::iter(steps).buffer_unordered(width).collect().await;
        for (fetch, target, landed) in ended {
            self.record_landing(&fetch, &target, landed, telling);
        }
        Ok(self.save(true).await?)
    }

    fn target_for(&self, fetch: &Fetch) -> Target {
        Target {
            temp_name: format!("{TEMP_PREFIX}{}", self.parts.outside.ulid()),
            expected: fetch.expected_local,
            state: Some(fetch.remote.state),
            seq: fetch.remote.seq,
        }
    }

    /// The contents to write; a path whose content can't be had is named and
    /// left out. What a pack lacks is looked up again at a fresh head before
    /// it counts as missing (P4, S4).
    async fn contents_for(
        &mut self,
        fetches: &[Fetch],
        telling: &mut Telling,
    ) -> EngineResult<Vec<(Fetch, Content)>> {
        let wanted: Vec<Wanted> =
            fetches.iter().filter_map(|fetch| self.wanted(&fetch.path)).collect();
        let small: HashMap<Digest, Bytes> =
            self.fetcher.fetch_small(&wanted, self.log.history()).await;
        let mut contents = Vec::new();
        for (fetch, wanted) in fetches.iter().zip(&wanted) {
            if let Some(bytes) = small.get(&wanted.digest) {
                contents.push((fetch.clone(), Content::Bytes(bytes.clone())));
                continue;
            }
            match self.fetch_again(wanted).await {
                Ok(content) => contents.push((fetch.clone(), content)),
                Err(error @ EngineError::Storage(_)) => return Err(error),
                Err(error) => telling.report.failed.push(fault(&fetch.path, &error)),
            }
        }
        Ok(contents)
    }

    async fn fetch_again(&mut self, wanted: &Wanted) -> EngineResult<Content> {
        match self.fetcher.fetch(wanted, self.log.history()).await {
            Err(EngineError::ContentMissing { .. } | EngineError::ContentCorrupt { .. }) => {
                self.catch_up().await?;
                self.fetcher.fetch(wanted, self.log.history()).await
            }
            fetched => fetched,
        }
    }

    pub(super) fn wanted(&self, path: &RelPath) -> Option<Wanted> {
        let Entry { sha256, size, chunks, .. } =
            self.log.history().manifest().get(path)?.entry.clone();
        Some(Wanted { path: path.clone(), digest: sha256, size, chunks })
    }

    fn record_landing(
        &mut self,
        fetch: &Fetch,
        target: &Target,
        landed: Result<Landed, TreeError>,
        telling: &mut Telling,
    ) {
        let path = &fetch.path;
        match landed {
            Ok(Landed::Done(stamp)) => {
                if let Some(replaced) = &fetch.replaces {
                    self.forget_file(&replaced.path);
                }
                self.note_written(path, stamp, fetch.remote.state, target.seq);
                let action = FileAction::Fetched;
                telling.report.files.push(FileReport { path: path.clone(), action, from: None });
            }
            Ok(Landed::Changed) => telling.report.failed.push(changed_meanwhile(path)),
            Err(error) => telling.report.failed.push(fault(path, &error.into())),
        }
        self.state.set_target(path, None);
    }

    /// The file at `path` was made equal to commit `seq` (B1).
    pub(super) fn note_written(&mut self, path: &RelPath, stamp: Stamp, state: State, seq: u64) {
        let indexed = Indexed { stamp, state, hashed_at: self.now() };
        self.index.note(path.clone(), Some(indexed));
        let base = BaseRecord::Known { state, seq, identity: Some(stamp.identity) };
        self.state.set_base(path, Some(base));
    }

    fn forget_file(&mut self, path: &RelPath) {
        self.index.note(path.clone(), None);
        self.state.set_base(path, None);
    }

    async fn remove_here(
        &mut self,
        deletions: Vec<Removal>,
        telling: &mut Telling,
    ) -> EngineResult<()> {
        if deletions.is_empty() {
            return Ok(());
        }
        let outside = self.parts.outside.clone();
        let mut steps = Vec::new();
        for removal in deletions {
            let target = Target {
                temp_name: format!("{TEMP_PREFIX}{}", outside.ulid()),
                expected: Some(removal.expected),
                state: None,
                seq: self.log.head(),
            };
            self.state.set_target(&removal.path, Some(target.clone()));
            steps.push((removal, target.temp_name));
        }
        self.save(true).await?;
        for (removal, temp_name) in steps {
            let (tree, data) = (self.parts.tree.clone(), self.parts.data.clone());
            let (path, expected) = (removal.path.clone(), removal.expected);
            let stash = format!("stash/{}", outside.ulid());
            let taken = outside
                .offload(move || {
                    tree.take(&path, expected, &temp_name, &mut stash_with(&data, stash))
                })
                .await;
            let path = &removal.path;
            match taken {
                Ok(Taken::Done) => {
                    self.forget_file(path);
                    self.count_deletions(1);
                    let action = FileAction::DeletedLocal;
                    telling.report.files.push(FileReport {
                        path: path.clone(),
                        action,
                        from: None,
                    });
                }
                Ok(Taken::Changed) => telling.report.failed.push(changed_meanwhile(path)),
                Err(error) => telling.report.failed.push(fault(path, &error.into())),
            }
            self.state.set_target(path, None);
        }
        Ok(self.save(true).await?)
    }
}

/// Stages, makes room where a twin is replaced, and puts the file in place.
fn carry_out(
    tree: &dyn Tree,
    data: &dyn Disk,
    landing: &Landing,
    stash: &str,
) -> Result<Landed, TreeError> {
    let Landing { fetch, target, content } = landing;
    let failed = |cause| TreeError::Failed { path: fetch.path.clone(), cause };
    let mut source = content.open().map_err(failed)?;
    let State { kind, exec, .. } = fetch.remote.state;
    let staged = tree.stage(&fetch.path, kind, exec, &target.temp_name, source.as_mut())?;
    let mut rescued = |reader: &mut dyn std::io::Read| data.write(stash, reader, true);
    if let Some(Removal { path, expected }) = &fetch.replaces {
        let second = format!("{}-2", target.temp_name);
        if tree.take(path, *expected, &second, &mut rescued)? == Taken::Changed {
            tree.remove_temp(&fetch.path, &target.temp_name)?;
            return Ok(Landed::Changed);
        }
    }
    let expected = fetch.expected_local.map_or(Expected::Absent, Expected::State);
    Ok(match tree.put(&staged, expected, &mut rescued)? {
        Put::Done(stamp) => Landed::Done(stamp),
        Put::Changed => Landed::Changed,
    })
}

/// Keeps a version that lost its place in the stash of the data folder.
pub(super) fn stash_with(
    data: &Arc<dyn Disk>,
    name: String,
) -> impl FnMut(&mut dyn std::io::Read) -> std::io::Result<()> + use<> {
    let data = data.clone();
    move |reader| data.write(&name, reader, true)
}

/// One file's failure, for the report.
pub(super) fn fault(path: &RelPath, error: &EngineError) -> FileFault {
    FileFault {
        path: path.as_str().to_owned(),
        class: error.class(),
        message: with_causes(error),
        hint: error.hint(),
    }
}

fn changed_meanwhile(path: &RelPath) -> FileFault {
    FileFault {
        path: path.as_str().to_owned(),
        class: mirror_storage::FaultClass::Transient,
        message: format!("{path} changed here while it was pulled; it stays as it is here"),
        hint: Some("run it again to look at both versions".to_owned()),
    }
}

/// An error with its causes in one line.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
