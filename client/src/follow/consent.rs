//! Runs a job, and asks a person for the consent that it lacks.

use mirror_proto::v1::{FaultClass, JobEvent, JobFinished, JobScope};
use tonic::{Response, Status, Streaming};

use super::stream::to_end;
use crate::connect::Daemon;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{escape, text};
use crate::terminal::{Answer, Terminal};

/// A call that begins a job of this scope.
pub(crate) trait Start:
    AsyncFn(Option<JobScope>) -> Result<Response<Streaming<JobEvent>>, Status>
{
}

impl<T> Start for T where
    T: AsyncFn(Option<JobScope>) -> Result<Response<Streaming<JobEvent>>, Status>
{
}

/// Whether a person may be asked for what the flags leave open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MayAsk {
    Yes,
    No,
}

/// Runs a job, again with consent when that is what it lacked.
pub(crate) async fn with_consent(
    context: &Context,
    daemon: &Daemon,
    scope: JobScope,
    may_ask: MayAsk,
    start: impl Start,
) -> Result<JobFinished, Failure> {
    let failure = match attempt(context, daemon, start(Some(scope.clone())).await).await {
        Err(failure) if failure.wants_consent() => failure,
        other => return other,
    };
    let Some(terminal) = context.terminal.as_ref().filter(|_| may_ask == MayAsk::Yes) else {
        return Err(failure);
    };
    if !agrees(terminal, &failure, "Go on?").await? {
        // Why was said with the question.
        return Err(Failure::new(FaultClass::Consent, "not agreed to; nothing was done"));
    }
    let agreed = JobScope { allow_deletes: true, ..scope };
    attempt(context, daemon, start(Some(agreed)).await).await.map_err(|mut again| {
        if again.fault == failure.fault {
            // As for a missing folder.
            again.fault.message = String::from("to agree is not enough; nothing was done");
        }
        again
    })
}

async fn attempt(
    context: &Context,
    daemon: &Daemon,
    begun: Result<Response<Streaming<JobEvent>>, Status>,
) -> Result<JobFinished, Failure> {
    to_end(context, daemon, begun?.into_inner()).await
}

/// Anything but yes is no.
pub(crate) async fn agrees(
    terminal: &Terminal,
    failure: &Failure,
    question: &str,
) -> Result<bool, Failure> {
    let message = escape::escape(&failure.fault.message);
    let folders = failure.fault.deletions.as_ref().map(text::fault::folders).unwrap_or_default();
    let question = format!("{message}\n{folders}{question} [y/N] ");
    match terminal.ask(&question).await? {
        Answer::Line(answer) => Ok(matches!(answer.trim(), "y" | "Y" | "yes")),
        Answer::End => Ok(false),
        Answer::Interrupted => Err(Failure::interrupted("interrupted; nothing was changed")),
    }
}
