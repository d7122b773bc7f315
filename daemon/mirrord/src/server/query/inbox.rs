//! `InboxService`: what others did since a reader last looked.

use mirror_proto::v1;
use tonic::{Request, Response, Status};

use crate::server::convert::inbox::{inbox, read_of};
use crate::server::host::Host;
use crate::server::in_time::Teller;

#[tonic::async_trait]
impl v1::inbox_service_server::InboxService for Host {
    async fn read_inbox(
        &self,
        request: Request<v1::ReadInboxRequest>,
    ) -> Result<Response<v1::Inbox>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("inbox", async move {
            let name = host.name_of(request.project).await?;
            match host.teller(&name).await? {
                Teller::Open(open, patience) => {
                    let (reader, peek) = (&request.reader, request.peek);
                    let unread = open.project.inbox(reader, peek, Some(patience)).await?;
                    Ok(inbox(&name, &unread, &host.registry.folders.home))
                }
                Teller::Closed { error, .. } => Err(error),
            }
        })
        .await
    }

    async fn confirm_inbox(
        &self,
        request: Request<v1::ConfirmInboxRequest>,
    ) -> Result<Response<v1::ConfirmInboxResponse>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("inbox", async move {
            let open = host.project(request.project).await?;
            let shown = read_of(request.shown.unwrap_or_default());
            open.project.confirm_inbox(&request.reader, &shown).await?;
            Ok(v1::ConfirmInboxResponse {})
        })
        .await
    }
}
