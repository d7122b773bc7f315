//! How a job ended: what is printed, and the exit code.

use mirror_proto::v1::{FailedFile, JobFinished};

use crate::context::{Context, Reported};
use crate::exit::Exit;
use crate::failure::{Failure, exit_for};
use crate::output::{json, text};

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
    if job.cancelled {
        return Exit::Interrupted;
    }
    let is_late = job.view_pending && waits;
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
    use mirror_proto::v1::{Committed, Fault, FaultClass};

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
        // That of an earlier commit waits as well.
        assert_eq!(exit(&JobFinished { commit: None, ..job }, true), Exit::Partial);
    }

    #[test]
    fn cancelled_job_is_told_as_such_whatever_else_is_true() {
        let job = JobFinished {
            cancelled: true,
            conflicts: vec!["b.md".to_owned()],
            ..JobFinished::default()
        };
        assert_eq!(exit(&job, true).code(), 130);
    }
}
