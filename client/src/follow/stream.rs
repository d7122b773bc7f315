//! Shows how a job comes along, event by event.

use mirror_proto::v1::cancel_request::Which;
use mirror_proto::v1::{CancelRequest, Committed, Progress};
use tonic::Streaming;

use super::events::{Event, Step};
use super::patience::{Patience, Wish};
use crate::connect::Daemon;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::text;

/// Follows a job until it has finished, or until nobody waits any more.
pub(crate) async fn to_end<E: Event>(
    context: &Context,
    daemon: &Daemon,
    mut events: Streaming<E>,
) -> Result<E::Finished, Failure> {
    let mut patience = Patience::new(&context.interrupts)?;
    let mut line = context.output.progress();
    let mut reached = Reached::default();
    loop {
        let event = tokio::select! {
            event = events.message() => event?,
            wish = patience.is_lost() => match wish {
                Wish::Cancel => {
                    line.draw_words("cancelling; Ctrl-C again leaves at once");
                    reached.cancel(daemon);
                    continue;
                }
                Wish::Leave if context.output.is_json() => return Ok(E::cut_off(reached.committed)),
                Wish::Leave => return Err(reached.left()),
            },
        };
        let Some(event) = event else {
            return Err(Failure::internal("the daemon ended the job without a result"));
        };
        match event.step() {
            Some(Step::Begun(begun)) => reached.begin(begun.id, daemon),
            Some(Step::Progress(progress)) => {
                line.draw(&progress);
                reached.progress = progress;
            }
            Some(Step::Committed(committed)) => {
                line.clear();
                context.output.say(|paint| text::job::committed(&committed, paint))?;
                reached.committed = Some(committed);
            }
            Some(Step::Covered(covered)) => {
                line.clear();
                context.output.say(|paint| text::project::covered(&covered, paint))?;
            }
            Some(Step::Finished(finished)) => return Ok(finished),
            None => {}
        }
    }
}

/// How far a job has come, by what was told of it.
#[derive(Debug, Default)]
struct Reached {
    job_id: Option<String>,
    is_to_be_cancelled: bool,
    progress: Progress,
    committed: Option<Committed>,
}

impl Reached {
    fn begin(&mut self, job_id: String, daemon: &Daemon) {
        self.job_id = Some(job_id);
        if self.is_to_be_cancelled {
            self.cancel(daemon);
        }
    }

    /// Asks beside the stream, which tells how it went.
    fn cancel(&mut self, daemon: &Daemon) {
        self.is_to_be_cancelled = true;
        if let Some(job_id) = self.job_id.clone() {
            let mut service = daemon.sync();
            let request = CancelRequest { which: Some(Which::JobId(job_id)) };
            tokio::spawn(async move { drop(service.cancel(request).await) });
        }
    }

    fn left(&self) -> Failure {
        let Progress { done_file_count: done, total_file_count: total, .. } = self.progress;
        let what = match (&self.committed, total) {
            (Some(commit), _) => format!("interrupted; commit #{} is made and safe", commit.seq),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_leaves_hears_how_far_it_came() {
        let mut reached = Reached::default();
        reached.progress.done_file_count = 3;
        reached.progress.total_file_count = 9;
        let message = reached.left().fault.message;
        assert!(message.contains("3 of 9 files"), "{message}");

        reached.committed = Some(Committed { seq: 43, id: String::new() });
        let failure = reached.left();
        assert!(failure.fault.message.contains("#43"));
        assert_eq!(failure.exit.code(), 130);
    }
}
