//! `ConflictService`: shows and settles what changed on both sides.

use mirror_engine::Job;
use mirror_proto::v1;
use tonic::{Request, Response, Status};

use super::run::only;
use crate::error::RequestError;
use crate::server::convert::conflict::{conflict, conflict_detail, resolution};
use crate::server::convert::fault::project_fault;
use crate::server::host::{Host, Streamed};

/// A result is one message: 64 MiB of content, and what stands around it.
pub(in crate::server) const LARGEST_REQUEST: usize = 64 * 1024 * 1024 + 64 * 1024;

#[tonic::async_trait]
impl v1::conflict_service_server::ConflictService for Host {
    type ResolveConflictStream = Streamed<v1::JobEvent>;

    async fn list_conflicts(
        &self,
        request: Request<v1::ListConflictsRequest>,
    ) -> Result<Response<v1::ListConflictsResponse>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("conflict list", async move {
            let (asked, patience) = host.asked_in_time(request.project).await?;
            let known = asked.project().conflicts_within(patience).await?;
            let home = &host.registry.folders.home;
            let fault = asked.stop().or(known.fault);
            Ok(v1::ListConflictsResponse {
                conflicts: known.answer.iter().map(conflict).collect(),
                fault: fault.map(|fault| project_fault(&fault, home)),
            })
        })
        .await
    }

    async fn show_conflict(
        &self,
        request: Request<v1::ShowConflictRequest>,
    ) -> Result<Response<v1::ConflictDetail>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("conflict show", async move {
            let (asked, patience) = host.asked_in_time(request.project).await?;
            let path = only(asked.names(request.folder, vec![request.path]).await?)?;
            let known = asked.project().conflict_within(path, patience).await?;
            let fault = asked.stop().or(known.fault);
            let fault = fault.map(|fault| project_fault(&fault, &host.registry.folders.home));
            Ok(v1::ConflictDetail { fault, ..conflict_detail(&known.answer) })
        })
        .await
    }

    async fn resolve_conflict(
        &self,
        request: Request<v1::ResolveConflictRequest>,
    ) -> Result<Response<Self::ResolveConflictStream>, Status> {
        let request = request.into_inner();
        let scope = v1::JobScope {
            project: request.project,
            paths: vec![request.path],
            folder: request.folder,
            ..v1::JobScope::default()
        };
        let (token, no_push) = (request.token, request.no_push);
        let resolution = resolution(request.resolution);
        Ok(self.job("conflict resolve", Some(scope), move |scope, _| {
            let path = only(scope.names)?;
            let resolution =
                resolution.ok_or_else(|| RequestError::usage("say what the result is"))?;
            Ok(Job::Resolve { path, resolution, token, no_push })
        }))
    }
}
