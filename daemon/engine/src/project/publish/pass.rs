//! One pass over the view: brings it up to what this machine has committed (V1).

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::{FutureExt, StreamExt};
use mirror_core::{Entry, Kind, RelPath};
use mirror_storage::{Body, FaultClass};

use crate::api::{EngineResult, FileFault, Progress, QueuedKind};
use crate::error::EngineError;
use crate::packs::{Content, Meter};
use crate::project::worker::Worker;
use crate::project::worker::faults::fault;
use crate::project::worker::reporter::Reporter;
use crate::state::AsideRecord;
use crate::view::{Found, Outcome, Projected, Projection};

/// How often a pass is repeated because the head moved, or because of what it
/// found.
const PASSES: usize = 8;

/// What one pass over the view came to.
#[derive(Default)]
struct Passed {
    /// The first failure, if any.
    failure: Option<FileFault>,
    /// What may be news to the log.
    found: Vec<Found>,
}

impl Worker {
    /// The last step of a push: waits for the view unless that is not wanted.
    pub(crate) async fn finish_view(
        &mut self,
        no_wait: bool,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        if reporter.dry_run {
            return Ok(());
        }
        if !no_wait {
            self.show_unprojected(reporter).await?;
        }
        if !self.state.unprojected().is_empty() {
            reporter.view_pending();
            self.refuse_when_cancelled()?;
            self.name_what_waits(no_wait, reporter);
        }
        Ok(())
    }

    /// Says why the view waits, unless that is likely to pass by itself.
    fn name_what_waits(&self, no_wait: bool, reporter: &mut Reporter) {
        let fault = self.queued_view.as_ref().map(|queued| &queued.fault).filter(|_| !no_wait);
        if let Some(fault) = fault.filter(|fault| fault.class != FaultClass::Transient) {
            reporter.fault(fault.clone());
        }
    }

    /// Writes what the view lacks of this machine's commits, and takes in what
    /// people wrote there meanwhile. What can't be written now stays noted and
    /// is tried again by the daemon's round.
    pub(crate) async fn show_unprojected(&mut self, reporter: &mut Reporter) -> EngineResult<()> {
        for _ in 0..PASSES {
            if self.state.unprojected().is_empty() {
                break;
            }
            let head = self.log.head();
            if let Err(error) = self.show_once(reporter).await {
                tracing::debug!(%error, "the view waits for another try");
                break;
            }
            // Written from the head's manifest only: look whether it moved.
            if let Err(error) = self.catch_up().await {
                tracing::debug!(%error, "the head could not be read after the view was written");
                break;
            }
            if self.log.head() == head && self.torn.is_empty() {
                break;
            }
        }
        Ok(self.save(false).await?)
    }

    /// One pass, and the import of what it found.
    async fn show_once(&mut self, reporter: &mut Reporter) -> EngineResult<()> {
        let known = self.know_asides().await;
        self.queue_when_failed(known)?;
        let begun = self.begin_writing().await;
        self.queue_when_failed(begun)?;
        let shown = self.projections();
        self.torn.clear();
        let Passed { failure, found } = self.pass(&shown, reporter).await;
        // What was moved aside is noted in the same batch as what took its
        // place: its base is what stood there before.
        self.save(false).await?;
        match failure {
            Some(failure) => self.queue_view(failure),
            None => self.queued_view = None,
        }
        let in_place = found.iter().filter(|found| !found.is_aside());
        let in_place: Vec<_> = in_place.map(|found| found.path.clone()).collect();
        let imported = self.import_found(found, reporter).await;
        if imported.is_err() {
            // What may be torn there stays noted as long as it is to be shown (V5).
            self.add_unprojected(in_place.into_iter());
        }
        self.queue_when_failed(imported)?;
        if self.queued_view.is_some() {
            return Err(EngineError::Internal(
                "a file of the view could not be written".to_owned(),
            ));
        }
        let ended = self.end_writing().await;
        self.queue_when_failed(ended)?;
        self.show_again_what_moved(shown);
        Ok(())
    }

    fn queue_when_failed(&mut self, outcome: EngineResult<()>) -> EngineResult<()> {
        if let Err(error) = &outcome {
            self.queue_view(FileFault {
                path: String::new(),
                class: error.class(),
                message: error.to_string(),
                hint: error.hint(),
            });
        }
        outcome
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

    /// One pass over what is to be shown. Removals come first: a file makes
    /// room for a folder, and a folder for a file.
    async fn pass(&mut self, projections: &[Projection], reporter: &mut Reporter) -> Passed {
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
                reporter.progress(&Progress {
                    step: "view",
                    done_files: ended.len() as u64,
                    total_files: projections.len() as u64,
                    ..Progress::default()
                });
            }
        }
        let mut passed = Passed::default();
        let mut left = self.state.unprojected().clone();
        for projected in ended {
            match projected {
                Ok(projected) => self.record_shown(projected, &mut left, &mut passed, reporter),
                Err((path, error)) => drop(passed.failure.get_or_insert(fault(&path, &error))),
            }
        }
        self.state.set_unprojected(left);
        passed
    }

    fn record_shown(
        &mut self,
        projected: Projected,
        left: &mut BTreeSet<RelPath>,
        passed: &mut Passed,
        reporter: &mut Reporter,
    ) {
        let Projected { path, outcome, asides } = projected;
        for aside in asides {
            let record = AsideRecord { path: aside.path.clone(), base: aside.base };
            self.state.set_aside(aside.place.as_str(), Some(record));
            passed.found.push(aside);
        }
        match outcome {
            Outcome::Shown { seen, reverted } => {
                if reverted {
                    self.tell_reverted(&path, reporter);
                }
                self.state.set_seen(&path, seen);
                left.remove(&path);
            }
            Outcome::News(found) => {
                left.remove(&path);
                passed.found.push(found);
            }
            // Something writes there all the time: it stays to be shown.
            Outcome::Restless => {
                self.tell_unsettled(&path, "is written by something else", reporter);
            }
            Outcome::Failed(error) => {
                // It may have failed after the file was moved aside.
                self.asides_known = false;
                passed.failure.get_or_insert(fault(&path, &error.into()));
            }
        }
    }

    /// Once the backend turns out to be away, or the job is cancelled, the rest is
    /// not even tried: each file would wait for it anew.
    async fn show_unless(
        &self,
        away: &AtomicBool,
        projection: &Projection,
    ) -> Option<Result<Projected, (RelPath, EngineError)>> {
        if away.load(Ordering::Relaxed) || self.parts.outside.interrupt.is_cancelled() {
            return None;
        }
        let shown = self.show(projection).await;
        let class = match &shown {
            Ok(Projected { outcome: Outcome::Failed(error), .. }) => Some(error.class()),
            Ok(_) => None,
            Err((_, error)) => Some(error.class()),
        };
        if matches!(class, Some(FaultClass::Transient | FaultClass::Auth | FaultClass::Quota)) {
            away.store(true, Ordering::Relaxed);
        }
        Some(shown)
    }

    async fn show(&self, projection: &Projection) -> Result<Projected, (RelPath, EngineError)> {
        let seen = self.state.seen(&projection.path);
        let failed = |error| (projection.path.clone(), error);
        let body = match &projection.desired {
            Some(entry) => Some(self.body_for(&projection.path, entry).await.map_err(failed)?),
            None => None,
        };
        let mut projected = self.view.project(projection, seen, body.as_ref()).await;
        if self.state.alters() {
            self.view.read_back(&mut projected).await;
        }
        Ok(projected)
    }

    /// The content to show: the working tree's file while it still is that
    /// version, else what the packs hold.
    async fn body_for(&self, path: &RelPath, entry: &Entry) -> EngineResult<Body> {
        let content = match self.local_content(path, entry).await {
            Some(content) => content,
            None => {
                let wanted = self
                    .wanted_at_head(path)
                    .ok_or(EngineError::ContentMissing { path: path.clone() })?;
                self.fetcher.fetch(&wanted, self.log.history()).await?
            }
        };
        match content {
            Content::Bytes(bytes) => Ok(bytes.into()),
            Content::Scratch(scratch) => Ok(crate::packs::body_of(
                scratch,
                entry.size,
                &self.parts.outside,
                &Meter::silent(),
            )
            .await?),
        }
    }

    fn queue_view(&mut self, fault: FileFault) {
        tracing::info!(
            path = fault.path,
            message = fault.message,
            "the view waits for another try"
        );
        let before = self.queued_view.take();
        self.queued_view = Some(self.again(QueuedKind::View, before, fault));
    }
}
