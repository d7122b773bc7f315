//! What is open on the server, closed by whoever holds it last.

use std::panic::resume_unwind;
use std::sync::Arc;

use openssh_sftp_client_lowlevel::HandleOwned;
use tokio::sync::OwnedSemaphorePermit;

use super::line::{Ending, LastWords};
use super::requests::{Answer, Failure, Reply};
use super::session::Session;

/// A file or folder that is open on the server, until it is dropped.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) session: Arc<Session>,
    /// What the server calls it.
    pub(crate) id: HandleOwned,
    is_closed: bool,
    _place: OwnedSemaphorePermit,
}

impl Handle {
    /// Opens something, once the server has a place for it. Whoever stops
    /// waiting leaves nothing open.
    pub(crate) async fn open(
        session: &Arc<Session>,
        open: impl FnOnce(&Session) -> Answer<HandleOwned>,
    ) -> Reply<Self> {
        Self::open_as(session, open, |handle| handle).await
    }

    /// The same for what is more than open: `hold` gets it even when nobody
    /// waits any more, and what comes of that is dropped.
    pub(crate) async fn open_as<T: Send + 'static>(
        session: &Arc<Session>,
        open: impl FnOnce(&Session) -> Answer<HandleOwned>,
        hold: impl FnOnce(Self) -> T + Send + 'static,
    ) -> Reply<T> {
        let place = session.handles.clone().acquire_owned().await.expect("never closed");
        let (session, answer) = (session.clone(), open(session));
        let opening = tokio::spawn(async move {
            let id = answer.await?;
            Ok(hold(Self { session, id, is_closed: false, _place: place }))
        });
        match opening.await {
            Ok(opened) => opened,
            Err(stopped) if stopped.is_panic() => resume_unwind(stopped.into_panic()),
            Err(_) => Err(Failure::Gone(Ending::Lost(LastWords::default()))),
        }
    }

    /// Closes it, and waits until the server says so.
    pub(crate) async fn close(mut self) -> Reply<()> {
        self.is_closed = true;
        self.session.close(&self.id).await
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if !self.is_closed {
            drop(self.session.close(&self.id));
        }
    }
}
