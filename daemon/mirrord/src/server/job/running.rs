//! The jobs that clients wait for, and what is known of each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mirror_engine::JobEvent;
use mirror_proto::v1;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::projects::cancellation::Cancellation;

/// Whoever waits for a cancelled job, or for its cancelling, is answered within
/// 2 s (S6): what can't be interrupted is left behind.
pub(in crate::server) const ANSWER: Duration = Duration::from_millis(1_800);

/// Every job that a client waits for, by the number of its request.
#[derive(Clone, Debug, Default)]
pub(in crate::server) struct RunningJobs(Arc<Mutex<BTreeMap<u64, RunningJob>>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Kind {
    OfProject,
    /// There is no project yet.
    SetUp,
}

/// One of them; clones are the same.
#[derive(Clone, Debug)]
pub(in crate::server) struct RunningJob {
    verb: &'static str,
    kind: Kind,
    pub(in crate::server) cancellation: Cancellation,
    known: watch::Sender<Known>,
}

/// What is known of a job before its result.
#[derive(Clone, Debug, Default)]
pub(in crate::server) struct Known {
    pub(in crate::server) project: String,
    pub(in crate::server) committed: Option<v1::Committed>,
    is_over: bool,
}

impl RunningJobs {
    pub(in crate::server) fn begin(
        &self,
        number: u64,
        verb: &'static str,
        kind: Kind,
    ) -> RunningJob {
        let (cancellation, known) = (Cancellation::new(), watch::Sender::default());
        let job = RunningJob { verb, kind, cancellation, known };
        self.jobs().insert(number, job.clone());
        job
    }

    pub(in crate::server) fn end(&self, number: u64) {
        if let Some(job) = self.jobs().remove(&number) {
            job.known.send_modify(|known| known.is_over = true);
        }
    }

    /// The one that its client knows by this id.
    pub(in crate::server) fn find(&self, id: &str) -> Option<RunningJob> {
        self.jobs().get(&id.parse().ok()?).cloned()
    }

    pub(in crate::server) fn of_kind(&self, kind: Kind) -> Vec<RunningJob> {
        self.jobs().values().filter(|job| job.kind == kind).cloned().collect()
    }

    /// Lets those be answered whose job the engine was asked to end.
    pub(in crate::server) fn follow_flags(&self) {
        self.jobs().values().for_each(|job| job.cancellation.follow_flag());
    }

    fn jobs(&self) -> MutexGuard<'_, BTreeMap<u64, RunningJob>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunningJob {
    pub(in crate::server) fn belongs_to(&self, project: &str) {
        self.known.send_modify(|known| project.clone_into(&mut known.project));
    }

    /// Remembers what is told of it.
    pub(in crate::server) fn note(&self, event: &JobEvent) {
        if let JobEvent::Committed { seq, id } = event {
            let commit = v1::Committed { seq: *seq, id: id.to_string() };
            self.known.send_modify(|known| known.committed = Some(commit));
        }
    }

    pub(in crate::server) fn known(&self) -> Known {
        self.known.borrow().clone()
    }

    /// Asks it to end, and waits for that as long as a caller may have to.
    pub(in crate::server) async fn cancel(&self) -> v1::CancelledJob {
        self.cancellation.ask();
        let mut known = self.known.subscribe();
        drop(timeout(ANSWER, known.wait_for(|known| known.is_over)).await);
        let Known { project, committed, .. } = self.known();
        let commit = committed.map(|commit| commit.seq);
        v1::CancelledJob { project, kind: self.verb.to_owned(), commit }
    }

    /// Waits until its client has to be answered without its result.
    pub(in crate::server) async fn is_overdue(&self) {
        self.cancellation.is_asked().await;
        sleep(ANSWER).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn cancelled_job_that_does_not_end_is_told_of_as_far_as_it_is_known() {
        let jobs = RunningJobs::default();
        let job = jobs.begin(7, "push", Kind::OfProject);
        job.belongs_to("notes");
        job.note(&JobEvent::Committed {
            seq: 43,
            id: "01J0000000000000000000000A".parse().unwrap(),
        });

        let told = jobs.find("7").unwrap().cancel().await;

        let told = (told.project.as_str(), told.kind.as_str(), told.commit);
        assert_eq!(told, ("notes", "push", Some(43)));
        assert!(job.cancellation.flag().is_cancelled());
        job.is_overdue().await;
    }

    #[tokio::test]
    async fn job_that_ended_is_found_no_more() {
        let jobs = RunningJobs::default();
        let job = jobs.begin(7, "push", Kind::OfProject);
        jobs.end(7);
        assert!(jobs.find("7").is_none() && jobs.find("x").is_none());
        assert_eq!(job.cancel().await.commit, None);
    }
}
