//! `ProjectService`: sets up and takes down projects.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mirror_engine::{JobEvent, Kept};
use mirror_proto::v1;
use tokio::sync::mpsc;
use tonic::{Request, Response, Status};

use crate::error::{Refusal, RequestError};
use crate::projects::{ChosenPreset, SetUp, SetUpKind, SetUpOutcome, View};
use crate::server::convert::fault::{fault_of, project_fault};
use crate::server::convert::job::{covered, progress, set_up_finished};
use crate::server::convert::kept::kept_versions;
use crate::server::convert::status::{listed_reason, listed_state};
use crate::server::host::{Host, Streamed};
use crate::server::job::run::{Caller, pass_on};
use crate::server::job::running::Kind;
use crate::services::{BackendUrl, UrlError};

#[tonic::async_trait]
impl v1::project_service_server::ProjectService for Host {
    type InitProjectStream = Streamed<v1::SetUpEvent>;
    type CloneProjectStream = Streamed<v1::SetUpEvent>;
    type QuickstartProjectStream = Streamed<v1::SetUpEvent>;

    async fn init_project(
        &self,
        request: Request<v1::InitProjectRequest>,
    ) -> Result<Response<Self::InitProjectStream>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        Ok(self.job_stream("init", Kind::SetUp, |client, job| async move {
            let plan = SetUp {
                kind: SetUpKind::Init {
                    push: false,
                    join: request.join,
                    consent: request.allow_deletes,
                },
                folder: absolute(&request.folder)?,
                url: url(&request.url, &request.typed_in)?,
                name: request.name,
                preset: ChosenPreset::of(&request.preset, request.preset_parts)?,
                patterns: request.patterns,
                excludes: request.excludes,
                gitignore: request.gitignore,
                settings: pairs(request.settings),
            };
            host.set_up(plan, &Caller { client, job }).await
        }))
    }

    async fn clone_project(
        &self,
        request: Request<v1::CloneProjectRequest>,
    ) -> Result<Response<Self::CloneProjectStream>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        Ok(self.job_stream("clone", Kind::SetUp, |client, job| async move {
            let plan = SetUp {
                kind: SetUpKind::Clone { pull: !request.no_pull },
                folder: absolute(&request.folder)?,
                url: url(&request.url, &request.typed_in)?,
                name: request.name,
                preset: None,
                patterns: request.patterns,
                excludes: Vec::new(),
                gitignore: false,
                settings: pairs(request.settings),
            };
            host.set_up(plan, &Caller { client, job }).await
        }))
    }

    async fn quickstart_project(
        &self,
        request: Request<v1::QuickstartProjectRequest>,
    ) -> Result<Response<Self::QuickstartProjectStream>, Status> {
        let folder = request.into_inner().folder;
        let host = self.clone();
        Ok(self.job_stream("quickstart", Kind::SetUp, |client, job| async move {
            let caller = Caller { client, job };
            let folder = match folder.as_str() {
                "" => None,
                folder => Some(absolute(folder)?),
            };
            let (events, heard) = mpsc::channel(64);
            let work = host.registry.quickstart(folder, events, &caller.job.cancellation);
            let outcome = pass_on(work, heard, &caller, set_up_event).await;
            host.finished(outcome)
        }))
    }

    async fn list_projects(
        &self,
        _request: Request<v1::ListProjectsRequest>,
    ) -> Result<Response<v1::ListProjectsResponse>, Status> {
        self.registry.await_first_round().await;
        let home = &self.registry.folders.home;
        let views = self.registry.views();
        let waiting = self.waiting_for_consent(&views).await;
        let projects = views.iter().map(|view| summary(view, &waiting, home)).collect();
        let left_over =
            self.registry.left_over().into_iter().map(|(name, kept)| left_over(name, kept, home));
        let left_over = left_over.collect();
        Ok(Response::new(v1::ListProjectsResponse { projects, left_over }))
    }

    async fn remove_project(
        &self,
        request: Request<v1::RemoveProjectRequest>,
    ) -> Result<Response<v1::RemoveProjectResponse>, Status> {
        let v1::RemoveProjectRequest { name, discard } = request.into_inner();
        let registry = self.registry.clone();
        self.answer("remove", async move {
            let dropped = registry.remove(&name, discard).await?;
            let discarded = Some(kept_versions(&dropped)).filter(|_| !dropped.is_empty());
            Ok(v1::RemoveProjectResponse { discarded })
        })
        .await
    }

    async fn pause_project(
        &self,
        request: Request<v1::PauseProjectRequest>,
    ) -> Result<Response<v1::PauseProjectResponse>, Status> {
        let v1::PauseProjectRequest { project, paused } = request.into_inner();
        let host = self.clone();
        self.answer(if paused { "pause" } else { "resume" }, async move {
            let name = host.name_of(project).await?;
            let changed = host.registry.pause(&name, paused).await?;
            let config = host.registry.view(&name).and_then(|view| view.config);
            let root = config.as_ref().map(|config| config.root.display().to_string());
            let auto = config.map(|config| config.auto.mode().word().to_owned());
            let (root, auto) = (root.unwrap_or_default(), auto.unwrap_or_default());
            Ok(v1::PauseProjectResponse { project: name, root, paused, changed, auto })
        })
        .await
    }
}

impl Host {
    async fn set_up(
        &self,
        plan: SetUp,
        caller: &Caller<v1::SetUpEvent>,
    ) -> Result<v1::SetUpEvent, RequestError> {
        let (events, heard) = mpsc::channel(64);
        let work = self.registry.set_up(plan, events, &caller.job.cancellation);
        let outcome = pass_on(work, heard, caller, set_up_event).await;
        self.finished(outcome)
    }

    fn finished(
        &self,
        outcome: Result<SetUpOutcome, RequestError>,
    ) -> Result<v1::SetUpEvent, RequestError> {
        let finished = match outcome {
            Ok(outcome) => set_up_finished(&outcome, &self.registry.folders.home),
            // Before there was a project: all of it was taken back.
            Err(error) if matches!(error.as_raised(), Some(Refusal::Cancelled)) => {
                v1::SetUpFinished { cancelled: true, ..v1::SetUpFinished::default() }
            }
            Err(error) => return Err(error),
        };
        Ok(v1::SetUpEvent { event: Some(v1::set_up_event::Event::Finished(finished)) })
    }
}

/// Setting up tells how far it has come; its commit is told at the end.
fn set_up_event(event: JobEvent) -> v1::SetUpEvent {
    let progress = match event {
        JobEvent::Covered(found) => {
            let event = v1::set_up_event::Event::Covered(covered(&found));
            return v1::SetUpEvent { event: Some(event) };
        }
        JobEvent::Progress(so_far) => progress(&so_far),
        JobEvent::Committed { .. } => {
            v1::Progress { step: "committed".into(), ..v1::Progress::default() }
        }
    };
    v1::SetUpEvent { event: Some(v1::set_up_event::Event::Progress(progress)) }
}

fn summary(view: &View, waiting: &BTreeSet<String>, home: &Path) -> v1::ProjectSummary {
    let config = view.config.as_ref();
    v1::ProjectSummary {
        name: view.name.clone(),
        project_id: view.open.as_ref().map(|open| open.project.project_id().to_string()),
        root: config.map(|config| config.root.display().to_string()).unwrap_or_default(),
        url: config.map(|config| config.url.to_string()).unwrap_or_default(),
        state: listed_state(view, waiting).into(),
        reason: listed_reason(view, waiting, home),
        fault: view.fault.as_ref().map(|fault| project_fault(fault, home)),
    }
}

fn left_over(name: String, kept: Result<Kept, RequestError>, home: &Path) -> v1::LeftOver {
    match kept {
        Ok(kept) => v1::LeftOver { name, kept: Some(kept_versions(&kept)), fault: None },
        Err(error) => v1::LeftOver { name, kept: None, fault: Some(fault_of(&error, home)) },
    }
}

fn url(text: &str, typed_in: &str) -> Result<BackendUrl, UrlError> {
    match typed_in {
        "" => BackendUrl::parse(text),
        folder => BackendUrl::typed(text, Path::new(folder)),
    }
}

pub(in crate::server) fn pairs(settings: Vec<v1::Setting>) -> Vec<(String, String)> {
    settings.into_iter().map(|setting| (setting.key, setting.value)).collect()
}

fn absolute(folder: &str) -> Result<PathBuf, RequestError> {
    let folder = PathBuf::from(folder);
    if folder.is_absolute() {
        return Ok(folder);
    }
    Err(RequestError::usage(format!("the folder {} is not absolute", folder.display())))
}
