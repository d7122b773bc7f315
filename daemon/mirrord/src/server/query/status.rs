//! `StatusService`: compares this machine with the head.

use mirror_engine::{DiffQuery, Scope};
use mirror_proto::v1;
use tonic::{Request, Response, Status};

use crate::error::RequestError;
use crate::server::convert::status::{closed_report, file_diff, of_closed, status_report};
use crate::server::convert::version::version_name;
use crate::server::host::Host;
use crate::server::in_time::Teller;

#[tonic::async_trait]
impl v1::status_service_server::StatusService for Host {
    async fn show_status(
        &self,
        request: Request<v1::ShowStatusRequest>,
    ) -> Result<Response<v1::StatusReport>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("status", async move { host.status(request).await }).await
    }

    async fn glance(
        &self,
        request: Request<v1::GlanceRequest>,
    ) -> Result<Response<v1::StatusGlance>, Status> {
        Ok(Response::new(self.glance_at(request.into_inner().project).await))
    }

    async fn show_diff(
        &self,
        request: Request<v1::ShowDiffRequest>,
    ) -> Result<Response<v1::DiffReport>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("diff", async move {
            let asked = host.asked(request.project).await?;
            let names = asked.names(request.folder, request.paths).await?;
            let lines = usize::try_from(request.context_line_count).unwrap_or(usize::MAX);
            let version = |typed: Option<String>| typed.as_deref().map(version_name).transpose();
            let (from, to) = (version(request.from)?, version(request.to)?);
            let query = DiffQuery { scope: Scope { names }, context_lines: lines, from, to };
            let files = asked.project().diff_of(query).await?;
            let home = &host.registry.folders.home;
            Ok(v1::DiffReport { files: files.iter().map(|file| file_diff(file, home)).collect() })
        })
        .await
    }
}

impl Host {
    /// What is wrong is told of, not failed on.
    async fn status(
        &self,
        request: v1::ShowStatusRequest,
    ) -> Result<v1::StatusReport, RequestError> {
        let name = self.name_of(request.project).await?;
        let leave_out = request.leave_out_in_sync;
        let home = &self.registry.folders.home;
        match self.teller(&name).await? {
            Teller::Open(open, patience) => {
                let report = match request.offline {
                    true => open.project.status(true).await?,
                    false => open.project.status_within(patience).await?,
                };
                // As they are now: whether it is paused changes while it runs.
                let config = self.registry.view(&name).and_then(|view| view.config);
                let config = config.as_ref().unwrap_or(&open.config);
                Ok(status_report(config, &report, leave_out, home))
            }
            Teller::Closed { view, .. } => Ok(match self.registry.last_known(&name).await {
                Some((config, known)) => {
                    let told = status_report(&config, &known, leave_out, home);
                    of_closed(told, &view, home)
                }
                None => closed_report(&view, home),
            }),
        }
    }
}
