//! `QueueService`: work that waits for a backend.

use mirror_core::RelPath;
use mirror_engine::DroppedPushes;
use mirror_proto::v1;
use mirror_proto::v1::drop_queued_request::Which;
use tonic::{Request, Response, Status};

use crate::error::RequestError;
use crate::server::convert::fault::project_fault;
use crate::server::convert::kept::{committed_push, queued_push};
use crate::server::convert::status::queued_work;
use crate::server::convert::version::stashed_version;
use crate::server::host::Host;

#[tonic::async_trait]
impl v1::queue_service_server::QueueService for Host {
    async fn list_queue(
        &self,
        request: Request<v1::ListQueueRequest>,
    ) -> Result<Response<v1::ListQueueResponse>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("queue list", async move {
            let asked = host.asked(request.project).await?;
            let queue = asked.project().queue().await?;
            let home = &host.registry.folders.home;
            Ok(v1::ListQueueResponse {
                fault: asked.stop().map(|fault| project_fault(&fault, home)),
                pushes: queue.pushes.iter().map(queued_push).collect(),
                work: queue.work.iter().map(|work| queued_work(work, home)).collect(),
            })
        })
        .await
    }

    async fn drop_queued(
        &self,
        request: Request<v1::DropQueuedRequest>,
    ) -> Result<Response<v1::DropQueuedResponse>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("queue drop", async move {
            let which = match request.which {
                Some(Which::Id(id)) => Some(id),
                Some(Which::All(true)) => None,
                Some(Which::All(false)) | None => {
                    return Err(RequestError::usage("the request names no queued push"));
                }
            };
            let dropped = host.drop_queued_of(request.project, which).await?;
            let unanswered = dropped.unanswered.iter().map(ToString::to_string);
            Ok(v1::DropQueuedResponse {
                unanswered: unanswered.collect(),
                pushes: dropped.pushes.iter().map(queued_push).collect(),
                stashed: dropped.stashed.iter().map(stashed_version).collect(),
                committed: dropped.committed.iter().map(committed_push).collect(),
                gone: dropped.gone.iter().map(RelPath::to_string).collect(),
            })
        })
        .await
    }
}

impl Host {
    /// Also of a project that can't be opened: nobody is asked then.
    async fn drop_queued_of(
        &self,
        project: Option<v1::ProjectRef>,
        which: Option<String>,
    ) -> Result<DroppedPushes, RequestError> {
        let name = self.name_of_any(project).await?;
        let error = match self.registry.open(&name).await {
            Ok(open) => return Ok(open.project.drop_queued(which).await?),
            Err(error) => error,
        };
        let aside = self.registry.keep_aside(&name).await.ok_or(error)??;
        let dropped = aside.project.drop_queued(which).await;
        aside.close().await;
        Ok(dropped?)
    }
}
