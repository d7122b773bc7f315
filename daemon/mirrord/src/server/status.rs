//! `StatusService`: compares this machine with the head.

use mirror_engine::{DiffQuery, Phase, Scope, StatusReport};
use mirror_proto::v1;
use tonic::{Request, Response, Status};

use super::convert::status::{file_diff, status_report, stopped_report};
use super::convert::version::version_name;
use super::host::{Host, names_in};
use crate::error::RequestError;

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

    async fn show_diff(
        &self,
        request: Request<v1::ShowDiffRequest>,
    ) -> Result<Response<v1::DiffReport>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("diff", async move {
            let open = host.project(request.project).await?;
            let (folder, paths) = (request.folder, request.paths);
            let names = names_in(&open, folder, paths).await?;
            let lines = usize::try_from(request.context_line_count).unwrap_or(usize::MAX);
            let version = |typed: Option<String>| typed.as_deref().map(version_name).transpose();
            let (from, to) = (version(request.from)?, version(request.to)?);
            let query = DiffQuery { scope: Scope { names }, context_lines: lines, from, to };
            let files = open.project.diff_of(query).await?;
            Ok(v1::DiffReport { files: files.iter().map(file_diff).collect() })
        })
        .await
    }
}

impl Host {
    async fn status(
        &self,
        request: v1::ShowStatusRequest,
    ) -> Result<v1::StatusReport, RequestError> {
        let name = self.name_of(request.project).await?;
        let home = &self.registry.folders.home;
        match self.registry.open(&name).await {
            Ok(open) => {
                let report: StatusReport = open.project.status(request.offline).await?;
                let leave_out = request.leave_out_in_sync;
                Ok(status_report(&open.config, &report, leave_out, home))
            }
            // A project that can't run is told of, not failed on.
            Err(error) => match self.registry.view(&name) {
                Some(view) if matches!(view.phase, Phase::Stopped { .. }) => {
                    Ok(stopped_report(&view, home))
                }
                _ => Err(error),
            },
        }
    }
}
