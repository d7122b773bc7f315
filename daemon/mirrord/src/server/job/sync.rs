//! `SyncService`: moves file content.

use mirror_engine::{Job, Settle};
use mirror_proto::v1;
use tonic::{Request, Response, Status};

use super::run::{output_tree, text};
use crate::error::RequestError;
use crate::server::host::{Host, Streamed};

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
        let (message, force_local) = (text(request.message), request.force_local);
        let no_wait = request.no_wait;
        Ok(self.job("push", request.scope, move |scope, _| {
            Ok(Job::Push { scope, message, force_local, no_wait })
        }))
    }

    async fn pull(
        &self,
        request: Request<v1::PullRequest>,
    ) -> Result<Response<Self::PullStream>, Status> {
        let request = request.into_inner();
        let (output, own) = (text(request.output), self.registry.own_places());
        let dry_run = request.scope.as_ref().is_some_and(|scope| scope.dry_run);
        Ok(self.job("pull", request.scope, move |scope, place| match output {
            None => Ok(Job::Pull { scope }),
            Some(output) => {
                Ok(Job::Export { scope, output: output_tree(&output, place, own, dry_run)? })
            }
        }))
    }

    async fn sync(
        &self,
        request: Request<v1::SyncRequest>,
    ) -> Result<Response<Self::SyncStream>, Status> {
        let request = request.into_inner();
        let (message, settle) = (text(request.message), settle(request.strategy));
        Ok(self
            .job("sync", request.scope, move |scope, _| Ok(Job::Sync { scope, message, settle })))
    }

    async fn cancel(
        &self,
        request: Request<v1::CancelRequest>,
    ) -> Result<Response<v1::CancelResponse>, Status> {
        let which = request.into_inner().which;
        let host = self.clone();
        self.answer("cancel", async move {
            Ok(v1::CancelResponse { cancelled: host.cancel_which(which).await? })
        })
        .await
    }

    async fn delete(
        &self,
        request: Request<v1::DeleteRequest>,
    ) -> Result<Response<Self::DeleteStream>, Status> {
        let request = request.into_inner();
        let names_none = request.scope.as_ref().is_none_or(|scope| scope.paths.is_empty());
        let (message, keep_local) = (text(request.message), request.keep_local);
        let ignored = request.ignored;
        Ok(self.job("delete", request.scope, move |scope, _| {
            if names_none {
                return Err(RequestError::usage("name the files to delete"));
            }
            match ignored {
                true => Ok(Job::DeleteIgnored { scope, message }),
                false => Ok(Job::Delete { scope, keep_local, message }),
            }
        }))
    }
}

/// What a client asks for that doesn't know the field is that it waits.
fn settle(strategy: i32) -> Settle {
    match v1::Strategy::try_from(strategy) {
        Ok(v1::Strategy::KeepLocal) => Settle::KeepLocal,
        Ok(v1::Strategy::KeepRemote) => Settle::KeepRemote,
        Ok(v1::Strategy::Unspecified | v1::Strategy::Merge) | Err(_) => Settle::Wait,
    }
}
