//! Asks one request to end.
//!
//! The engine sees a flag, between steps. What waits for something else hears
//! of it at once.

use mirror_engine::Cancel;
use tokio::sync::watch;

use crate::error::{Refusal, RequestError};

/// Clones ask the same request.
#[derive(Clone, Debug)]
pub(crate) struct Cancellation {
    flag: Cancel,
    is_asked: watch::Sender<bool>,
}

impl Cancellation {
    pub(crate) fn new() -> Self {
        Self { flag: Cancel::new(), is_asked: watch::Sender::new(false) }
    }

    pub(crate) fn ask(&self) {
        self.flag.cancel();
        self.is_asked.send_replace(true);
    }

    /// For the engine.
    pub(crate) fn flag(&self) -> Cancel {
        self.flag.clone()
    }

    /// Lets those hear of it who wait, when the engine's flag was raised.
    pub(crate) fn follow_flag(&self) {
        if self.flag.is_cancelled() {
            self.ask();
        }
    }

    /// Waits until the request is to end.
    pub(crate) async fn is_asked(&self) {
        // The sender is ours: there is always one.
        drop(self.is_asked.subscribe().wait_for(|asked| *asked).await);
    }

    /// Waits for something that leaves nothing half-done, unless the request is
    /// to end.
    pub(crate) async fn unless_asked<T>(
        &self,
        wait: impl Future<Output = Result<T, RequestError>>,
    ) -> Result<T, RequestError> {
        tokio::select! {
            waited = wait => waited,
            () = self.is_asked() => Err(Refusal::Cancelled.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn what_is_waited_for_ends_when_it_is_asked_to() {
        let cancellation = Cancellation::new();
        let done = cancellation.unless_asked(ready(Ok(7))).await;
        assert_eq!(done.unwrap(), 7);

        cancellation.ask();

        let cut_off = cancellation.unless_asked(pending::<Result<(), _>>()).await;
        let error = cut_off.unwrap_err();
        assert!(matches!(error.as_raised(), Some(Refusal::Cancelled)));
        assert!(cancellation.flag().is_cancelled());
    }

    #[tokio::test]
    async fn flag_that_the_engine_raised_is_heard_of() {
        let cancellation = Cancellation::new();
        cancellation.follow_flag();
        cancellation.flag().cancel();

        cancellation.follow_flag();

        cancellation.is_asked().await;
    }
}
