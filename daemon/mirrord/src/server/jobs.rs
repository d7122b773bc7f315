//! Runs a job of a project and passes its events on to the client.

use std::path::Path;
use std::sync::Arc;

use mirror_engine::{Job, JobEvent, JobRequest, OutputTree, Report, Scope};
use mirror_proto::v1;
use tokio::sync::mpsc;
use tonic::Response;

use super::convert::job::{job_event, job_finished};
use super::host::{Events, Host, Streamed};
use crate::error::RequestError;
use crate::names::{in_project, resolved, without_dots};
use crate::projects::Open;

/// Progress is dropped rather than let it fill the room that facts need.
const ROOM_FOR_FACTS: usize = 16;

/// What holds for any request that is a job.
pub(super) struct Asked {
    pub(super) project: Option<v1::ProjectRef>,
    pub(super) paths: Vec<String>,
    pub(super) folder: String,
    pub(super) dry_run: bool,
    pub(super) consent: bool,
}

impl Host {
    /// Runs the job that `job` makes of the names inside the project.
    pub(super) fn job(
        &self,
        verb: &'static str,
        asked: Asked,
        job: impl FnOnce(Scope, &Open) -> Result<Job, RequestError> + Send + 'static,
    ) -> Response<Streamed<v1::JobEvent>> {
        let host = self.clone();
        self.stream(verb, |client| async move { host.run_job(asked, job, client).await })
    }

    async fn run_job(
        &self,
        asked: Asked,
        job: impl FnOnce(Scope, &Open) -> Result<Job, RequestError>,
        client: Events<v1::JobEvent>,
    ) -> Result<v1::JobEvent, RequestError> {
        let open = self.project(asked.project).await?;
        let names = in_project(&resolved(&open.config.root), &asked.folder, &asked.paths)?;
        let request = JobRequest {
            job: job(Scope { names }, &open)?,
            dry_run: asked.dry_run,
            consent: asked.consent,
        };
        // Whoever asks again is never told an old cause; the job tells a new one.
        drop(self.registry.while_running(open.service.greet()).await);
        let report = run(&open, request, &client, job_event).await?;
        let finished = job_finished(&open.config.name, &report, &self.registry.folders.home);
        Ok(v1::JobEvent { event: Some(v1::job_event::Event::Finished(finished)) })
    }
}

/// Where files go that are not for the project: a folder outside it, whose last
/// component is made when it is missing, and nothing is only planned.
pub(super) fn output_tree(
    output: &str,
    open: &Open,
    dry_run: bool,
) -> Result<Arc<OutputTree>, RequestError> {
    let output = without_dots(Path::new(output));
    if !output.is_absolute() {
        return Err(RequestError::usage("the output folder is not absolute"));
    }
    if resolved(&output).starts_with(resolved(&open.config.root)) {
        return Err(RequestError::usage("the output folder lies inside the project"));
    }
    if !output.is_dir() && !dry_run {
        std::fs::create_dir(&output).map_err(|cause| RequestError::Folder {
            what: "can't make the folder",
            folder: output.clone(),
            cause: Some(cause),
            hint: "make the folders above it first",
        })?;
    }
    Ok(Arc::new(OutputTree(Arc::new(crate::parts::tree_at(&output)))))
}

/// The one file that a request is about.
pub(super) fn only(names: Vec<String>) -> Result<String, RequestError> {
    match <[String; 1]>::try_from(names) {
        Ok([name]) => Ok(name),
        Err(_) => Err(RequestError::usage("name one file, not the whole project")),
    }
}

/// An empty text of a request is one that was not given.
pub(super) fn text(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// Runs `request`; each event goes through `event` to the client.
pub(super) async fn run<T>(
    open: &Open,
    request: JobRequest,
    client: &Events<T>,
    event: impl Fn(JobEvent) -> T,
) -> Result<Report, RequestError> {
    let (sender, heard) = mpsc::channel(64);
    let run = async { Ok(open.project.run(request, sender).await?) };
    pass_on(run, heard, client, event).await
}

/// Awaits `work` while its events are passed on.
pub(super) async fn pass_on<T, R>(
    work: impl Future<Output = R>,
    mut heard: mpsc::Receiver<JobEvent>,
    client: &Events<T>,
    event: impl Fn(JobEvent) -> T,
) -> R {
    let tell = |heard: JobEvent| {
        let is_progress = matches!(heard, JobEvent::Progress(_));
        if !is_progress || client.capacity() > ROOM_FOR_FACTS {
            // A client that reads too slowly, or is gone, must not hold a job up.
            drop(client.try_send(Ok(event(heard))));
        }
    };
    tokio::pin!(work);
    let outcome = loop {
        tokio::select! {
            biased;
            Some(one) = heard.recv() => tell(one),
            outcome = &mut work => break outcome,
        }
    };
    while let Ok(one) = heard.try_recv() {
        tell(one);
    }
    outcome
}
