//! Bringing the view up to what this machine has committed (V1).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::{FutureExt, StreamExt};
use mirror_core::{Digest, Entry, Kind, RelPath};
use mirror_storage::{Body, FaultClass};

use super::landing::fault;
use super::worker::{Telling, Worker};
use crate::api::{EngineResult, FileFault, NoticeKind, Progress, QueuedKind, QueuedWork};
use crate::error::EngineError;
use crate::outside::tree::digest_of;
use crate::packs::Content;
use crate::state::Seen;
use crate::view::{Projected, Projection};

/// The first wait before a view is tried again; each further one is twice as
/// long.
const FIRST_WAIT_MS: i64 = 5_000;
const LONGEST_WAIT_MS: i64 = 600_000;

/// How often a pass is repeated because the head moved meanwhile.
const PASSES: usize = 8;

impl Worker {
    /// The last step of a push: waits for the view unless that is not wanted.
    pub(super) async fn finish_view(
        &mut self,
        no_wait: bool,
        telling: &mut Telling,
    ) -> EngineResult<()> {
        if telling.dry_run {
            return Ok(());
        }
        if !no_wait {
            self.show_unprojected(&mut Some(&mut *telling)).await?;
        }
        telling.report.view_pending = !self.state.unprojected().is_empty();
        Ok(())
    }

    /// Writes what the view lacks of this machine's commits. What can't be
    /// written now stays noted and is tried again by the daemon's round.
    pub(super) async fn show_unprojected(
        &mut self,
        telling: &mut Option<&mut Telling>,
    ) -> EngineResult<()> {
        for _ in 0..PASSES {
            if self.state.unprojected().is_empty() {
                break;
            }
            let head = self.log.head();
            let shown = self.projections();
            if let Some(error) = self.pass(&shown, telling).await {
                self.queue_view(error);
                break;
            }
            self.queued_view = None;
            // Written from the head's manifest only: look whether it moved.
            if let Err(error) = self.catch_up().await {
                tracing::debug!(%error, "the head could not be read after the view was written");
                break;
            }
            if self.log.head() == head {
                break;
            }
            self.show_again_what_moved(shown);
        }
        Ok(self.save(false).await?)
    }

    /// Notes the paths that other machines changed while they were shown: what
    /// was written may stand where their version stood.
    fn show_again_what_moved(&mut self, shown: Vec<Projection>) {
        let manifest = self.log.history().manifest();
        let placed = |path: &RelPath| manifest.get(path).map(|placed| &placed.entry);
        let moved: Vec<RelPath> = shown
            .into_iter()
            .filter(|shown| {
                placed(&shown.path).filter(|e| e.kind == Kind::File) != shown.desired.as_ref()
            })
            .map(|shown| shown.path)
            .collect();
        self.add_unprojected(moved.into_iter());
    }

    /// One pass over what is to be shown; the first failure, if any. Removals
    /// come first: a file makes room for a folder, and a folder for a file.
    async fn pass(
        &mut self,
        projections: &[Projection],
        telling: &mut Option<&mut Telling>,
    ) -> Option<FileFault> {
        let total = projections.len() as u64;
        let parallel = self.parts.backend.capabilities().parallel.max(1);
        let (removals, writes): (Vec<_>, Vec<_>) =
            projections.iter().partition(|projection| projection.desired.is_none());
        let mut ended = Vec::new();
        let away = AtomicBool::new(false);
        for group in [removals, writes] {
            let worker = &*self;
            let step = |projection| worker.show_unless(&away, projection).boxed();
            let steps: Vec<_> = group.into_iter().map(step).collect();
            let mut steps = futures::stream::iter(steps).buffer_unordered(parallel);
            while let Some(projected) = steps.next().await {
                ended.extend(projected);
                if let Some(telling) = telling.as_deref() {
                    let done_files = ended.len() as u64;
                    let step = "writing the view";
                    telling.progress(Progress {
                        step,
                        done_files,
                        total_files: total,
                        ..Progress::default()
                    });
                }
            }
        }
        let mut left = self.state.unprojected().clone();
        let mut failure = None;
        for projected in ended {
            match projected {
                Ok(projected) => self.record_shown(projected, &mut left, &mut failure, telling),
                Err((path, error)) => drop(failure.get_or_insert(fault(&path, &error))),
            }
        }
        self.state.set_unprojected(left);
        failure
    }

    fn record_shown(
        &mut self,
        projected: Projected,
        left: &mut BTreeSet<RelPath>,
        failure: &mut Option<FileFault>,
        telling: &mut Option<&mut Telling>,
    ) {
        let now = self.now();
        let mut notice = |path: &RelPath, message: String| match telling {
            Some(telling) => telling.notice(NoticeKind::ViewUnsettled, Some(path), message, now),
            None => tracing::warn!(%path, message),
        };
        match projected {
            Projected::Shown { path, seen, aside } => {
                if let Some(aside) = aside {
                    notice(
                        &path,
                        format!(
                            "{path} on the backend had been changed by something else; that version is kept in {aside}"
                        ),
                    );
                }
                self.state.set_seen(&path, seen);
                left.remove(&path);
            }
            Projected::Foreign(path) => {
                notice(
                    &path,
                    format!(
                        "{path} on the backend holds something that the log has never seen; it was left as it is"
                    ),
                );
                left.remove(&path);
            }
            Projected::Failed { path, error } => {
                failure.get_or_insert(fault(&path, &error.into()));
            }
        }
    }

    fn projections(&self) -> Vec<Projection> {
        let paths = self.state.unprojected();
        let history = self.log.history();
        let mut known: BTreeMap<&RelPath, Vec<Digest>> = BTreeMap::new();
        for version in history.past().iter().filter(|version| paths.contains(&version.path)) {
            known.entry(&version.path).or_default().push(version.entry.sha256);
        }
        let project = |path: &RelPath| {
            let placed = history.manifest().get(path);
            Projection {
                path: path.clone(),
                // A service has no links: the view shows files only.
                desired: placed
                    .map(|placed| &placed.entry)
                    .filter(|e| e.kind == Kind::File)
                    .cloned(),
                seq: placed.map_or(history.head(), |placed| placed.seq),
                known: known.get(path).cloned().unwrap_or_default(),
            }
        };
        paths.iter().map(project).collect()
    }

    /// Once the backend turns out to be away, the rest is not even tried: each
    /// file would wait for it anew.
    async fn show_unless(
        &self,
        away: &AtomicBool,
        projection: &Projection,
    ) -> Option<Result<Projected, (RelPath, EngineError)>> {
        if away.load(Ordering::Relaxed) {
            return None;
        }
        let shown = self.show(projection).await;
        let class = match &shown {
            Ok(Projected::Failed { error, .. }) => Some(error.class()),
            Ok(Projected::Shown { .. } | Projected::Foreign(_)) => None,
            Err((_, error)) => Some(error.class()),
        };
        if matches!(class, Some(FaultClass::Transient | FaultClass::Auth | FaultClass::Quota)) {
            away.store(true, Ordering::Relaxed);
        }
        Some(shown)
    }

    async fn show(&self, projection: &Projection) -> Result<Projected, (RelPath, EngineError)> {
        let seen: Option<&Seen> = self.state.seen(&projection.path);
        let failed = |error| (projection.path.clone(), error);
        let body = match &projection.desired {
            Some(entry) => Some(self.body_for(&projection.path, entry).await.map_err(failed)?),
            None => None,
        };
        Ok(self.view.project(projection, seen, body).await)
    }

    /// The content to show: the working tree's file while it still is that
    /// version, else what the packs hold.
    async fn body_for(&self, path: &RelPath, entry: &Entry) -> EngineResult<Body> {
        let content = match self.local_content(path, entry).await {
            Some(content) => content,
            None => {
                let wanted =
                    self.wanted(path).ok_or(EngineError::ContentMissing { path: path.clone() })?;
                self.fetcher.fetch(&wanted, self.log.history()).await?
            }
        };
        match content {
            Content::Bytes(bytes) => Ok(bytes.into()),
            Content::Scratch(scratch) => {
                Ok(crate::packs::body_of(scratch, entry.size, &self.parts.outside).await?)
            }
        }
    }

    /// The content of a local file, if it has the digest that is asked for.
    pub(super) async fn local_content(&self, path: &RelPath, entry: &Entry) -> Option<Content> {
        let indexed = self.index.get(path).map(|indexed| indexed.state.digest);
        if indexed != Some(entry.sha256) {
            return None;
        }
        let (tree, disk) = (self.parts.tree.clone(), self.parts.cache.clone());
        let (path, digest, size) = (path.clone(), entry.sha256, entry.size);
        self.parts
            .outside
            .offload(move || {
                let (_, mut reader) = tree.open(&path).ok()??;
                if size <= crate::packs::SMALL_BYTES {
                    let mut bytes = Vec::new();
                    reader.take(size + 1).read_to_end(&mut bytes).ok()?;
                    return (Digest::of(&bytes) == digest).then(|| Content::Bytes(bytes.into()));
                }
                let mut scratch = disk.scratch().ok()?;
                std::io::copy(&mut reader, &mut scratch).ok()?;
                let (found, _) = digest_of(&mut scratch.reopen().ok()?).ok()?;
                (found == digest).then_some(Content::Scratch(scratch))
            })
            .await
    }

    fn queue_view(&mut self, fault: FileFault) {
        let now = self.now();
        let before = self.queued_view.take();
        let attempts = before.as_ref().map_or(0, |queued| queued.attempts) + 1;
        let longest = FIRST_WAIT_MS.saturating_mul(1 << attempts.min(16)).min(LONGEST_WAIT_MS);
        // Full jitter: machines that failed together don't come back together.
        let spread = i64::try_from(self.parts.outside.entropy.bits() % 1_000).unwrap_or(0);
        let next_at = mirror_core::Timestamp(now.milliseconds() + longest * spread / 1_000);
        tracing::info!(
            path = fault.path,
            message = fault.message,
            "the view waits for another try"
        );
        self.queued_view = Some(QueuedWork {
            kind: QueuedKind::View,
            since: before.map_or(now, |queued| queued.since),
            attempts,
            next_at,
            fault,
        });
    }
}
