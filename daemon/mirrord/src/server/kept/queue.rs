//! `QueueService`: work that waits for a backend.

use mirror_core::RelPath;
use mirror_engine::Project;
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
            let drop = async move |project: Project| project.drop_queued(which).await;
            let dropped = host.of_own(request.project, drop).await?;
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
