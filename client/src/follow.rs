//! Follows a job of the daemon's to its end, and asks for consent on the way.

use mirror_proto::v1::{
    Committed, FailedFile, FaultClass, JobEvent, JobFinished, JobScope, Progress, SetUpEvent,
    SetUpFinished, job_event, set_up_event,
};
use tonic::{Response, Status, Streaming};

use crate::context::{Context, Reported};
use crate::exit::Exit;
use crate::failure::{Failure, exit_for};
use crate::output::{escape, json, text};
use crate::terminal::{Answer, Terminal};

/// What a stream of the daemon's says next.
#[derive(Debug)]
pub(crate) enum Step<F> {
    Progress(Progress),
    Committed(Committed),
    Finished(F),
}

/// An event of a stream that ends with exactly one `finished`.
pub(crate) trait Event {
    type Finished;

    /// `None` for what a newer daemon says and we don't know.
    fn step(self) -> Option<Step<Self::Finished>>;
}

impl Event for JobEvent {
    type Finished = JobFinished;

    fn step(self) -> Option<Step<JobFinished>> {
        Some(match self.event? {
            job_event::Event::Progress(progress) => Step::Progress(progress),
            job_event::Event::Committed(committed) => Step::Committed(committed),
            job_event::Event::Finished(finished) => Step::Finished(finished),
        })
    }
}

impl Event for SetUpEvent {
    type Finished = SetUpFinished;

    fn step(self) -> Option<Step<SetUpFinished>> {
        Some(match self.event? {
            set_up_event::Event::Progress(progress) => Step::Progress(progress),
            set_up_event::Event::Finished(finished) => Step::Finished(finished),
        })
    }
}

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
    scope: JobScope,
    may_ask: MayAsk,
    start: impl Start,
) -> Result<JobFinished, Failure> {
    let failure = match attempt(context, start(Some(scope.clone())).await).await {
        Err(failure) if failure.wants_consent() => failure,
        other => return other,
    };
    let Some(terminal) = context.terminal.as_ref().filter(|_| may_ask == MayAsk::Yes) else {
        return Err(failure);
    };
    if !agrees(terminal, &failure).await? {
        // Why was said with the question.
        return Err(Failure::new(FaultClass::Consent, "not agreed to; nothing was done"));
    }
    let agreed = JobScope { allow_deletes: true, ..scope };
    attempt(context, start(Some(agreed)).await).await.map_err(|mut again| {
        if again.fault == failure.fault {
            // As for a missing folder.
            again.fault.message = String::from("to agree is not enough; nothing was done");
        }
        again
    })
}

async fn attempt(
    context: &Context,
    begun: Result<Response<Streaming<JobEvent>>, Status>,
) -> Result<JobFinished, Failure> {
    to_end(context, begun?.into_inner()).await
}

/// Shows how a job comes along, until it has finished.
pub(crate) async fn to_end<E: Event>(
    context: &Context,
    mut events: Streaming<E>,
) -> Result<E::Finished, Failure> {
    let mut line = context.output.progress();
    let mut reached = Reached::default();
    loop {
        let event = tokio::select! {
            event = events.message() => event?,
            _ = tokio::signal::ctrl_c() => return Err(reached.interrupted()),
        };
        let Some(event) = event else {
            return Err(Failure::internal("the daemon ended the job without a result"));
        };
        match event.step() {
            Some(Step::Progress(progress)) => {
                line.draw(&progress);
                reached.progress = progress;
            }
            Some(Step::Committed(committed)) => {
                line.clear();
                context.output.say(|paint| text::job::committed(&committed, paint))?;
                reached.committed = Some(committed.seq);
            }
            Some(Step::Finished(finished)) => return Ok(finished),
            None => {}
        }
    }
}

/// How far a job had come when the person lost patience.
#[derive(Debug, Default)]
struct Reached {
    progress: Progress,
    committed: Option<u64>,
}

impl Reached {
    fn interrupted(&self) -> Failure {
        let Progress { done_file_count: done, total_file_count: total, .. } = self.progress;
        let what = match (self.committed, total) {
            (Some(seq), _) => format!("interrupted; commit #{seq} is made and safe"),
            (None, 0) => "interrupted; no commit was seen yet".to_owned(),
            (None, _) => {
                format!("interrupted after {done} of {total} files; no commit was seen yet")
            }
        };
        Failure::interrupted(what).with_hint(
            "`mirrorctl status` says where things stand; the same command goes on from there",
        )
    }
}

/// Anything but yes is no.
async fn agrees(terminal: &Terminal, failure: &Failure) -> Result<bool, Failure> {
    let question = format!("{}\nGo on? [y/N] ", escape::escape(&failure.fault.message));
    match terminal.ask(&question).await? {
        Answer::Line(answer) => Ok(matches!(answer.trim(), "y" | "Y" | "yes")),
        Answer::End => Ok(false),
        Answer::Interrupted => Err(Failure::interrupted("interrupted; nothing was changed")),
    }
}

/// Prints how a job ended.
pub(crate) fn report(
    context: &Context,
    job: &JobFinished,
    waits: bool,
) -> Result<Reported, Failure> {
    let is_quiet = !context.output.is_chatty();
    let told = context
        .output
        .tell(|| json::job::finished(job), |paint| text::job::finished(job, is_quiet, paint))?;
    if !job.conflicts.is_empty() {
        context.output.say(text::conflict::hint)?;
    }
    Ok(Reported { exit: exit(job, waits), told })
}

/// The exit code for how a job ended; `waits` for the plain files too.
pub(crate) fn exit(job: &JobFinished, waits: bool) -> Exit {
    let is_late = job.view_pending && waits && job.commit.is_some();
    if job.queued || is_late {
        Exit::Partial.or(exit_of(&job.conflicts, &job.failed))
    } else {
        exit_of(&job.conflicts, &job.failed)
    }
}

/// The exit code for paths that wait for a person and files that failed.
pub(crate) fn exit_of(conflicts: &[String], failed: &[FailedFile]) -> Exit {
    let waiting = (!conflicts.is_empty()).then_some(Exit::Conflicts);
    let files = failed.iter().map(|file| {
        let fault = file.fault.as_ref();
        // One file that failed is a part; only lost access says more.
        match fault.map(|fault| exit_for(fault.class())) {
            Some(Exit::AccessNeeded) => Exit::AccessNeeded,
            _ => Exit::Partial,
        }
    });
    waiting.into_iter().chain(files).collect()
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::{Fault, FaultClass};

    use super::*;

    fn failed(class: FaultClass) -> FailedFile {
        FailedFile {
            path: "a.md".to_owned(),
            fault: Some(Fault { class: class.into(), ..Fault::default() }),
        }
    }

    #[test]
    fn job_that_did_everything_is_done() {
        assert_eq!(exit(&JobFinished::default(), true), Exit::Done);
    }

    #[test]
    fn job_ends_with_what_matters_most() {
        let mut job = JobFinished { queued: true, ..JobFinished::default() };
        assert_eq!(exit(&job, true), Exit::Partial);
        job.conflicts.push("b.md".to_owned());
        assert_eq!(exit(&job, true), Exit::Conflicts);
        job.failed.push(failed(FaultClass::Usage));
        assert_eq!(exit(&job, true), Exit::Conflicts);
        job.failed.push(failed(FaultClass::Auth));
        assert_eq!(exit(&job, true), Exit::AccessNeeded);
    }

    #[test]
    fn late_view_counts_only_for_those_who_wait() {
        let job = JobFinished {
            commit: Some(Committed::default()),
            view_pending: true,
            ..JobFinished::default()
        };
        assert_eq!(exit(&job, true), Exit::Partial);
        assert_eq!(exit(&job, false), Exit::Done);
    }

    #[test]
    fn interruption_says_what_is_done() {
        let mut reached = Reached::default();
        reached.progress.done_file_count = 3;
        reached.progress.total_file_count = 9;
        let message = reached.interrupted().fault.message;
        assert!(message.contains("3 of 9 files"), "{message}");

        reached.committed = Some(43);
        let failure = reached.interrupted();
        assert!(failure.fault.message.contains("#43"));
        assert_eq!(failure.exit.code(), 130);
    }
}
