//! The projects of the fake daemon, and those that it is asked to set up.

use mirror_proto::v1::project_ref::By;
use mirror_proto::v1::project_service_server::ProjectService;
use mirror_proto::v1::{
    CloneProjectRequest, InitProjectRequest, ListProjectsRequest, ListProjectsResponse,
    PauseProjectRequest, PauseProjectResponse, ProjectSummary, QuickstartProjectRequest,
    RemoveProjectRequest, RemoveProjectResponse, SetUpEvent, SetUpFinished, set_up_event,
};
use tonic::{Request, Response, async_trait};

use super::{Answer, Events, RunningDaemon, Service, unasked};

/// The projects that were asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct SetUps {
    pub(crate) inits: Vec<InitProjectRequest>,
    pub(crate) clones: Vec<CloneProjectRequest>,
}

impl RunningDaemon {
    pub(crate) fn set_ups(&self) -> SetUps {
        self.service.0.set_ups.lock().expect("not poisoned").clone()
    }
}

fn set_up(name: Option<&str>, root: &str, url: &str) -> Events<SetUpEvent> {
    let finished = SetUpFinished {
        project: name.unwrap_or("unnamed").to_owned(),
        root: root.to_owned(),
        url: url.to_owned(),
        ..SetUpFinished::default()
    };
    let event = set_up_event::Event::Finished(finished);
    Box::pin(tokio_stream::iter([Ok(SetUpEvent { event: Some(event) })]))
}

#[async_trait]
impl ProjectService for Service {
    type InitProjectStream = Events<SetUpEvent>;
    type CloneProjectStream = Events<SetUpEvent>;
    type QuickstartProjectStream = Events<SetUpEvent>;

    async fn init_project(
        &self,
        request: Request<InitProjectRequest>,
    ) -> Answer<Events<SetUpEvent>> {
        let request = request.into_inner();
        let finished = set_up(request.name.as_deref(), &request.folder, &request.url);
        self.0.set_ups.lock().expect("not poisoned").inits.push(request);
        Ok(Response::new(finished))
    }

    async fn clone_project(
        &self,
        request: Request<CloneProjectRequest>,
    ) -> Answer<Events<SetUpEvent>> {
        let request = request.into_inner();
        let finished = set_up(request.name.as_deref(), &request.folder, &request.url);
        self.0.set_ups.lock().expect("not poisoned").clones.push(request);
        Ok(Response::new(finished))
    }

    async fn quickstart_project(
        &self,
        _: Request<QuickstartProjectRequest>,
    ) -> Answer<Events<SetUpEvent>> {
        unasked()
    }

    async fn list_projects(&self, _: Request<ListProjectsRequest>) -> Answer<ListProjectsResponse> {
        let mut names: Vec<_> = self.0.jobs.keys().cloned().collect();
        names.sort();
        let projects = names.into_iter().map(|name| ProjectSummary {
            root: format!("/{name}"),
            name,
            ..ProjectSummary::default()
        });
        Ok(Response::new(ListProjectsResponse {
            projects: projects.collect(),
            left_over: Vec::new(),
        }))
    }

    async fn remove_project(
        &self,
        _: Request<RemoveProjectRequest>,
    ) -> Answer<RemoveProjectResponse> {
        unasked()
    }

    /// As a daemon whose projects stand as they are asked to, `still` alone before.
    async fn pause_project(
        &self,
        request: Request<PauseProjectRequest>,
    ) -> Answer<PauseProjectResponse> {
        let PauseProjectRequest { project, paused } = request.into_inner();
        let Some(By::Name(project)) = project.and_then(|project| project.by) else {
            return unasked();
        };
        let (root, auto) = (format!("/{project}"), "both".to_owned());
        let changed = project != "still";
        Ok(Response::new(PauseProjectResponse { project, root, paused, changed, auto }))
    }
}
