//! `StashService`: local versions that lost their place.

use mirror_engine::{Job, stashed};
use mirror_proto::v1;
use tonic::{Request, Response, Status};

use crate::error::RequestError;
use crate::projects::Open;
use crate::server::convert::version::stashed_version;
use crate::server::host::{Events, Host, Streamed};
use crate::server::job::run::{output_tree, text};
use crate::server::pieces::send_content;

#[tonic::async_trait]
impl v1::stash_service_server::StashService for Host {
    type ReadStashStream = Streamed<v1::StashPiece>;
    type RestoreStashStream = Streamed<v1::JobEvent>;

    async fn list_stash(
        &self,
        request: Request<v1::ListStashRequest>,
    ) -> Result<Response<v1::ListStashResponse>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("stash list", async move {
            let versions = match host.keeper(request.project).await? {
                Keeper::Open(open) => open.project.stash().await?,
                Keeper::Folder(name) => host.registry.kept_of(&name)?.stashed,
            };
            Ok(v1::ListStashResponse { versions: versions.iter().map(stashed_version).collect() })
        })
        .await
    }

    async fn read_stash(
        &self,
        request: Request<v1::ReadStashRequest>,
    ) -> Result<Response<Self::ReadStashStream>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        Ok(self.stream("stash show", |pieces| async move { host.read(request, pieces).await }))
    }

    async fn restore_stash(
        &self,
        request: Request<v1::RestoreStashRequest>,
    ) -> Result<Response<Self::RestoreStashStream>, Status> {
        let request = request.into_inner();
        let (id, output, dry_run) = (request.id, text(request.output), request.dry_run);
        let scope = v1::JobScope { project: request.project, dry_run, ..v1::JobScope::default() };
        let own = self.registry.own_places();
        Ok(self.job_aside("stash restore", Some(scope), move |_, place| {
            let tree = |output: String| output_tree(&output, place, own, dry_run);
            Ok(Job::RestoreStash { id, output: output.map(tree).transpose()? })
        }))
    }
}

/// Who can be asked for what a project keeps.
enum Keeper {
    Open(Open),
    /// The data folder of this name: its project can't be opened, or is none any
    /// more.
    Folder(String),
}

impl Host {
    async fn keeper(&self, project: Option<v1::ProjectRef>) -> Result<Keeper, RequestError> {
        let name = self.name_of_any(project).await?;
        if self.registry.is_left_over(&name) {
            return Ok(Keeper::Folder(name));
        }
        match self.registry.open(&name).await {
            Ok(open) => Ok(Keeper::Open(open)),
            Err(error) => match self.registry.kept_of(&name)?.stashed.is_empty() {
                true => Err(error),
                false => Ok(Keeper::Folder(name)),
            },
        }
    }

    /// Sends all pieces but the last, and gives that one.
    async fn read(
        &self,
        request: v1::ReadStashRequest,
        pieces: Events<v1::StashPiece>,
    ) -> Result<v1::StashPiece, RequestError> {
        let (stashed, content) = match self.keeper(request.project).await? {
            Keeper::Open(open) => open.project.stashed(request.id).await?,
            Keeper::Folder(name) => {
                let disk = self.registry.data_of(&name);
                stashed(&disk, &disk, &request.id)?
            }
        };
        let id = stashed.id.to_string();
        send_content(content, pieces, move |content| v1::StashPiece { content, id: id.clone() })
            .await
    }
}
