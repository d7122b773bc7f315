//! The one owner of a project's state: opens it, and runs its jobs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use futures::future::join;
use mirror_core::commit::CheckpointRef;
use mirror_core::patterns::Coverage;
use mirror_core::{Digest, RelPath, Timestamp};
use mirror_storage::{FaultClass, StorageError};
use tokio::sync::mpsc;

use super::Facade;
use super::conflicts::{self, Conflicts, Decision, OutsideConflicts};
use super::machine_file::Machines;
use super::polling::SURVEY_MS;
use super::queue::Queue;
use crate::api::{
    CommitSummary, EngineResult, FileFault, Job, JobEvent, JobRequest, Notice, NoticeKind, Parts,
    Phase, Progress, ProjectSpec, QueuedWork, Report, SharedSettings,
};
use crate::error::EngineError;
use crate::index::Index;
use crate::log::{Log, LogEntry};
use crate::machines::MachineFile;
use crate::outside::TreeError;
use crate::packs::{Cache, Fetcher};
use crate::state::{Owner, State};
use crate::store::StoreError;
use crate::view::View;

/// So many events of a job can always be told, however slow the listener is.
const RESERVED_EVENTS: usize = 8;

/// How much of the cache folder fetched contents may fill.
const CACHE_BYTES: u64 = 500 << 20;

/// One project with all that its jobs work on.
pub(super) struct Worker {
    pub(super) spec: ProjectSpec,
    pub(super) parts: Parts,
    pub(super) log: Log,
    pub(super) state: State,
    pub(super) index: Index,
    pub(super) coverage: Option<Arc<Coverage>>,
    pub(super) fetcher: Fetcher,
    pub(super) view: View,
    pub(super) queued_view: Option<QueuedWork>,
    pub(super) queue: Queue,
    /// A checkpoint of this machine's own making, for a later commit to vouch
    /// for (L8).
    pub(super) made_checkpoint: Option<CheckpointRef>,
    /// What the last look at the view found stale.
    pub(super) looks: super::survey::Looks,
    /// When the daemon looks at the view next.
    pub(super) next_survey: Timestamp,
    /// When it removes what cut-off uploads left on the backend.
    pub(super) next_sweep: Timestamp,
    /// Which folder the root was at the last look.
    pub(super) root: Option<(u64, u64)>,
    /// What waits for a person.
    pub(super) conflicts: Conflicts,
    /// Edits of the view that wait for a person.
    pub(super) outside_conflicts: OutsideConflicts,
    /// What this machine says of itself on the backend.
    pub(super) machines: Machines,
    /// Whether all asides of this machine are noted (V3).
    pub(super) asides_known: bool,
    /// What the daemon's rounds and jobs without a report had to say, for the
    /// next job to say.
    pub(super) untold: Vec<Notice>,
    /// The same of versions that went to the stash.
    untold_stashed: Vec<FileFault>,
    /// Beginnings of what was being written, which may be written over (V5).
    pub(super) torn: BTreeMap<RelPath, Digest>,
    pub(super) followers: Vec<mpsc::Sender<CommitSummary>>,
    /// The newest entry that followers were told of.
    pub(super) told: u64,
    facade: Arc<Mutex<Facade>>,
}

/// What a running job tells, and gathers for its report.
pub(super) struct Telling {
    pub(super) events: mpsc::Sender<JobEvent>,
    pub(super) report: Report,
    pub(super) dry_run: bool,
    pub(super) consent: bool,
}

impl Telling {
    /// For work of the daemon's own, which nobody listens to.
    pub(super) fn unheard() -> Self {
        let (events, _) = mpsc::channel(1);
        Self { events, report: Report::default(), dry_run: false, consent: false }
    }

    /// Progress is dropped rather than waited for when nobody reads it.
    pub(super) fn progress(&self, progress: Progress) {
        // Room is left for what matters more.
        if self.events.capacity() > RESERVED_EVENTS {
            let _ = self.events.try_send(JobEvent::Progress(progress));
        }
    }

    pub(super) fn notice(
        &mut self,
        kind: NoticeKind,
        path: Option<&RelPath>,
        message: String,
        time: Timestamp,
    ) {
        self.report.notices.push(Notice { kind, path: path.cloned(), message, time });
    }
}

/// What a project is opened from: its log, and what this machine last said.
type Opening = (Log, Result<Option<MachineFile>, StorageError>);

/// Reads both side by side: whoever asked first waits for this.
async fn opening(spec: &ProjectSpec, parts: &Parts) -> EngineResult<Opening> {
    let own = MachineFile::read(parts.backend.as_ref(), spec.author.machine_id);
    let (log, own) = join(Log::open(parts), own).await;
    Ok((log?, own))
}

impl Worker {
    pub(super) async fn open(spec: ProjectSpec, parts: Parts) -> EngineResult<Self> {
        let opening = opening(&spec, &parts).await?;
        let facade = Facade { phase: Phase::Idle, head: opening.0.head(), is_closed: false };
        Self::with_log(spec, parts, opening, Arc::new(Mutex::new(facade))).await
    }

    async fn with_log(
        spec: ProjectSpec,
        parts: Parts,
        (mut log, own): Opening,
        facade: Arc<Mutex<Facade>>,
    ) -> EngineResult<Self> {
        let tree = parts.tree.clone();
        let identity = parts.outside.offload(move || tree.root_identity()).await?;
        let owner = Owner::new(log.project(), &spec.root, identity);
        let state = State::load(parts.store.clone(), &owner, spec.author.machine_id)?;
        if let Some((seq, digest)) = state.newest() {
            log.hold_to(seq, digest).await?;
        }
        let (told, made_checkpoint) = (log.head(), log.made_checkpoint());
        let (conflicts, outside_conflicts) = conflicts::load(&parts).await?;
        let index = Index::load(&state.index_rows());
        let queue = Queue::load(&parts).await?;
        let cache = Cache::new(parts.cache.clone(), parts.outside.clone(), CACHE_BYTES);
        let mut worker = Self {
            fetcher: Fetcher {
                backend: parts.backend.clone(),
                disk: parts.cache.clone(),
                cache,
                outside: parts.outside.clone(),
            },
            view: View {
                backend: parts.backend.clone(),
                outside: parts.outside.clone(),
                machine_id: spec.author.machine_id,
            },
            spec,
            parts,
            log,
            state,
            index,
            coverage: None,
            queued_view: None,
            queue,
            made_checkpoint,
            looks: super::survey::Looks::new(),
            next_survey: Timestamp(0),
            next_sweep: Timestamp(0),
            root: None,
            conflicts,
            outside_conflicts,
            machines: Machines::default(),
            asides_known: false,
            untold: Vec::new(),
            untold_stashed: Vec::new(),
            torn: BTreeMap::new(),
            followers: Vec::new(),
            told,
            facade,
        };
        // Not among what the first jobs wait for.
        worker.next_sweep = Timestamp(worker.now().milliseconds() + SURVEY_MS);
        if worker.log.checked_at().is_some() {
            let recognised = match own {
                Ok(own) => worker.recognise_by(own).await,
                Err(error) => Err(error.into()),
            };
            if let Err(error) = recognised {
                tracing::debug!(%error, "what this machine said on the backend was not read");
            }
        }
        // The next job asks again for what can't be settled yet, and tells of it.
        drop(worker.settle_targets().await);
        if worker.state.fresh
            && let Err(error) = worker.take_up_leftovers().await
        {
            tracing::warn!(%error, "what an earlier run may have left could not be looked for");
        }
        worker.save(true).await?;
        Ok(worker)
    }

    /// Starts again from what is stored, after a panic.
    pub(super) async fn reopen(self) -> EngineResult<Self> {
        let Self { spec, parts, facade, .. } = self;
        let opening = opening(&spec, &parts).await?;
        let worker = Self::with_log(spec, parts, opening, facade).await?;
        worker.set_phase(Phase::Idle);
        Ok(worker)
    }

    /// Lets go of everything, and lets those know who still wait.
    pub(super) fn close(self) {
        self.facade.lock().expect("nobody panics with the facade").is_closed = true;
    }

    pub(super) fn facade(&self) -> Arc<Mutex<Facade>> {
        self.facade.clone()
    }

    pub(super) fn name(&self) -> &str {
        &self.spec.name
    }

    pub(super) fn project_id(&self) -> Digest {
        self.log.project()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.parts.outside.clock.now()
    }

    pub(super) fn settings(&self) -> EngineResult<SharedSettings> {
        let settings = self.log.history().settings().ok_or(EngineError::NoProject)?;
        Ok(SharedSettings { name: settings.name.clone(), patterns: settings.patterns() })
    }

    pub(super) fn set_phase(&self, phase: Phase) {
        let mut facade = self.facade.lock().expect("nobody panics with the facade");
        facade.head = self.log.head();
        // Only opening the project anew ends a stop.
        if !matches!(facade.phase, Phase::Stopped { .. }) {
            facade.phase = phase;
        }
    }

    /// Why nothing may be written, if so (L7).
    pub(super) fn refuse_when_stopped(&self) -> EngineResult<()> {
        match &self.facade.lock().expect("nobody panics with the facade").phase {
            Phase::Stopped { reason } => {
                let hint = "once that is put right, run `mirrorctl reload`".to_owned();
                Err(EngineError::Stopped { reason: reason.clone(), hint: Some(hint) })
            }
            Phase::Idle | Phase::Busy(_) => Ok(()),
        }
    }

    /// Says which folder it is that is missing.
    pub(super) fn name_root<T>(&self, outcome: EngineResult<T>) -> EngineResult<T> {
        outcome.map_err(|error| match error {
            EngineError::Tree(TreeError::RootMissing) => {
                EngineError::RootMissing(self.spec.root.clone())
            }
            error => error,
        })
    }

    /// Runs one job from trigger to report.
    ///
    /// Stopping anywhere is safe: attempts and targets are saved before each
    /// step and settled before the next job of that path (B3).
    pub(super) async fn run(
        &mut self,
        request: JobRequest,
        events: mpsc::Sender<JobEvent>,
    ) -> EngineResult<Report> {
        self.refuse_when_stopped()?;
        let JobRequest { job, dry_run, consent } = request;
        self.set_phase(Phase::Busy(verb(&job)));
        let mut telling =
            Telling { events, report: Report { dry_run, ..Report::default() }, dry_run, consent };
        telling.report.notices = std::mem::take(&mut self.untold);
        let outcome = self.carry_out(job, &mut telling).await;
        let saved = self.save(false).await;
        if outcome.is_err() {
            // There will be no report to say them.
            self.keep_untold(std::mem::take(&mut telling.report.notices));
            let failed = std::mem::take(&mut telling.report.failed);
            let stashed = failed.into_iter().filter(|fault| fault.class == FaultClass::Conflict);
            self.untold_stashed = stashed.collect();
        }
        self.set_phase(Phase::Idle);
        self.note_stop(outcome.and(saved.map_err(Into::into)))?;
        Ok(telling.report)
    }

    async fn carry_out(&mut self, job: Job, telling: &mut Telling) -> EngineResult<()> {
        telling.report.failed = std::mem::take(&mut self.untold_stashed);
        if !telling.dry_run {
            telling.report.failed.extend(self.settle_targets().await);
        }
        match job {
            Job::Push { scope, message, force_local, no_wait } => {
                self.push(&scope, message, force_local, no_wait, telling).await
            }
            Job::Pull { scope } => self.pull(&scope, telling).await,
            Job::Sync { scope, message, settle } => {
                self.sync(&scope, message, settle, telling).await
            }
            Job::Delete { scope, keep_local, message } => {
                self.delete(&scope, keep_local, message, telling).await
            }
            Job::ChangeSettings { settings } => self.change_settings(settings, telling).await,
            Job::Resolve { path, resolution, token, no_push } => {
                self.resolve(Decision { path, resolution, token, no_push }, telling).await
            }
            Job::Export { scope, output } => self.export(&scope, &output.0, telling).await,
            Job::Restore { scope, from, output } => {
                self.restore(&scope, from, output.as_deref(), telling).await
            }
            Job::RestoreStash { id } => self.restore_stash(&id, telling).await,
        }
    }

    /// Remembers a stop, so that nothing is written until the project is
    /// opened anew.
    pub(super) fn note_stop<T>(&self, outcome: EngineResult<T>) -> EngineResult<T> {
        if let Err(EngineError::Stopped { reason, .. }) = &outcome {
            let mut facade = self.facade.lock().expect("nobody panics with the facade");
            facade.phase = Phase::Stopped { reason: reason.clone() };
        }
        outcome
    }

    /// Reads new entries, and tells followers of them.
    pub(super) async fn catch_up(&mut self) -> EngineResult<Vec<LogEntry>> {
        let caught_up = self.log.catch_up().await;
        // What was read before an error is read: it won't arrive again.
        self.tell_followers().await;
        let arrived = self.note_stop(caught_up)?;
        if !arrived.is_empty() {
            if self.log.is_checkpoint_due() {
                self.made_checkpoint = self.log.make_checkpoint(false).await;
            }
            self.set_phase_head();
        }
        Ok(arrived)
    }

    pub(super) fn set_phase_head(&self) {
        self.facade.lock().expect("nobody panics with the facade").head = self.log.head();
    }

    /// Stores what the next step relies on.
    pub(super) async fn save(&mut self, durable: bool) -> Result<(), StoreError> {
        if let Some(digest) = self.log.history().head_digest() {
            self.state.set_newest(self.log.head(), digest);
        }
        self.state.save(&self.parts.outside, durable).await
    }

    /// Stores what the index has learnt, which nothing relies on: done when
    /// nobody waits for an answer.
    pub(super) async fn save_index(&mut self) {
        self.state.save_index(&mut self.index);
        if let Err(error) = self.save(false).await {
            tracing::warn!(%error, "the index could not be stored");
        }
    }

    /// Paths that were committed here and are to be shown in the view.
    pub(super) fn add_unprojected(&mut self, paths: impl Iterator<Item = RelPath>) {
        let mut unprojected: BTreeSet<RelPath> = self.state.unprojected().clone();
        unprojected.extend(paths);
        self.state.set_unprojected(unprojected);
    }
}

fn verb(job: &Job) -> &'static str {
    match job {
        Job::Push { .. } => "push",
        Job::Pull { .. } => "pull",
        Job::Sync { .. } => "sync",
        Job::Delete { .. } => "delete",
        Job::ChangeSettings { .. } => "settings",
        Job::Resolve { .. } => "resolve",
        Job::Export { .. } => "export",
        Job::Restore { .. } | Job::RestoreStash { .. } => "restore",
    }
}
