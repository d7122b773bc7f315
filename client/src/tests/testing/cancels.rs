//! Pushes of the fake daemon that end only when they are cancelled.

use std::sync::Mutex;

use mirror_proto::v1::cancel_request::Which;
use mirror_proto::v1::{CancelRequest, CancelResponse, JobEvent, JobFinished, job_event};
use tokio::sync::{mpsc, watch};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{FakeDaemon, RunningDaemon, Service};

#[derive(Debug, Default)]
pub(super) struct Cancels {
    /// Pushes go on until they are cancelled.
    are_waited_for: bool,
    /// How such a push ends; without one, it never does.
    ending: Option<JobFinished>,
    response: CancelResponse,
    asked: Mutex<Vec<Which>>,
    count: watch::Sender<usize>,
}

impl FakeDaemon {
    /// A push goes on once it has said all, and when it is cancelled ends so,
    /// or not at all.
    pub(crate) fn working_until_cancelled(mut self, ending: Option<JobFinished>) -> Self {
        self.0.cancels.are_waited_for = true;
        self.0.cancels.ending = ending;
        self
    }

    /// What `cancel` is answered.
    pub(crate) fn cancelling(mut self, response: CancelResponse) -> Self {
        self.0.cancels.response = response;
        self
    }
}

impl RunningDaemon {
    /// What was to be cancelled.
    pub(crate) fn cancels(&self) -> Vec<Which> {
        self.service.0.cancels.asked.lock().expect("not poisoned").clone()
    }

    /// Waits until something was to be cancelled.
    pub(crate) async fn is_asked_to_cancel(&self) {
        self.service.0.cancels.is_asked().await;
    }

    /// Ctrl-C in the command that runs, or in the next one.
    pub(crate) fn presses_ctrl_c(&self) {
        self.presses.notify_one();
    }
}

impl Cancels {
    pub(super) fn are_waited_for(&self) -> bool {
        self.are_waited_for
    }

    pub(super) fn answer(&self, request: CancelRequest) -> CancelResponse {
        self.asked.lock().expect("not poisoned").extend(request.which);
        self.count.send_modify(|count| *count += 1);
        self.response.clone()
    }

    async fn is_asked(&self) {
        self.count.subscribe().wait_for(|count| *count > 0).await.expect("the sender is ours");
    }
}

impl Service {
    pub(super) fn once_cancelled(
        &self,
    ) -> impl Stream<Item = Result<JobEvent, Status>> + Send + use<> {
        let (events, unread) = mpsc::channel(1);
        let service = self.clone();
        tokio::spawn(async move {
            let cancels = &service.0.cancels;
            cancels.is_asked().await;
            if let Some(finished) = cancels.ending.clone() {
                let event = job_event::Event::Finished(finished);
                let _ = events.send(Ok(JobEvent { event: Some(event) })).await;
            }
            events.closed().await;
        });
        ReceiverStream::new(unread)
    }
}
