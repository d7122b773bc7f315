//! What a question learns of the backend: by a look of its own, beside the mailbox
//! and for as long as its caller can wait (decision 0047).
//!
//! A question never waits for a backend in the mailbox, where everybody else would
//! wait with it. What a look finds is handed to whoever answers.

use std::sync::Arc;
use std::time::Duration;

use mirror_core::Timestamp;
use mirror_storage::{FaultClass, StorageError};
use tokio::sync::Mutex;

use crate::api::{EngineResult, Phase, ProjectFault};
use crate::error::EngineError;
use crate::log::News;
use crate::project::worker::Worker;

/// What a look at the backend came to.
#[derive(Clone, Debug)]
pub(crate) enum Look {
    /// Nobody was asked.
    Offline,
    Found(News),
    Failed(ProjectFault),
}

/// Looks of one project for callers who can't wait: one at a time, so that a
/// server that hangs is asked once, however often somebody wants to know.
#[derive(Clone, Debug, Default)]
pub(crate) struct Looks(Arc<Mutex<()>>);

impl Looks {
    /// Looks for so long; `None` when that is over. The look goes on then, and `late`
    /// hears what came of it.
    pub(crate) async fn within<F>(
        &self,
        reader: Worker,
        patience: Duration,
        late: impl FnOnce(LateLook) -> F + Send + 'static,
    ) -> Option<Look>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let clock = reader.parts.outside.clock.clone();
        let (answer, answered) = tokio::sync::oneshot::channel();
        let looking = async {
            let turn = self.0.clone().lock_owned().await;
            let asked = clock.now();
            tokio::spawn(async move {
                let look = reader.look().await;
                drop(turn);
                if let Err(look) = answer.send(look) {
                    late(LateLook { look, asked }).await;
                }
            });
            answered.await.unwrap_or_else(|_| Look::Failed(bug()))
        };
        tokio::select! {
            biased;
            look = looking => Some(look),
            () = clock.wait(patience) => None,
        }
    }
}

/// What came of a look that nobody waited for any more.
#[derive(Debug)]
pub(crate) struct LateLook {
    look: Look,
    asked: Timestamp,
}

fn bug() -> ProjectFault {
    let what = "a look at the backend met a bug, which the daemon's log tells of";
    ProjectFault::of(&EngineError::Internal(what.to_owned()))
}

/// All that is known of a backend that does not answer in time.
pub(crate) fn no_answer(patience: Duration) -> ProjectFault {
    let cause = format!("no answer within {:.1} s", patience.as_secs_f64());
    ProjectFault::of(&StorageError::Unreachable(cause.into()).into())
}

impl Worker {
    /// Whether the head is still the head, and what comes after it.
    pub(crate) async fn look(&self) -> Look {
        match self.log.look().await {
            Ok(news) => Look::Found(news),
            Err(error) => Look::Failed(ProjectFault::of(&error)),
        }
    }

    /// Takes in what a look found. Gives why the answer goes by what was read
    /// before, if it does.
    pub(crate) async fn learn(&mut self, look: Look) -> Option<ProjectFault> {
        if let Phase::Stopped { reason, hint } = self.phase() {
            let class = FaultClass::Stopped;
            return Some(ProjectFault { class, message: reason, hint, of_backend: false });
        }
        let fault = match look {
            Look::Offline => return None,
            Look::Found(news) => match self.take_news(news).await {
                Ok(()) => return None,
                Err(error) => ProjectFault::of(&error),
            },
            Look::Failed(fault) => fault,
        };
        tracing::info!(reason = fault.message, "an answer goes by what was read before");
        self.note_backend_fault(&fault);
        Some(fault)
    }

    /// The same for a look that came too late for its question: a backend that was
    /// reached since is not away.
    pub(crate) async fn learn_late(&mut self, LateLook { look, asked }: LateLook) {
        let is_old = self.log.checked_at().is_some_and(|checked| checked >= asked);
        if !(is_old && matches!(look, Look::Failed(_))) {
            drop(self.learn(look).await);
        }
        self.publish();
    }

    async fn take_news(&mut self, news: News) -> EngineResult<()> {
        let taken = self.log.take_news(news).await;
        self.take_in(taken).await.map(drop)
    }
}
