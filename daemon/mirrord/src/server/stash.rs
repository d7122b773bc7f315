//! `StashService`: local versions that lost their place.

use std::io::{self, Read};

use mirror_engine::packs::Content;
use mirror_engine::{EngineError, Job, stashed};
use mirror_proto::v1;
use mirror_proto::v1::project_ref::By;
use tonic::{Request, Response, Status};

use super::convert::version::stashed_version;
use super::host::{Events, Host, Streamed};
use crate::error::{Refusal, RequestError};
use crate::projects::Open;

/// Small, as many of them may wait for a slow client.
const PIECE: u64 = 64 * 1024;

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
        let scope = v1::JobScope {
            project: request.project,
            dry_run: request.dry_run,
            ..v1::JobScope::default()
        };
        let id = request.id;
        Ok(self.job("stash restore", Some(scope), move |_, _| Ok(Job::RestoreStash { id })))
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
        if let Some(By::Name(name)) = project.as_ref().and_then(|project| project.by.as_ref())
            && self.registry.is_left_over(name)
        {
            return Ok(Keeper::Folder(name.clone()));
        }
        let name = self.name_of(project).await?;
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
        let sent = tokio::task::spawn_blocking(move || send(&id, &content, &pieces)).await;
        let last = sent.map_err(|_| Refusal::Panicked)?;
        Ok(last.map_err(EngineError::from)?)
    }
}

fn send(
    id: &str,
    content: &Content,
    pieces: &Events<v1::StashPiece>,
) -> io::Result<v1::StashPiece> {
    let mut rest = content.open()?;
    let mut last = piece(id, &mut rest)?;
    loop {
        let next = piece(id, &mut rest)?;
        if next.content.is_empty() {
            return Ok(last);
        }
        if pieces.blocking_send(Ok(std::mem::replace(&mut last, next))).is_err() {
            // The client is gone and wants no more.
            return Ok(last);
        }
    }
}

fn piece(id: &str, content: &mut impl Read) -> io::Result<v1::StashPiece> {
    let mut bytes = Vec::new();
    content.take(PIECE).read_to_end(&mut bytes)?;
    Ok(v1::StashPiece { content: bytes, id: id.to_owned() })
}
