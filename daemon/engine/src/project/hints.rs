//! What makes a project look by itself: its round, and hints that something changed.

use super::Project;
use super::mailbox::Message;
use crate::api::EngineResult;

impl Project {
    /// Looks at the head, and writes what the view still lacks. For the
    /// daemon's own round; tells whether something new was read.
    pub async fn poll(&self) -> EngineResult<bool> {
        self.ask(|reply| Message::Poll { log_alone: false, reply }).await
    }

    /// Reads the log to its head, for whoever was told that it may have grown. What else
    /// a round does waits for the round.
    pub async fn read_on(&self) -> EngineResult<bool> {
        self.ask(|reply| Message::Poll { log_alone: true, reply }).await
    }

    /// Returns once the project has ended.
    pub async fn ended(&self) {
        let mut status = self.status.clone();
        // Without its worker, nobody changes it any more.
        drop(status.wait_for(|status| status.is_closed).await);
    }

    /// Whether file-system events arrive.
    pub fn is_watched(&self) -> bool {
        self.watch.is_live()
    }

    /// Has `wake` called at each change that events tell of from now on. Only the
    /// first call of this counts.
    pub fn on_change(&self, wake: impl Fn() + Send + Sync + 'static) {
        self.watch.on_change(Box::new(wake));
    }
}
