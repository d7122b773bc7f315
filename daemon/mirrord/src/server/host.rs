//! What every service shares: the projects, and how a request is run.
//!
//! Each request runs in a task of its own: a panic ends that request alone. When
//! the client goes away a request goes on to its end, and a job is cancelled
//! unless it has told of a commit.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mirror_core::patterns::MEMORY_FOLDER;
use mirror_proto::v1::{ProjectRef, project_ref};
use mirror_storage::FaultClass;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status};
use tracing::Instrument;

use super::convert::fault::status_of;
use super::convert::job::JobStream;
use super::job::running::{Kind, RunningJob, RunningJobs};
use crate::config::ProjectConfig;
use crate::error::{Refusal, RequestError};
use crate::facts::Facts;
use crate::path_args::{in_project, resolved, without_dots};
use crate::projects::{Open, Registry};

/// Events that a slow client has not read yet.
const EVENT_ROOM: usize = 256;

/// Events to the client of one stream.
pub(super) type Events<T> = mpsc::Sender<Result<T, Status>>;

/// What a streaming call answers.
pub(super) type Streamed<T> = ReceiverStream<Result<T, Status>>;

/// The daemon as its services see it.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) registry: Arc<Registry>,
    pub(super) facts: Arc<Facts>,
    pub(super) running: RunningJobs,
    requests: Arc<AtomicU64>,
}

impl Host {
    pub(crate) fn new(registry: Arc<Registry>, facts: Facts) -> Self {
        Self {
            registry,
            facts: Arc::new(facts),
            running: RunningJobs::default(),
            requests: Arc::default(),
        }
    }

    /// Runs one request to its end and gives its answer.
    pub(super) async fn answer<T: Send + 'static>(
        &self,
        verb: &'static str,
        work: impl Future<Output = Result<T, RequestError>> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        let (_, span) = self.span(verb);
        let task = tokio::spawn(work.instrument(span.clone()));
        let outcome = task.await.unwrap_or_else(|_| Err(Refusal::Panicked.into()));
        outcome.map(Response::new).map_err(|error| span.in_scope(|| self.refusal(&error)))
    }

    /// Runs one request that tells events on its way; its outcome is the last
    /// of them.
    pub(super) fn stream<T, F>(
        &self,
        verb: &'static str,
        work: impl FnOnce(Events<T>) -> F,
    ) -> Response<Streamed<T>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, RequestError>> + Send + 'static,
    {
        let (events, unread) = mpsc::channel(EVENT_ROOM);
        let (_, span) = self.span(verb);
        let task = tokio::spawn(work(events.clone()).instrument(span.clone()));
        let host = self.clone();
        tokio::spawn(async move {
            let outcome = task.await.unwrap_or_else(|_| Err(Refusal::Panicked.into()));
            let last = outcome.map_err(|error| span.in_scope(|| host.refusal(&error)));
            // The client may be gone; the work is done all the same.
            drop(events.send(last).await);
        });
        Response::new(ReceiverStream::new(unread))
    }

    /// Runs a job that tells events on its way. Its client can cancel it, and is
    /// answered soon then, whatever the job still waits for.
    pub(super) fn job_stream<T, F>(
        &self,
        verb: &'static str,
        kind: Kind,
        work: impl FnOnce(Events<T>, RunningJob) -> F,
    ) -> Response<Streamed<T>>
    where
        T: JobStream,
        F: Future<Output = Result<T, RequestError>> + Send + 'static,
    {
        let (events, unread) = mpsc::channel(EVENT_ROOM);
        let (number, span) = self.span(verb);
        let job = self.running.begin(number, verb, kind);
        // There is room: it is the first.
        drop(events.try_send(Ok(T::begun(number.to_string()))));
        let task = tokio::spawn(work(events.clone(), job.clone()).instrument(span.clone()));
        let host = self.clone();
        tokio::spawn(async move {
            let outcome = outcome_of(task, &events, &job).await;
            host.running.end(number);
            let last = outcome.map_err(|error| span.in_scope(|| host.refusal(&error)));
            drop(events.send(last).await);
        });
        Response::new(ReceiverStream::new(unread))
    }

    /// The number of a request, and where its log lines belong.
    fn span(&self, verb: &'static str) -> (u64, tracing::Span) {
        let id = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        (id, tracing::info_span!("request", id, verb))
    }

    fn refusal(&self, error: &RequestError) -> Status {
        // What a stopping daemon cuts off is no fault of ours.
        let stopping = RequestError::from(Refusal::Stopping);
        let error = match error.class() {
            FaultClass::Internal if *self.registry.stopping().borrow() => &stopping,
            _ => error,
        };
        tracing::info!(class = ?error.class(), reason = error.message(), "the request failed");
        status_of(error, &self.registry.folders.home)
    }

    /// The name of the project that a request is about.
    pub(super) async fn name_of(
        &self,
        project: Option<ProjectRef>,
    ) -> Result<String, RequestError> {
        match project.and_then(|project| project.by) {
            Some(project_ref::By::Name(name)) => self.registry.named(&name),
            Some(project_ref::By::Folder(folder)) => self.registry.at(Path::new(&folder)).await,
            None => Err(RequestError::usage("the request names no project")),
        }
    }

    /// The same for a request that may be about none.
    pub(super) async fn name_if_any(
        &self,
        project: Option<ProjectRef>,
    ) -> Result<Option<String>, RequestError> {
        match project {
            Some(project) => Ok(Some(self.name_of(Some(project)).await?)),
            None => Ok(None),
        }
    }

    /// The project that a request is about, running.
    pub(super) async fn project(&self, project: Option<ProjectRef>) -> Result<Open, RequestError> {
        let name = self.name_of(project).await?;
        self.registry.open(&name).await
    }
}

/// How a job ended, or what is known of it by the time its client can't wait.
async fn outcome_of<T: JobStream>(
    mut task: JoinHandle<Result<T, RequestError>>,
    client: &Events<T>,
    job: &RunningJob,
) -> Result<T, RequestError> {
    let hangs_up = async {
        client.closed().await;
        if job.known().committed.is_none() {
            job.cancellation.ask();
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        outcome = &mut task => outcome.unwrap_or_else(|_| Err(Refusal::Panicked.into())),
        () = hangs_up => Err(Refusal::Cancelled.into()),
        () = job.is_overdue() => {
            tracing::warn!("a cancelled job is left behind: it waits for what can't be interrupted");
            Ok(T::cut_off(job.known()))
        }
    }
}

/// What is meant by paths as they are typed in `folder`.
pub(super) async fn names_in(
    open: &Open,
    folder: String,
    typed: Vec<String>,
) -> Result<Vec<String>, RequestError> {
    beside(open, move |open| {
        let root = resolved(&open.config.root);
        let typed: Vec<String> =
            typed.into_iter().map(|one| shared(&open.config, &root, &folder, one)).collect();
        Ok(in_project(&root, &folder, &typed)?)
    })
    .await
}

/// What somebody means who names a file in a mapped folder by where it lies.
fn shared(config: &ProjectConfig, root: &Path, folder: &str, typed: String) -> String {
    let place = without_dots(&Path::new(folder).join(&typed));
    let name = config.memory.iter().find_map(|(name, mapped)| {
        let rest = place.strip_prefix(&mapped.folder).ok()?;
        Some(root.join(MEMORY_FOLDER).join(name).join(rest))
    });
    name.map_or(typed, |name| name.to_string_lossy().into_owned())
}

/// Does `work` on a project where waiting for its disk holds up nobody else.
pub(super) async fn beside<T: Send + 'static>(
    open: &Open,
    work: impl FnOnce(&Open) -> Result<T, RequestError> + Send + 'static,
) -> Result<T, RequestError> {
    let open = open.clone();
    spawn_blocking(move || work(&open)).await.unwrap_or_else(|_| Err(Refusal::Panicked.into()))
}
