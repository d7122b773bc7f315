//! `SyncService`: moves file content.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mirror_engine::real::LocalTree;
use mirror_engine::{Job, JobRequest, OutputTree, Scope};
use mirror_proto::v1;
use tonic::{Request, Response, Status};

use super::convert::job::{job_event, job_finished};
use super::host::{Events, Host, Streamed};
use super::jobs;
use crate::error::RequestError;
use crate::names::{in_project, resolved};
use crate::projects::Open;

/// What holds for any of the four requests.
struct Asked {
    project: Option<v1::ProjectRef>,
    paths: Vec<String>,
    folder: String,
    dry_run: bool,
    consent: bool,
}

/// Takes it out of a request; each has a type of its own.
macro_rules! asked {
    ($request:ident) => {
        Asked {
            project: $request.project,
            paths: $request.paths,
            folder: $request.folder,
            dry_run: $request.dry_run,
            consent: $request.allow_deletes,
        }
    };
}

#[tonic::async_trait]
impl v1::sync_service_server::SyncService for Host {
    type PushStream = Streamed<v1::JobEvent>;
    type PullStream = Streamed<v1::JobEvent>;
    type SyncStream = Streamed<v1::JobEvent>;
    type DeleteStream = Streamed<v1::JobEvent>;

    async fn push(
        &self,
        request: Request<v1::PushRequest>,
    ) -> Result<Response<Self::PushStream>, Status> {
        let request = request.into_inner();
        let asked = asked!(request);
        let (message, force_local) = (text(request.message), request.force_local);
        let no_wait = request.no_wait;
        Ok(self.job("push", asked, move |scope, _| {
            Ok(Job::Push { scope, message, force_local, no_wait })
        }))
    }

    async fn pull(
        &self,
        request: Request<v1::PullRequest>,
    ) -> Result<Response<Self::PullStream>, Status> {
        let request = request.into_inner();
        let asked = asked!(request);
        let output = text(request.output);
        Ok(self.job("pull", asked, move |scope, open| match output {
            None => Ok(Job::Pull { scope }),
            Some(output) => {
                let tree = output_tree(Path::new(&output), open)?;
                Ok(Job::Export { scope, output: Arc::new(OutputTree(Arc::new(tree))) })
            }
        }))
    }

    async fn sync(
        &self,
        request: Request<v1::SyncRequest>,
    ) -> Result<Response<Self::SyncStream>, Status> {
        let request = request.into_inner();
        let asked = asked!(request);
        let message = text(request.message);
        Ok(self.job("sync", asked, move |scope, _| Ok(Job::Sync { scope, message })))
    }

    async fn delete(
        &self,
        request: Request<v1::DeleteRequest>,
    ) -> Result<Response<Self::DeleteStream>, Status> {
        let request = request.into_inner();
        let names_none = request.paths.is_empty();
        let asked = asked!(request);
        let (message, keep_local) = (text(request.message), request.keep_local);
        Ok(self.job("delete", asked, move |scope, _| {
            if names_none {
                return Err(RequestError::usage("name the files to delete"));
            }
            Ok(Job::Delete { scope, keep_local, message })
        }))
    }
}

impl Host {
    fn job(
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
        let report = jobs::run(&open, request, &client, job_event).await?;
        let finished = job_finished(&open.config.name, &report, &self.registry.folders.home);
        Ok(v1::JobEvent { event: Some(v1::job_event::Event::Finished(finished)) })
    }
}

/// Where an export goes: a folder outside the project, whose last component is
/// made when it is missing.
fn output_tree(output: &Path, open: &Open) -> Result<LocalTree, RequestError> {
    let output: PathBuf = crate::names::without_dots(output);
    if !output.is_absolute() {
        return Err(RequestError::usage("the output folder is not absolute"));
    }
    if resolved(&output).starts_with(resolved(&open.config.root)) {
        return Err(RequestError::usage("the output folder lies inside the project"));
    }
    if !output.is_dir() {
        std::fs::create_dir(&output).map_err(|cause| RequestError::Folder {
            what: "can't make the folder",
            folder: output.clone(),
            cause: Some(cause),
            hint: "make the folders above it first",
        })?;
    }
    Ok(crate::parts::tree_at(&output))
}

fn text(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
