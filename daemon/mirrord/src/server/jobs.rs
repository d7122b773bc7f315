//! Runs a job of a project and passes its events on to the client.

use mirror_engine::{JobEvent, JobRequest, Report};
use tokio::sync::mpsc;

use super::host::Events;
use crate::error::RequestError;
use crate::projects::Open;

/// Progress is dropped rather than let it fill the room that facts need.
const ROOM_FOR_FACTS: usize = 16;

/// Runs `request`; each event goes through `event` to the client.
pub(super) async fn run<T>(
    open: &Open,
    request: JobRequest,
    client: &Events<T>,
    event: impl Fn(JobEvent) -> T,
) -> Result<Report, RequestError> {
    let (sender, heard) = mpsc::channel(64);
    let run = async { Ok(open.project.run(request, sender).await?) };
    pass_on(run, heard, client, event).await
}

/// Awaits `work` while its events are passed on.
pub(super) async fn pass_on<T, R>(
    work: impl Future<Output = R>,
    mut heard: mpsc::Receiver<JobEvent>,
    client: &Events<T>,
    event: impl Fn(JobEvent) -> T,
) -> R {
    let tell = |heard: JobEvent| {
        let is_progress = matches!(heard, JobEvent::Progress(_));
        if !is_progress || client.capacity() > ROOM_FOR_FACTS {
            // A client that reads too slowly, or is gone, must not hold a job up.
            drop(client.try_send(Ok(event(heard))));
        }
    };
    tokio::pin!(work);
    let outcome = loop {
        tokio::select! {
            biased;
            Some(one) = heard.recv() => tell(one),
            outcome = &mut work => break outcome,
        }
    };
    while let Ok(one) = heard.try_recv() {
        tell(one);
    }
    outcome
}
