//! `DoctorService`: tries out what the daemon depends on.

use mirror_proto::v1;
use tonic::{Request, Response, Status};

use crate::doctor::Examination;
use crate::error::RequestError;
use crate::server::convert::settings::findings;
use crate::server::host::Host;
use crate::server::setup::project::pairs;

#[tonic::async_trait]
impl v1::doctor_service_server::DoctorService for Host {
    async fn try_backend(
        &self,
        request: Request<v1::TryBackendRequest>,
    ) -> Result<Response<v1::TryBackendResponse>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("try backend", async move {
            let registry = &host.registry;
            let settings = pairs(request.settings);
            let trial = async { Ok(registry.try_backend(&request.url, &settings).await) };
            let trial = registry.while_running::<_, RequestError>(trial).await?;
            Ok(v1::TryBackendResponse {
                findings: findings(&trial.findings, &registry.folders.home),
                url: trial.url.map(|url| url.to_string()).unwrap_or_default(),
                project: trial.project,
            })
        })
        .await
    }

    async fn check_auth(
        &self,
        request: Request<v1::CheckAuthRequest>,
    ) -> Result<Response<v1::CheckAuthResponse>, Status> {
        let project = request.into_inner().project;
        let host = self.clone();
        self.answer("auth", async move {
            let name = host.name_if_any(project).await?;
            let look = host.registry.check_auth(name.as_deref());
            let found = host.registry.while_running(look).await?;
            let findings = findings(&found, &host.registry.folders.home);
            Ok(v1::CheckAuthResponse { findings })
        })
        .await
    }

    async fn examine(
        &self,
        request: Request<v1::ExamineRequest>,
    ) -> Result<Response<v1::ExamineResponse>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("doctor", async move {
            let name = host.name_if_any(request.project).await?;
            let what = Examination {
                project: name,
                backend: request.backend,
                client: request.client_version,
            };
            let look = host.registry.examine(what, &host.facts);
            let found = host.registry.while_running(look).await?;
            let findings = findings(&found, &host.registry.folders.home);
            Ok(v1::ExamineResponse { findings })
        })
        .await
    }
}
