//! One project as the daemon holds it: a mailbox that runs one job at a time.

mod adopt;
mod commit;
mod consent;
mod delete;
mod diff;
mod export;
mod history;
mod landing;
mod mailbox;
mod observe;
mod reporting;
mod rounds;
mod settle;
mod setup;
mod showing;
mod stash;
mod status;
mod survey;
#[cfg(test)]
mod tests;
mod worker;

use std::sync::{Arc, Mutex};

use mirror_core::Digest;
use tokio::sync::{mpsc, oneshot};

pub use setup::{create, inspect};

use crate::api::{
    CommitSummary, EngineResult, FileDiff, JobEvent, JobRequest, LogPage, LogQuery, Parts, Phase,
    ProjectSpec, Report, Scope, SharedSettings, StatusReport,
};
use crate::error::EngineError;
use mailbox::Message;
use worker::Worker;

/// What can be told of a project without asking its mailbox.
#[derive(Debug)]
pub(crate) struct Facade {
    pub phase: Phase,
    pub head: u64,
}

/// A handle on a running project; clones share it. The project ends when
/// [`Project::close`] is called or the last handle is gone.
#[derive(Clone)]
pub struct Project {
    name: String,
    id: Digest,
    facade: Arc<Mutex<Facade>>,
    watch: Arc<dyn crate::outside::Watch>,
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
        let (name, watch) = (spec.name.clone(), parts.watch.clone());
        let worker = Worker::open(spec, parts).await?;
        let facade = worker.facade();
        let id = worker.project_id();
        let (mailbox, letters) = mpsc::channel(MAILBOX);
        tokio::spawn(mailbox::run(worker, letters));
        Ok(Self { name, id, facade, watch, mailbox })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The digest of commit 1.
    pub fn project_id(&self) -> Digest {
        self.id
    }

    /// Runs one job to its end. Dropping the future does not end the job.
    pub async fn run(
        &self,
        request: JobRequest,
        events: mpsc::Sender<JobEvent>,
    ) -> EngineResult<Report> {
        self.ask(|reply| Message::Run { request, events, reply }).await
    }

    pub async fn status(&self, offline: bool) -> EngineResult<StatusReport> {
        self.ask(|reply| Message::Status { offline, reply }).await
    }

    pub async fn diff(&self, scope: Scope, context_lines: usize) -> EngineResult<Vec<FileDiff>> {
        self.ask(|reply| Message::Diff { scope, context_lines, reply }).await
    }

    pub async fn log(&self, query: LogQuery) -> EngineResult<LogPage> {
        self.ask(|reply| Message::Log { query, reply }).await
    }

    /// Commits as they are seen, oldest first, after `after` (`None`: the head).
    pub async fn follow(&self, after: Option<u64>) -> EngineResult<mpsc::Receiver<CommitSummary>> {
        self.ask(|reply| Message::Follow { after, reply }).await
    }

    /// Name, patterns and excludes as the log has them now.
    pub async fn settings(&self) -> EngineResult<SharedSettings> {
        self.ask(|reply| Message::Settings { reply }).await
    }

    /// Looks at the head, and writes what the view still lacks. For the
    /// daemon's own round; tells whether something new was read.
    pub async fn poll(&self) -> EngineResult<bool> {
        self.ask(|reply| Message::Poll { reply }).await
    }

    pub fn phase(&self) -> Phase {
        self.facade.lock().expect("nobody panics with the facade").phase.clone()
    }

    /// The newest commit this machine has read.
    pub fn head(&self) -> u64 {
        self.facade.lock().expect("nobody panics with the facade").head
    }

    /// Whether file-system events arrive.
    pub fn is_watched(&self) -> bool {
        self.watch.is_live()
    }

    /// Ends the project once the running step is done.
    pub async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.mailbox.send(Message::Close { reply }).await.is_ok() {
            let _ = closed.await;
        }
    }

    async fn ask<T>(
        &self,
        message: impl FnOnce(oneshot::Sender<EngineResult<T>>) -> Message,
    ) -> EngineResult<T> {
        let ended = |what: &str| EngineError::Internal(what.to_owned());
        let closed = |_| ended("the project has been closed");
        let (reply, answer) = oneshot::channel();
        self.mailbox.send(message(reply)).await.map_err(closed)?;
        // A reply that never comes was lost to a panic; the project goes on.
        answer.await.map_err(|_| ended("it met a bug, which the daemon's log tells of"))?
    }
}
