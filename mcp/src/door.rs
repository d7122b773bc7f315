//! What is said before both sides have agreed on how to talk.
//!
//! A client may first try requests of a revision that nobody here knows. Each gets the
//! answer that there is no such method, and the conversation goes on; a notification
//! that comes too early is not heard.

use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, ErrorCode, ErrorData, ServerJsonRpcMessage,
};
use rmcp::service::RoleServer;
use rmcp::transport::{IntoTransport, Transport};
use tokio::io::{AsyncRead, AsyncWrite};

pub(crate) struct Door<T> {
    inner: T,
    is_open: bool,
}

impl Door<()> {
    pub(crate) fn new<R, W>(
        streams: (R, W),
    ) -> Door<impl Transport<RoleServer, Error = std::io::Error>>
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let inner = IntoTransport::<RoleServer, std::io::Error, _>::into_transport(streams);
        Door { inner, is_open: false }
    }
}

impl<T: Transport<RoleServer>> Transport<RoleServer> for Door<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.inner.send(message)
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            let message = self.inner.receive().await?;
            if self.is_open {
                return Some(message);
            }
            let ClientJsonRpcMessage::Request(request) = message else { continue };
            match &request.request {
                ClientRequest::CustomRequest(unknown) => {
                    let method = unknown.method.clone();
                    let error = ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method, None);
                    let answer = ServerJsonRpcMessage::error(error, Some(request.id));
                    self.inner.send(answer).await.ok()?;
                    continue;
                }
                ClientRequest::InitializeRequest(_) => self.is_open = true,
                _ => {}
            }
            return Some(ClientJsonRpcMessage::Request(request));
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.inner.close().await
    }
}
