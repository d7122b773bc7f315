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

/// Asks about what the daemon refused. Anything but yes is no.
pub(crate) async fn agrees(
    terminal: &Terminal,
    failure: &Failure,
    question: &str,
) -> Result<bool, Failure> {
    let message = escape::escape(&failure.fault.message);
    let folders = failure.fault.deletions.as_ref().map(text::fault::folders).unwrap_or_default();
    says_yes(terminal, &format!("{message}\n{folders}{question} [y/N] ")).await
}

/// Whether a person agrees to what is about to be done, or `--yes` did; nobody else is
/// asked.
pub(crate) async fn agreed(context: &Context, about: About<'_>) -> Result<(), Failure> {
    let About { shown, question, refusal } = about;
    let Some(terminal) = &context.terminal else {
        context.output.say(|_| shown.to_owned())?;
        return Err(Failure::new(FaultClass::Consent, format!("{refusal}; nothing was done"))
            .with_hint("--yes does it without a question"));
    };
    match says_yes(terminal, &format!("{shown}{question} [y/N] ")).await? {
        true => Ok(()),
        false => Err(Failure::new(FaultClass::Consent, "not agreed to; nothing was done")),
    }
}

/// What a person is asked to agree to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    /// Stands above the question, escaped.
    pub(crate) shown: &'a str,
    pub(crate) question: &'a str,
    /// What is told where nobody can be asked.
    pub(crate) refusal: &'a str,
}

async fn says_yes(terminal: &Terminal, question: &str) -> Result<bool, Failure> {
    match terminal.ask(question).await? {
        Answer::Line(answer) => Ok(matches!(answer.trim(), "y" | "Y" | "yes")),
        Answer::End => Ok(false),
        Answer::Interrupted => Err(Failure::interrupted("interrupted; nothing was changed")),
    }
}
