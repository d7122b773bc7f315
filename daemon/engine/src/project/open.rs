//! Opens a project from what stands on this machine and on its backend, and settles
//! what an earlier run left (B3) before the first job.

use std::collections::BTreeMap;

use futures::future::join;
use mirror_core::Timestamp;
use mirror_storage::StorageError;

use crate::api::{EngineResult, Notice, Parts, Phase, ProjectFault, ProjectSpec};
use crate::data::agreements::Agreements;
use crate::data::conflicts::load;
use crate::data::notices::Journal;
use crate::data::queue::Queue;
use crate::index::Index;
use crate::log::Log;
use crate::packs::Damaged;
use crate::project::worker::events::Events;
use crate::project::worker::outcome::FileOutcome;
use crate::project::worker::reading::Published;
use crate::project::worker::status::StatusBoard;
use crate::project::worker::view::Machines;
use crate::project::worker::view::Pending;
use crate::project::worker::{SURVEY_MS, Worker};
use crate::state::{Owner, State, recorded_owner};
use crate::view::machines::MachineFile;

/// What a project is opened from.
struct Opening {
    log: Log,
    /// What this machine last said.
    own: Result<Option<MachineFile>, StorageError>,
    /// Whose state is believed, if not that of this log and this folder alone.
    owner: Option<Owner>,
}

impl Worker {
    pub(crate) async fn open(spec: ProjectSpec, parts: Parts) -> EngineResult<Self> {
        let parts = Parts { outside: parts.outside.of_project(), ..parts };
        let opening = opening(&spec, &parts).await?;
        let board = StatusBoard::new(opening.log.head());
        let events = Events::after(opening.log.head(), &spec.backend_name);
        Self::with_log(spec, parts, opening, board, Published::default(), events).await
    }

    /// By this machine's copies alone, for what is asked of a project that can't be
    /// opened; nothing is committed (L7).
    pub(crate) async fn open_aside(
        spec: ProjectSpec,
        parts: Parts,
        stop: &ProjectFault,
    ) -> EngineResult<Self> {
        let parts = Parts { outside: parts.outside.of_project(), ..parts };
        let log = Log::of_copies(&parts).await;
        let board = StatusBoard::new(log.head());
        let (reason, hint) = (stop.message.clone(), stop.hint.clone());
        board.change(|status| status.phase = Phase::Stopped { reason, hint });
        let events = Events::after(log.head(), &spec.backend_name);
        let nobody_asked = StorageError::Unreachable(stop.message.clone().into());
        // Copies that are damaged say nothing against it: whoever opens it will decide.
        let owner = recorded_owner(parts.store.as_ref());
        let opening = Opening { log, own: Err(nobody_asked), owner };
        Self::with_log(spec, parts, opening, board, Published::default(), events).await
    }

    async fn with_log(
        spec: ProjectSpec,
        parts: Parts,
        opening: Opening,
        board: StatusBoard,
        published: Published,
        events: Events,
    ) -> EngineResult<Self> {
        let Opening { mut log, own, owner } = opening;
        let tree = parts.tree.clone();
        let identity = parts.outside.offload(move || tree.root_identity()).await?;
        let owner = owner.unwrap_or_else(|| Owner::new(log.project(), &spec.root, identity));
        let state = State::load(parts.store.clone(), &owner, spec.author.machine_id)?;
        if let Some((seq, digest)) = state.newest() {
            log.hold_to(seq, digest).await?;
        }
        let made_checkpoint = log.made_checkpoint();
        let journal = Journal::load(&parts).await?;
        let (conflicts, outside_conflicts) = load(&parts).await?;
        let agreements = Agreements::load(&parts).await?;
        let mut index = Index::load(&state.index_rows());
        index.set_mounts(state.mounts().clone());
        let queue = Queue::load(&parts).await?;
        let mut worker = Self {
            fetcher: Self::fetcher_of(&parts, Damaged::of(state.damaged())),
            view: Self::view_of(&spec, &parts),
            spec,
            parts,
            log,
            state,
            index,
            coverage: None,
            rules_unusable: None,
            git_rules: None,
            queued_view: None,
            queue,
            made_checkpoint,
            pending: Pending::new(),
            next_survey: Timestamp(0),
            next_sweep: Timestamp(0),
            root: None,
            conflicts,
            outside_conflicts,
            agreements,
            machines: Machines::default(),
            asides_known: false,
            journal,
            pending_stashed: Vec::new(),
            torn: BTreeMap::new(),
            events,
            board,
            published,
        };
        let fault = worker.log.unreached().cloned();
        worker.board.change(|status| status.backend_fault = fault);
        worker.recover(own).await;
        worker.save(true).await?;
        Ok(worker)
    }

    /// Settles what an earlier run left; the next job asks again for what can't be
    /// settled yet, and tells of it.
    async fn recover(&mut self, own: Result<Option<MachineFile>, StorageError>) {
        // Not among what the first jobs wait for.
        self.next_sweep = Timestamp(self.now().milliseconds() + SURVEY_MS);
        if self.log.checked_at().is_some() {
            let recognised = match own {
                Ok(own) => self.recognise_by(own).await,
                Err(error) => Err(error.into()),
            };
            if let Err(error) = recognised {
                tracing::debug!(%error, "what this machine said on the backend was not read");
            }
        }
        let settled = self.recover_targets().await.into_iter();
        let mut notices: Vec<Notice> = settled.filter_map(FileOutcome::into_notice).collect();
        if self.state.fresh {
            match self.take_up_leftovers().await {
                Ok(found) => notices.extend(found),
                Err(error) => {
                    tracing::warn!(%error, "what an earlier run may have left was not looked for");
                }
            }
        }
        self.keep_notices(&notices).await;
    }

    /// Starts again from what is stored, after a panic.
    pub(crate) async fn reopen(self) -> EngineResult<Self> {
        let Self { spec, parts, board, published, events, .. } = self;
        // A job that panicked has ended.
        parts.outside.interrupt.follow(None);
        board.end_job();
        let opening = opening(&spec, &parts).await?;
        let worker = Self::with_log(spec, parts, opening, board, published, events).await?;
        worker.set_phase(Phase::Idle);
        Ok(worker)
    }

    /// Lets go of everything, and lets those know who still wait.
    pub(crate) fn close(self) {
        self.board.change(|status| status.is_closed = true);
        self.events.closed();
        self.published.clear();
    }
}

/// Reads both side by side: whoever asked first waits for this.
async fn opening(spec: &ProjectSpec, parts: &Parts) -> EngineResult<Opening> {
    let own = MachineFile::read(parts.backend.as_ref(), spec.author.machine_id);
    let (log, own) = join(Log::open(parts), own).await;
    Ok(Opening { log: log?, own, owner: None })
}
