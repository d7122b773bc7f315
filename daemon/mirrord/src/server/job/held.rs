//! `HeldService`: changes that an agent may run, and that wait for somebody here.

use mirror_engine::{HeldChoice, Job};
use mirror_proto::v1;
use tonic::{Request, Response, Status};

use super::run::only;
use crate::server::convert::fault::project_fault;
use crate::server::convert::held::{held_detail, held_file};
use crate::server::host::{Host, Streamed, names_in};
use crate::server::in_time::Teller;

#[tonic::async_trait]
impl v1::held_service_server::HeldService for Host {
    type AcceptHeldStream = Streamed<v1::JobEvent>;
    type RejectHeldStream = Streamed<v1::JobEvent>;

    async fn list_held(
        &self,
        request: Request<v1::ListHeldRequest>,
    ) -> Result<Response<v1::ListHeldResponse>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("held list", async move {
            let name = host.name_of(request.project).await?;
            let known = match host.teller(&name).await? {
                Teller::Open(open, patience) => open.project.held_within(patience).await?,
                Teller::Closed { error, .. } => return Err(error),
            };
            let home = &host.registry.folders.home;
            Ok(v1::ListHeldResponse {
                held: known.answer.iter().map(held_file).collect(),
                fault: known.fault.map(|fault| project_fault(&fault, home)),
            })
        })
        .await
    }

    async fn show_held(
        &self,
        request: Request<v1::ShowHeldRequest>,
    ) -> Result<Response<v1::HeldDetail>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("held show", async move {
            let name = host.name_of(request.project).await?;
            let (open, patience) = match host.teller(&name).await? {
                Teller::Open(open, patience) => (open, patience),
                Teller::Closed { error, .. } => return Err(error),
            };
            let path = only(names_in(&open, request.folder, vec![request.path]).await?)?;
            let known = open.project.held_detail_within(path, patience).await?;
            let home = &host.registry.folders.home;
            let fault = known.fault.map(|fault| project_fault(&fault, home));
            Ok(v1::HeldDetail { fault, ..held_detail(&known.answer, home) })
        })
        .await
    }

    async fn accept_held(
        &self,
        request: Request<v1::AcceptHeldRequest>,
    ) -> Result<Response<Self::AcceptHeldStream>, Status> {
        let v1::AcceptHeldRequest { scope, sha256: digits } = request.into_inner();
        Ok(self.job("held accept", scope, move |scope, _| {
            Ok(Job::AcceptHeld(HeldChoice { scope, digits }))
        }))
    }

    async fn reject_held(
        &self,
        request: Request<v1::RejectHeldRequest>,
    ) -> Result<Response<Self::RejectHeldStream>, Status> {
        let v1::RejectHeldRequest { scope, sha256: digits, for_everyone } = request.into_inner();
        Ok(self.job("held reject", scope, move |scope, _| {
            Ok(Job::RejectHeld { choice: HeldChoice { scope, digits }, for_everyone })
        }))
    }
}
