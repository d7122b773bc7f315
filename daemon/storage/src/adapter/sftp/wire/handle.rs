//! What is open on the server, closed by whoever holds it last.

use std::panic::resume_unwind;
use std::sync::Arc;

use openssh_sftp_client_lowlevel::HandleOwned;
use tokio::sync::OwnedSemaphorePermit;

use super::super::ssh::exit_reason::SftpFault;
use super::requests::{Answer, Failure, Reply};
use super::session::Session;

/// A file or folder that is open on the server, until it is dropped.
#[derive(Debug)]
pub(in crate::adapter::sftp) struct Opened {
    pub(in crate::adapter::sftp) session: Arc<Session>,
    pub(in crate::adapter::sftp) handle: HandleOwned,
    is_closed: bool,
    _place: OwnedSemaphorePermit,
}

impl Opened {
    /// Closes it, and waits until the server says so.
    pub(in crate::adapter::sftp) async fn close(mut self) -> Reply<()> {
        self.is_closed = true;
        self.session.close(&self.handle).await
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if !self.is_closed {
            drop(self.session.close(&self.handle));
        }
    }
}

/// Opens something, once the server has a place for it. Whoever stops waiting
/// leaves nothing open.
pub(in crate::adapter::sftp) async fn opened(
    session: &Arc<Session>,
    open: impl FnOnce(&Session) -> Answer<HandleOwned>,
) -> Reply<Opened> {
    opened_as(session, open, |opened| opened).await
}

/// The same for what is more than open: `hold` gets it even when nobody waits
/// any more, and what comes of that is dropped.
pub(in crate::adapter::sftp) async fn opened_as<T: Send + 'static>(
    session: &Arc<Session>,
    open: impl FnOnce(&Session) -> Answer<HandleOwned>,
    hold: impl FnOnce(Opened) -> T + Send + 'static,
) -> Reply<T> {
    let place = session.handles.clone().acquire_owned().await.expect("never closed");
    let (session, handle) = (session.clone(), open(session));
    let opening = tokio::spawn(async move {
        let handle = handle.await?;
        Ok(hold(Opened { session, handle, is_closed: false, _place: place }))
    });
    match opening.await {
        Ok(opened) => opened,
        Err(stopped) if stopped.is_panic() => resume_unwind(stopped.into_panic()),
        Err(_) => Err(Failure::Gone(SftpFault::ConnectionLost)),
    }
}
