//! `StashService`: local versions that lost their place.

use mirror_engine::{Job, Project, Stashed, chosen_of_stash, stashed};
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
            let versions = host.stash_of(request.project).await?;
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

    async fn drop_stash(
        &self,
        request: Request<v1::DropStashRequest>,
    ) -> Result<Response<v1::DropStashResponse>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("stash drop", async move {
            let ids = match (request.all, request.ids) {
                (true, ids) if ids.is_empty() => None,
                (false, ids) if !ids.is_empty() => Some(ids),
                _ => return Err(RequestError::usage("name stashed versions, or all of them")),
            };
            let versions = if request.dry_run {
                chosen_of_stash(host.stash_of(request.project).await?, ids.as_deref())?
            } else {
                let drop = async move |project: Project| project.drop_stashed(ids).await;
                host.of_own(request.project, drop).await?
            };
            Ok(v1::DropStashResponse { versions: versions.iter().map(stashed_version).collect() })
        })
        .await
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
        // What is kept, and that nothing is, is known without its log.
        Ok(self.registry.open(&name).await.map_or(Keeper::Folder(name), Keeper::Open))
    }

    async fn stash_of(
        &self,
        project: Option<v1::ProjectRef>,
    ) -> Result<Vec<Stashed>, RequestError> {
        Ok(match self.keeper(project).await? {
            Keeper::Open(open) => open.project.stash().await?,
            Keeper::Folder(name) => self.registry.kept_of(&name)?.stashed,
        })
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
