//! `ConfigService`: shows and changes settings.

use mirror_proto::v1;
use tonic::{Request, Response, Status};

use crate::finding::Finding;
use crate::projects::SetRequest;
use crate::server::convert::settings::{effective, findings};
use crate::server::host::Host;

#[tonic::async_trait]
impl v1::config_service_server::ConfigService for Host {
    async fn list_settings(
        &self,
        request: Request<v1::ListSettingsRequest>,
    ) -> Result<Response<v1::ListSettingsResponse>, Status> {
        let project = request.into_inner().project;
        let host = self.clone();
        self.answer("config show", async move {
            let name = host.name_if_any(project).await?;
            let settings = host.registry.list_settings(name.as_deref()).await?;
            Ok(v1::ListSettingsResponse { settings: settings.iter().map(effective).collect() })
        })
        .await
    }

    async fn set_setting(
        &self,
        request: Request<v1::SetSettingRequest>,
    ) -> Result<Response<v1::SetSettingResponse>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("config set", async move {
            let project = host.name_if_any(request.project).await?;
            let set = SetRequest {
                project,
                key: request.key,
                value: request.value,
                shared: request.shared,
            };
            let setting = host.registry.set(set).await?;
            Ok(v1::SetSettingResponse { setting: Some(effective(&setting)) })
        })
        .await
    }

    async fn check_config(
        &self,
        _request: Request<v1::CheckConfigRequest>,
    ) -> Result<Response<v1::CheckConfigResponse>, Status> {
        let host = self.clone();
        self.answer("config check", async move {
            let checked: Vec<Finding> =
                host.registry.check_config().await.iter().map(Finding::from).collect();
            let findings = findings(&checked, &host.registry.folders.home);
            Ok(v1::CheckConfigResponse { findings })
        })
        .await
    }
}
