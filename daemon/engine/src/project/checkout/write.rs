//! Bringing the head's versions into the working tree (B9), several at once.
//!
//! Each step is saved as a target before it begins and recorded when it is
//! done, so that a crash in between is settled by B3.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use mirror_core::patterns::Coverage;
use mirror_core::plan::{Fetch, Removal};
use mirror_core::{Digest, Kind, RelPath, State, Timestamp};

use super::Edit;
use super::faults::told_of_stash;
use super::reached::Reached;
use crate::api::{EngineResult, FileAction, Notice, NoticeKind, Progress};
use crate::data::stash::Stash;
use crate::error::EngineError;
use crate::index::Indexed;
use crate::outside::tree::TEMP_PREFIX;
use crate::outside::{Expected, Interrupt, Manner, Put, Stamp, Taken, Tree, TreeError};
use crate::packs::{Content, Wanted};
use crate::planted::Rule;
use crate::project::worker::Worker;
use crate::project::worker::faults::{changed_meanwhile, fault};
use crate::project::worker::outcome::{FileOutcome, Outcomes};
use crate::project::worker::reporter::Reporter;
use crate::state::{BaseAfter, Target};
use crate::{links, planted};

/// Files whose targets are saved together.
const BATCH: usize = 256;

/// Bytes of one batch that may be held in memory.
const BATCH_BYTES: u64 = 64 << 20;

/// One local write, ready to be carried out off the async threads.
struct Landing {
    fetch: Fetch,
    target: Target,
    /// The step's own second half, where a twin makes room.
    replaced: Option<Target>,
    content: Content,
    manner: Manner,
    coverage: Option<Arc<Coverage>>,
    stash: Stash,
    reached: Reached,
}

/// How a local step ended.
pub(crate) enum Landed {
    Done(Stamp),
    /// Something else stood there and stands there still.
    Changed,
    /// The job was cancelled before anything was put in place.
    Skipped,
}

impl Worker {
    /// Removes and writes what a plan says, in its order. What becomes of each file
    /// is the answer; `reporter` hears of the progress alone.
    pub(crate) async fn land(
        &mut self,
        deletions: Vec<Removal>,
        fetches: Vec<Fetch>,
        reporter: &Reporter,
    ) -> Outcomes {
        let mut files = Vec::new();
        let ended = self.land_in_order(deletions, fetches, &mut files, reporter).await;
        Outcomes { files, ended }
    }

    async fn land_in_order(
        &mut self,
        deletions: Vec<Removal>,
        fetches: Vec<Fetch>,
        files: &mut Vec<FileOutcome>,
        reporter: &Reporter,
    ) -> EngineResult<()> {
        self.remove_here(deletions, files).await?;
        let total_files = fetches.len() as u64;
        let total_bytes = fetches.iter().map(|fetch| self.size_of(fetch)).sum();
        let mut progress =
            Progress { step: "download", total_files, total_bytes, ..Progress::default() };
        for batch in self.batches(fetches) {
            for fetch in &batch {
                progress.done_files += 1;
                progress.done_bytes += self.size_of(fetch);
            }
            self.refuse_when_cancelled()?;
            self.write_here(batch, files).await?;
            reporter.progress(&progress);
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

    async fn write_here(
        &mut self,
        fetches: Vec<Fetch>,
        files: &mut Vec<FileOutcome>,
    ) -> EngineResult<()> {
        let contents = self.contents_for(&fetches, files).await?;
        let mut landings = Vec::new();
        for (fetch, content) in contents {
            let target = self.target_for(&fetch);
            if planted::stands(Rule::B3Target) {
                self.state.set_target(&fetch.path, Some(target.clone()));
            }
            let replaced = fetch.replaces.as_ref().map(|removal| self.begin_removal(removal));
            let manner = self.manner_at_head(&fetch);
            landings.push(Landing { replaced, ..self.landing(fetch, target, content, manner) });
        }
        self.carry_out_all(landings, files).await
    }

    /// Writes versions that are none of the head's, with their targets saved
    /// together.
    pub(crate) async fn land_edits(&mut self, edits: Vec<Edit>) -> Outcomes {
        let mut landings = Vec::new();
        for Edit { fetch, content, base, private } in edits {
            let target = Target { base: BaseAfter::Under(base), ..self.target_for(&fetch) };
            self.state.set_target(&fetch.path, Some(target.clone()));
            let manner = self.manner_at_head(&fetch);
            let manner = Manner { modified: None, private: private || manner.private, ..manner };
            landings.push(self.landing(fetch, target, content, manner));
        }
        let mut files = Vec::new();
        let ended = self.carry_out_all(landings, &mut files).await;
        Outcomes { files, ended }
    }

    fn landing(&self, fetch: Fetch, target: Target, content: Content, manner: Manner) -> Landing {
        let (coverage, stash) = (self.coverage.clone(), Stash::of(&fetch.path, &self.parts));
        let (replaced, reached) = (None, Reached::default());
        Landing { fetch, target, replaced, content, manner, coverage, stash, reached }
    }

    async fn carry_out_all(
        &mut self,
        landings: Vec<Landing>,
        files: &mut Vec<FileOutcome>,
    ) -> EngineResult<()> {
        let outside = self.parts.outside.clone();
        self.save(true).await?;
        // Taken before the first file is written: a later write is then within
        // the time in which its entry counts as racy (B10).
        let begun = self.now();
        let step = |mut landing: Landing| {
            let (tree, outside) = (self.parts.tree.clone(), outside.clone());
            async move {
                outside
                    .clone()
                    .offload(move || {
                        let landed = carry_out(tree.as_ref(), &mut landing, &outside.interrupt);
                        if landed.is_err() {
                            let Landing { fetch, target, reached, .. } = &mut landing;
                            *reached = reached.undone(tree.as_ref(), &fetch.path, target);
                        }
                        (landing, landed)
                    })
                    .await
            }
            .boxed()
        };
        let steps: Vec<_> = landings.into_iter().map(step).collect();
        let width = self.parts.outside.spawner.width() * 4;
        let ended: Vec<_> = futures::stream::iter(steps).buffer_unordered(width).collect().await;
        for (landing, landed) in ended {
            self.record_landing(&landing, landed, begun, files);
        }
        self.save(true).await?;
        self.refuse_when_cancelled()
    }

    fn target_for(&self, fetch: &Fetch) -> Target {
        Target {
            temp_name: format!("{TEMP_PREFIX}{}", self.parts.outside.ulid()),
            expected: fetch.expected_local,
            state: Some(fetch.remote.state),
            seq: fetch.remote.seq,
            base: BaseAfter::Written,
        }
    }

    /// How the file is to be made (B14). What stands in the commit is of the
    /// version that it brings.
    fn manner_at_head(&self, fetch: &Fetch) -> Manner {
        let State { kind, exec, digest } = fetch.remote.state;
        let entry = self.log.history().manifest().get(&fetch.path).map(|placed| &placed.entry);
        let of_version = entry.filter(|entry| entry.sha256 == digest);
        Manner {
            kind,
            exec,
            private: entry.is_some_and(|entry| entry.private),
            modified: of_version.and_then(|entry| entry.mtime),
        }
    }

    /// The contents to write; a path whose content can't be had is named and
    /// left out. What a pack lacks is looked up again at a fresh head before
    /// it counts as missing (P4, S4).
    async fn contents_for(
        &mut self,
        fetches: &[Fetch],
        files: &mut Vec<FileOutcome>,
    ) -> EngineResult<Vec<(Fetch, Content)>> {
        let mut planned = Vec::new();
        for fetch in fetches {
            match self.wanted_at_head(&fetch.path) {
                Some(wanted) if wanted.digest == fetch.remote.state.digest => {
                    planned.push((fetch, wanted));
                }
                // No longer what was planned on.
                _ => return Err(EngineError::Stale),
            }
        }
        let wanted: Vec<Wanted> = planned.iter().map(|(_, wanted)| wanted.clone()).collect();
        let small: HashMap<Digest, Bytes> =
            self.fetcher.fetch_small(&wanted, self.log.history()).await;
        let mut contents = Vec::new();
        for (fetch, wanted) in &planned {
            let fetch: &Fetch = fetch;
            if let Some(bytes) = small.get(&wanted.digest) {
                contents.push((fetch.clone(), Content::Bytes(bytes.clone())));
                continue;
            }
            self.refuse_when_cancelled()?;
            match self.fetch(wanted).await {
                Ok(content) => contents.push((fetch.clone(), content)),
                Err(error) if error.ends_the_job() => return Err(error),
                Err(error) => files.push(FileOutcome::Failed(fault(&fetch.path, &error))),
            }
        }
        Ok(contents)
    }

    fn record_landing(
        &mut self,
        landing: &Landing,
        landed: Result<Landed, TreeError>,
        begun: Timestamp,
        files: &mut Vec<FileOutcome>,
    ) {
        let Landing { fetch, target, manner, stash, .. } = landing;
        let path = &fetch.path;
        files.extend(told_of_stash(path, stash, self.now()));
        match landed {
            Ok(Landed::Done(stamp)) => {
                if let Some(replaced) = &fetch.replaces {
                    self.forget_file(&replaced.path);
                }
                let state = fetch.remote.state;
                let written = Indexed { stamp, state, hashed_at: begun };
                self.note_written(path, written, (target, manner.private));
                files.push(FileOutcome::done(path, FileAction::Fetched));
            }
            Ok(Landed::Changed) => files.push(FileOutcome::Failed(changed_meanwhile(path))),
            Ok(Landed::Skipped) => {}
            Err(TreeError::LinkRefused(_)) => {
                files.extend(self.leave_out_link(path, target.seq));
                return;
            }
            Err(error) => {
                files.push(FileOutcome::Failed(fault(path, &error.into())));
                // A version may stand under a temporary name: the targets stay.
                if landing.reached != Reached::Nothing {
                    return;
                }
            }
        }
        if let Some(replaced) = &fetch.replaces {
            self.state.set_target(&replaced.path, None);
        }
        self.state.set_target(path, None);
    }

    /// A link that may not stand here is no failure of each job: it is said once,
    /// and `status` lists it.
    fn leave_out_link(&mut self, path: &RelPath, seq: u64) -> Option<FileOutcome> {
        if self.state.refused().get(path) == Some(&seq) {
            return None;
        }
        self.state.set_refused(path, seq);
        let message = format!(
            "{path} is a link that leads out of the project, or to what isn't mirrored here; it is \
             left out on this machine"
        );
        let kind = NoticeKind::LinkLeftOut;
        let path = Some(path.clone());
        let notice = Notice { kind, path, message, time: self.now(), stash: None };
        Some(FileOutcome::Told(notice))
    }

    /// The file at `path` is as `target` wanted it (B1).
    fn note_written(
        &mut self,
        path: &RelPath,
        written: Indexed,
        (target, is_to_be_private): (&Target, bool),
    ) {
        // A change here of who may read the file is still to be sent, unless what
        // was pulled is private, too. Where an edit brought it, it is a change.
        let before = self.index.get(path).map(|indexed| indexed.stamp.private);
        let agreed = self.state.private().contains(path);
        let is_change = is_to_be_private && !self.is_private_by(path, target);
        let is_to_be_sent = before.is_some_and(|before| before != agreed);
        let is_narrowed = before == Some(false) && written.stamp.private;
        self.index.note(path.clone(), Some(written));
        self.state.set_base(path, target.base_after());
        if is_change {
            self.state.set_private(path, false);
        } else if !is_to_be_sent || is_narrowed {
            self.agree_on_privacy(path);
        }
    }
}

/// Stages, makes room where a twin is replaced, and puts the file in place.
/// Nothing has happened yet where the job was cancelled before.
fn carry_out(
    tree: &dyn Tree,
    landing: &mut Landing,
    interrupt: &Interrupt,
) -> Result<Landed, TreeError> {
    if interrupt.is_cancelled() {
        return Ok(Landed::Skipped);
    }
    refuse_ignored_link(tree, landing)?;
    let Landing { fetch, target, replaced, content, manner, stash, reached, .. } = landing;
    let failed = |cause| TreeError::Failed { path: fetch.path.clone(), cause };
    let mut source = content.open().map_err(failed)?;
    let mut source = interrupt.guard(source.as_mut());
    let staged = match tree.stage(&fetch.path, *manner, &target.temp_name, &mut source) {
        Err(_) if interrupt.is_cancelled() => {
            tree.remove_temp(&fetch.path, &target.temp_name)?;
            return Ok(Landed::Skipped);
        }
        staged => staged?,
    };
    *reached = if replaced.is_some() { Reached::Moving } else { Reached::Staged };
    let mut rescued = |reader: &mut dyn Read| stash.keep(reader);
    if let (Some(Removal { path, expected }), Some(second)) = (&fetch.replaces, replaced)
        && tree.take(path, *expected, &second.temp_name, &mut rescued)? == Taken::Changed
    {
        tree.remove_temp(&fetch.path, &target.temp_name)?;
        tree.flush(&fetch.path)?;
        return Ok(Landed::Changed);
    }
    let expected = fetch.expected_local.map_or(Expected::Absent, Expected::State);
    Ok(match tree.put(&staged, expected, &mut rescued)? {
        Put::Done(stamp) => Landed::Done(stamp),
        Put::Changed => Landed::Changed,
    })
}

/// Keeps B9 where the tree can't: only the engine knows what is ignored.
fn refuse_ignored_link(tree: &dyn Tree, landing: &Landing) -> Result<(), TreeError> {
    let Landing { fetch, content, coverage, .. } = landing;
    let Some(coverage) = coverage.as_ref().filter(|_| fetch.remote.state.kind == Kind::Link) else {
        return Ok(());
    };
    let mut target = Vec::new();
    let failed = |cause| TreeError::Failed { path: fetch.path.clone(), cause };
    let longest = links::MAX_TARGET_BYTES as u64 + 1;
    let source = content.open().map_err(failed)?;
    source.take(longest).read_to_end(&mut target).map_err(failed)?;
    let link_at = |place: &RelPath| Ok::<_, TreeError>(tree.link_at(place).unwrap_or_default());
    match links::follow(&fetch.path, &target, link_at)? {
        Some(way) if !links::is_ignored(&way, coverage) => Ok(()),
        _ => Err(TreeError::LinkRefused(fetch.path.clone())),
    }
}
