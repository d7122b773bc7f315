//! What a running job tells, and gathers for its report.

use mirror_core::{RelPath, Timestamp};
use tokio::sync::mpsc;

use crate::api::{JobEvent, Notice, NoticeKind, Progress, Report};

/// So many events of a job can always be told, however slow the listener is.
const RESERVED_EVENTS: usize = 8;

/// What a running job tells, and gathers for its report.
pub(crate) struct Reporter {
    pub(crate) events: mpsc::Sender<JobEvent>,
    pub(crate) report: Report,
    pub(crate) dry_run: bool,
    pub(crate) consent: bool,
}

impl Reporter {
    /// For work of the daemon's own, which nobody listens to.
    pub(crate) fn unheard() -> Self {
        let (events, _) = mpsc::channel(1);
        Self { events, report: Report::default(), dry_run: false, consent: false }
    }

    /// Progress is dropped rather than waited for when nobody reads it.
    pub(crate) fn progress(&self, progress: Progress) {
        // Room is left for what matters more.
        if self.events.capacity() > RESERVED_EVENTS {
            let _ = self.events.try_send(JobEvent::Progress(progress));
        }
    }

    pub(crate) fn notice(
        &mut self,
        kind: NoticeKind,
        path: Option<&RelPath>,
        message: String,
        time: Timestamp,
    ) {
        self.report.notices.push(Notice { kind, path: path.cloned(), message, time });
    }
}
