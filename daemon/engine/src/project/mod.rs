//! One project as the daemon holds it: a mailbox that runs one job at a time.

mod agents;
mod aside;
mod checkout;
mod commit;
mod conflict;
mod create;
mod follow;
mod held;
mod import;
mod inbox;
mod job;
mod mailbox;
mod merge;
mod naming;
mod observe;
mod open;
mod plan;
mod publish;
mod query;
mod questions;
mod queue;
mod repair;
mod rules;
mod run;
mod stash;
mod tally;
#[cfg(test)]
mod tests;
mod versions;
mod view_state;
mod worker;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use mailbox::Message;
use mirror_core::Digest;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use worker::Worker;

use self::query::look::Looks;
use self::tally::Tallies;
use self::worker::reading::Published;
use self::worker::status::Status;
use crate::api::{
    Cancelled, DroppedPushes, EngineResult, JobEvent, JobProgress, JobRequest, Parts, Phase,
    ProjectEvent, ProjectFault, ProjectSpec, Report, Stashed,
};
use crate::data::readers::Readers;
use crate::data::sessions::Sessions;
use crate::error::EngineError;
use crate::outside::{Cancel, Interrupt};
use crate::snapshots::Snapshot;
pub use create::{create, inspect, preview, standing};
pub use follow::Hints;
pub use stash::{chosen, stashed};

/// A handle on a running project; clones share it. The project ends when
/// [`Project::close`] is called or the last handle is gone.
#[derive(Clone)]
pub struct Project {
    name: String,
    id: Digest,
    status: watch::Receiver<Status>,
    interrupt: Interrupt,
    published: Published,
    events: broadcast::Sender<ProjectEvent>,
    watch: Arc<dyn crate::outside::Watch>,
    looks: Looks,
    readers: Arc<Readers>,
    sessions: Arc<Sessions>,
    tallies: Arc<Tallies>,
    mailbox: mpsc::Sender<Message>,
}

impl std::fmt::Debug for Project {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Project({})", self.name)
    }
}

/// Letters that may wait before a caller has to.
const MAILBOX: usize = 64;

impl Project {
    /// Opens the project that stands on the backend or in the local state, and
    /// settles what an earlier run left (B3). Works while the backend is away,
    /// once this machine has read the project before.
    pub async fn open(spec: ProjectSpec, parts: Parts) -> EngineResult<Self> {
        Ok(Self::of(Worker::open(spec, parts).await?))
    }

    fn of(worker: Worker) -> Self {
        let (name, watch) = (worker.name().to_owned(), worker.parts.watch.clone());
        let interrupt = worker.parts.outside.interrupt.clone();
        let published = worker.published.clone();
        let (status, events) = (worker.board.watch(), worker.events.sender());
        let (id, looks) = (worker.project_id(), Looks::default());
        let readers = Arc::new(Readers::of(&worker.parts));
        let sessions = Arc::new(Sessions::of(&worker.parts));
        let (mailbox, letters) = mpsc::channel(MAILBOX);
        tokio::spawn(mailbox::run(worker, letters));
        Self {
            name,
            id,
            status,
            interrupt,
            published,
            events,
            watch,
            looks,
            readers,
            sessions,
            tallies: Arc::default(),
            mailbox,
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The digest of commit 1.
    pub fn project_id(&self) -> Digest {
        self.id
    }

    /// Runs one job to its end, or until `cancel` asks it to end at the next safe
    /// point (S6). Dropping the future does not end the job.
    pub async fn run(
        &self,
        request: JobRequest,
        events: mpsc::Sender<JobEvent>,
        cancel: Cancel,
    ) -> EngineResult<Report> {
        if request.job.writes_elsewhere() && self.status.borrow().is_busy {
            // It changes nothing of the project, and so it need not wait.
            let mut reader = self.reader()?;
            let run = AssertUnwindSafe(reader.run(request, events, cancel));
            let answer = Box::pin(run.catch_unwind()).await.map_err(|_| lost_to_a_bug())?;
            return reader.name_root(answer);
        }
        self.ask(|reply| Message::Run { request, events, cancel, reply }).await
    }

    /// Gives queued pushes up, one or all of them; their versions go to the stash.
    pub async fn drop_queued(&self, id: Option<String>) -> EngineResult<DroppedPushes> {
        self.ask(|reply| Message::DropQueued { id, reply }).await
    }

    /// Lets versions of the stash go for good: those of these ids, or of their
    /// beginnings, or all.
    pub async fn drop_stashed(&self, ids: Option<Vec<String>>) -> EngineResult<Vec<Stashed>> {
        self.ask(|reply| Message::DropStashed { ids, reply }).await
    }

    pub fn phase(&self) -> Phase {
        self.status.borrow().phase.clone()
    }

    /// The job that runs, and how far it has come.
    pub fn job(&self) -> Option<JobProgress> {
        self.status.borrow().job.clone()
    }

    /// Asks the running job to end at its next safe point, and waits for that;
    /// `None` when no job runs.
    pub async fn cancel(&self) -> Option<Cancelled> {
        let mut status = self.status.clone();
        let (kind, begun) = {
            let now = status.borrow();
            (now.job.as_ref()?.kind, now.jobs_begun)
        };
        self.interrupt.cancel();
        let is_over = |now: &Status| now.job.is_none() || now.jobs_begun != begun;
        let commit = match status.wait_for(is_over).await {
            Ok(now) if now.jobs_begun == begun => now.last_commit,
            // Another job runs by now: what this one did stands in its report.
            Ok(_) | Err(_) => None,
        };
        Some(Cancelled { kind, commit })
    }

    /// What was wrong with the backend when it was last used.
    pub fn backend_fault(&self) -> Option<ProjectFault> {
        self.status.borrow().backend_fault.clone()
    }

    /// Whether deletions may wait for a person (B12); [`Self::tally`] knows it.
    pub fn may_leave_deletions(&self) -> bool {
        self.published.get().is_some_and(|reading| reading.may_leave_deletions())
    }

    /// The newest commit this machine has read.
    pub fn head(&self) -> u64 {
        self.status.borrow().head
    }

    /// Whether it has ended, by itself or because it was told to.
    pub fn is_closed(&self) -> bool {
        self.status.borrow().is_closed
    }

    /// Ends the project once the running step is done.
    pub async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.mailbox.send(Message::Close { reply }).await.is_ok() {
            let _ = closed.await;
        }
    }

    /// Asks a question: of the project itself while it has nothing else to do, so
    /// that it learns what is found; beside the job that runs otherwise (S5).
    async fn read<T>(
        &self,
        question: impl Fn(oneshot::Sender<EngineResult<T>>) -> Message,
    ) -> EngineResult<T> {
        let mut status = self.status.clone();
        let is_busy = status.borrow().is_busy;
        if !is_busy {
            tokio::select! {
                biased;
                answer = self.ask(&question) => return answer,
                // A job came before the question.
                busy = status.wait_for(|status| status.is_busy) => {
                    busy.map_err(|_| EngineError::Closed)?;
                }
            }
        }
        let (reply, answer) = oneshot::channel();
        let reading = self.published.get().ok_or(EngineError::Closed)?;
        let mut reader = reading.reader(self.phase_beside());
        Box::pin(mailbox::answer_beside(&mut reader, question(reply))).await;
        self.published.keep_look(&reading, &reader);
        answer.await.map_err(|_| lost_to_a_bug())?
    }

    /// A worker of its own on what is known now, which changes nothing.
    fn reader(&self) -> EngineResult<Worker> {
        let reading = self.published.get().ok_or(EngineError::Closed)?;
        Ok(reading.reader(self.phase_beside()))
    }

    /// Of a reader, which waits for no job.
    fn phase_beside(&self) -> Phase {
        match self.phase() {
            Phase::Busy(_) => Phase::Idle,
            phase => phase,
        }
    }

    /// The files of a commit (`None`: of the head), to be read whatever the project
    /// does meanwhile.
    pub fn snapshot(&self, seq: Option<u64>) -> EngineResult<Snapshot> {
        let reader = self.reader()?;
        Snapshot::of(reader.log.history(), seq, &reader.fetcher)
    }

    async fn ask<T>(
        &self,
        message: impl FnOnce(oneshot::Sender<EngineResult<T>>) -> Message,
    ) -> EngineResult<T> {
        let (reply, answer) = oneshot::channel();
        self.mailbox.send(message(reply)).await.map_err(|_| EngineError::Closed)?;
        answer.await.map_err(|_| match self.status.borrow().is_closed {
            true => EngineError::Closed,
            // A reply that never comes was lost to a panic; the project goes on.
            false => lost_to_a_bug(),
        })?
    }
}

fn lost_to_a_bug() -> EngineError {
    EngineError::Internal("it met a bug, which the daemon's log tells of".into())
}
