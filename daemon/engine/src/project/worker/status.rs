//! What can be told of a project without asking its mailbox.

use tokio::sync::watch;

use crate::api::{JobProgress, Phase, Progress, ProjectFault};

/// How things stand now, for everybody at once.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    pub(crate) phase: Phase,
    pub(crate) head: u64,
    /// What was wrong with the backend when it was last used; `None` once a look at
    /// the head went well.
    pub(crate) backend_fault: Option<ProjectFault>,
    /// Letters that still wait are never read.
    pub(crate) is_closed: bool,
    /// A job or a round of the daemon runs: readers don't wait for it.
    pub(crate) is_busy: bool,
    pub(crate) job: Option<JobProgress>,
    pub(crate) jobs_begun: u64,
    /// The commit that the last job ended with.
    pub(crate) last_commit: Option<u64>,
}

/// Where the worker says how things stand.
#[derive(Clone, Debug)]
pub(crate) struct StatusBoard(watch::Sender<Status>);

impl StatusBoard {
    pub(crate) fn new(head: u64) -> Self {
        Self(watch::Sender::new(Status {
            phase: Phase::Idle,
            head,
            backend_fault: None,
            is_closed: false,
            is_busy: false,
            job: None,
            jobs_begun: 0,
            last_commit: None,
        }))
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Status> {
        self.0.subscribe()
    }

    pub(crate) fn phase(&self) -> Phase {
        self.0.borrow().phase.clone()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Status)) {
        self.0.send_modify(change);
    }

    pub(crate) fn begin_job(&self, kind: &'static str) {
        self.change(|status| {
            status.jobs_begun += 1;
            status.last_commit = None;
            let progress = Progress::default();
            status.job = Some(JobProgress { kind, commit: None, progress });
        });
    }

    pub(crate) fn end_job(&self) {
        self.change(|status| status.last_commit = status.job.take().and_then(|job| job.commit));
    }

    pub(crate) fn progress(&self, progress: &Progress) {
        self.change(|status| {
            if let Some(job) = &mut status.job {
                job.progress = progress.clone();
            }
        });
    }

    pub(crate) fn committed(&self, seq: u64) {
        self.change(|status| {
            if let Some(job) = &mut status.job {
                job.commit = Some(seq);
            }
        });
    }
}
