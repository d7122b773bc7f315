//! One project with all that its jobs work on, and what every floor uses of it.
//!
//! The rooms above each add their verbs to [`Worker`]; `tests/tidy/rooms` holds
//! which room may call which. What is here calls none of them.

mod bases;
pub(crate) mod contents;
pub(crate) mod events;
pub(crate) mod faults;
mod head;
pub(crate) mod outcome;
pub(crate) mod privacy;
pub(crate) mod reading;
pub(crate) mod reporter;
pub(crate) mod status;
pub(crate) mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use mirror_core::commit::CheckpointRef;
use mirror_core::patterns::Coverage;
use mirror_core::{Digest, RelPath, Timestamp};

use self::events::Events;
use self::reading::Published;
use self::status::StatusBoard;
use self::view::Machines;
use self::view::Pending;
use crate::api::{
    EngineResult, FileFault, Notice, NoticeKind, Parts, Phase, ProjectFault, ProjectSpec,
    QueuedKind, QueuedWork, SharedSettings,
};
use crate::data::agreements::Agreements;
use crate::data::backoff::{FIRST_WAIT_MS, LONGEST_WAIT_MS};
use crate::data::conflicts::{Conflicts, OutsideConflicts};
use crate::data::notices::Journal;
use crate::data::queue::Queue;
use crate::error::{EngineError, with_causes};
use crate::index::Index;
use crate::log::Log;
use crate::outside::TreeError;
use crate::packs::{Cache, Damaged, Fetcher};
use crate::state::State;
use crate::store::StoreError;
use crate::view::View;

/// One project with all that its jobs work on.
pub(crate) struct Worker {
    pub(crate) spec: ProjectSpec,
    pub(crate) parts: Parts,
    pub(crate) log: Log,
    pub(crate) state: State,
    pub(crate) index: Index,
    pub(crate) coverage: Option<Arc<Coverage>>,
    /// The file of rules that can't be read; those read last hold.
    pub(crate) rules_unusable: Option<Unusable>,
    /// The texts of all `.gitignore` files here, by folder, once they were read.
    pub(crate) git_rules: Option<Arc<BTreeMap<String, String>>>,
    pub(crate) fetcher: Fetcher,
    pub(crate) view: View,
    pub(crate) queued_view: Option<QueuedWork>,
    pub(crate) queue: Queue,
    /// A checkpoint of this machine's own making, for a later commit to vouch
    /// for (L8).
    pub(crate) made_checkpoint: Option<CheckpointRef>,
    /// What the last look at the view found stale.
    pub(crate) pending: Pending,
    /// When the daemon looks at the view next.
    pub(crate) next_survey: Timestamp,
    /// When it removes what cut-off uploads left on the backend.
    pub(crate) next_sweep: Timestamp,
    /// Which folder the root was at the last look.
    pub(crate) root: Option<(u64, u64)>,
    /// What waits for a person.
    pub(crate) conflicts: Conflicts,
    /// Edits of the view that wait for a person.
    pub(crate) outside_conflicts: OutsideConflicts,
    /// What this machine agreed to of what others may make it run.
    pub(crate) agreements: Agreements,
    /// What this machine says of itself on the backend.
    pub(crate) machines: Machines,
    /// Whether all asides of this machine are noted (V3).
    pub(crate) asides_known: bool,
    /// What was said, and what the next report is to say.
    pub(crate) journal: Journal,
    /// Versions that went to the stash in jobs without a report, for the next one.
    pub(crate) pending_stashed: Vec<FileFault>,
    /// Beginnings of what was being written, which may be written over (V5).
    pub(crate) torn: BTreeMap<RelPath, Digest>,
    pub(crate) events: Events,
    pub(crate) board: StatusBoard,
    pub(crate) published: Published,
}

/// A file that no rules can be read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unusable {
    pub(crate) file: RelPath,
    pub(crate) why: String,
}

impl Unusable {
    pub(crate) fn new(file: &RelPath, why: &str) -> Self {
        Self { file: file.clone(), why: why.to_owned() }
    }
}

/// How much of the cache folder fetched contents may fill.
const CACHE_BYTES: u64 = 500 << 20;

/// How often the daemon looks at the whole view.
pub(crate) const SURVEY_MS: i64 = 600_000;

/// A lost race is progress of somebody else; so many in a row are a fault.
pub(crate) const MOST_ROUNDS: usize = 1_000;

/// How often a file that changes while it is read is tried again.
pub(crate) const READS: usize = 4;

impl Worker {
    /// Stores what the next step relies on.
    pub(crate) async fn save(&mut self, durable: bool) -> Result<(), StoreError> {
        if let Some(digest) = self.log.history().head_digest() {
            self.state.set_newest(self.log.head(), digest);
        }
        if let Some(checked) = self.log.checked_at() {
            self.state.note_checked(checked);
        }
        if let Some(damaged) = self.fetcher.damaged.changed() {
            self.state.set_damaged(damaged);
        }
        let saved = self.state.save(&self.parts.outside, durable).await;
        self.publish();
        saved
    }

    pub(crate) fn fetcher_of(parts: &Parts, damaged: Damaged) -> Fetcher {
        Fetcher {
            backend: parts.backend.clone(),
            damaged,
            disk: parts.cache.clone(),
            cache: Cache::new(parts.cache.clone(), parts.outside.clone(), CACHE_BYTES),
            outside: parts.outside.clone(),
        }
    }

    pub(crate) fn view_of(spec: &ProjectSpec, parts: &Parts) -> View {
        View {
            backend: parts.backend.clone(),
            outside: parts.outside.clone(),
            machine_id: spec.author.machine_id,
        }
    }

    /// Lets those who listen know that the backend could not be used.
    pub(crate) fn tell_fault(&self, error: Option<&EngineError>) {
        if let Some(error @ EngineError::Storage(_)) = error {
            let fault = ProjectFault::of(error);
            self.board.change(|status| status.backend_fault = Some(fault));
            self.events.fault(FileFault {
                path: String::new(),
                class: error.class(),
                message: with_causes(error),
                hint: error.hint(),
            });
        }
    }

    /// Stores what the index has learnt, which nothing relies on: done when
    /// nobody waits for an answer. If it must be `durable`, a store that takes
    /// nothing more is known to be broken afterwards.
    pub(crate) async fn save_index(&mut self, durable: bool) {
        self.state.save_index(&mut self.index);
        if let Err(error) = self.save(durable).await {
            tracing::warn!(%error, "the index could not be stored");
        }
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        let head = self.log.head();
        self.board.change(|status| {
            status.head = head;
            // Only opening the project anew ends a stop.
            if !matches!(status.phase, Phase::Stopped { .. }) {
                status.phase = phase;
            }
        });
    }

    pub(crate) fn set_phase_head(&self) {
        let head = self.log.head();
        self.board.change(|status| status.head = head);
    }

    /// Ends a job whose caller asked for it (S6): called where stopping is safe.
    pub(crate) fn refuse_when_cancelled(&self) -> EngineResult<()> {
        match self.parts.outside.interrupt.is_cancelled() {
            true => Err(EngineError::Cancelled),
            false => Ok(()),
        }
    }

    /// Why nothing may be written, if so (L7).
    pub(crate) fn refuse_when_stopped(&self) -> EngineResult<()> {
        match self.board.phase() {
            Phase::Stopped { reason, hint } => Err(EngineError::Stopped { reason, hint }),
            Phase::Idle | Phase::Busy(_) => Ok(()),
        }
    }

    /// Paths that were committed here and are to be shown in the view.
    pub(crate) fn add_unprojected(&mut self, paths: impl Iterator<Item = RelPath>) {
        self.state.add_unprojected(paths);
    }

    pub(crate) fn settings(&self) -> EngineResult<SharedSettings> {
        self.log.history().settings().cloned().ok_or(EngineError::NoProject)
    }

    pub(crate) fn name(&self) -> &str {
        &self.spec.name
    }

    /// Says which folder it is that is missing.
    pub(crate) fn name_root<T>(&self, outcome: EngineResult<T>) -> EngineResult<T> {
        outcome.map_err(|error| match error {
            EngineError::Tree(TreeError::RootMissing) => self.root_is_missing(),
            error => error,
        })
    }

    pub(crate) fn root_is_missing(&self) -> EngineError {
        let (project, root) = (self.name().to_owned(), self.spec.root.clone());
        EngineError::RootMissing { project, root }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.parts.outside.clock.now()
    }

    pub(crate) fn project_id(&self) -> Digest {
        self.log.project()
    }

    pub(crate) fn phase(&self) -> Phase {
        self.board.phase()
    }

    /// Keeps what nobody was there to hear for the next job's report; what
    /// isn't settled then is found again.
    pub(crate) async fn keep_notices(&mut self, notices: &[Notice]) {
        for notice in notices {
            tracing::warn!(message = notice.message);
            let key = |notice: &Notice| (notice.kind, notice.path.clone(), notice.stash);
            let is_same = |known: &Notice| key(known) == key(notice);
            let is_known = self.journal.untold().iter().any(is_same);
            if notice.kind != NoticeKind::ViewUnsettled && !is_known {
                let number = self.journal.add(notice, false).await;
                self.events.notice(number);
            }
        }
    }

    /// The work after one more try that failed.
    pub(crate) fn again(
        &self,
        kind: QueuedKind,
        before: Option<QueuedWork>,
        fault: FileFault,
    ) -> QueuedWork {
        let now = self.now();
        let attempts = before.as_ref().map_or(0, |queued| queued.attempts) + 1;
        let longest = FIRST_WAIT_MS.saturating_mul(1 << attempts.min(16)).min(LONGEST_WAIT_MS);
        let spread = i64::try_from(self.parts.outside.entropy.bits() % 1_000).unwrap_or(0);
        let next_at = Timestamp(now.milliseconds() + longest * spread / 1_000);
        let since = before.map_or(now, |queued| queued.since);
        QueuedWork { kind, since, attempts, next_at, fault }
    }
}
