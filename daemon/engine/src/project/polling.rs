//! The daemon's own round: the log, the queue and the view, without a caller.
//!
//! What it has to say is kept for the next job's report.

use std::time::Duration;

use mirror_core::Timestamp;

use super::retrying::{LONGEST_WAIT_MS, has_come};
use super::worker::{Telling, Worker};
use crate::api::{EngineResult, Notice, NoticeKind};

/// How often the daemon looks at the whole view.
pub(super) const SURVEY_MS: i64 = 600_000;

/// How often it removes what cut-off uploads left, and how old that must be (L9).
const SWEEP_MS: i64 = 24 * 3_600_000;
const LEFT_FOR: Duration = Duration::from_hours(7 * 24);

impl Worker {
    /// The daemon's own round: the head at each, the view every ten minutes.
    pub(super) async fn poll(&mut self) -> EngineResult<bool> {
        self.refuse_when_stopped()?;
        let arrived = self.catch_up().await.inspect_err(|error| self.note_away(error))?;
        self.send_due().await?;
        let mut telling = Telling::unheard();
        let shown = self.show_and_survey(&mut telling).await;
        self.keep_untold(telling.report.notices);
        shown?;
        self.tell_machine().await;
        self.sweep_when_due().await;
        self.save(false).await?;
        Ok(!arrived.is_empty())
    }

    async fn sweep_when_due(&mut self) {
        let now = self.now();
        if !has_come(self.next_sweep, now, SWEEP_MS) {
            return;
        }
        self.next_sweep = Timestamp(now.milliseconds() + SWEEP_MS);
        match self.parts.backend.sweep(LEFT_FOR).await {
            Ok(0) => {}
            Ok(swept) => tracing::info!(swept, "removed what uploads left that were cut off"),
            Err(error) => tracing::info!(%error, "what cut-off uploads left stays for a day more"),
        }
    }

    async fn show_and_survey(&mut self, telling: &mut Telling) -> EngineResult<()> {
        let now = self.now();
        if !self.state.unprojected().is_empty() {
            let due = self.queued_view.as_ref();
            let due = due.is_none_or(|queued| has_come(queued.next_at, now, LONGEST_WAIT_MS));
            if due {
                self.show_unprojected(telling).await?;
            }
        }
        // What was found stale is looked at again one poll later (V1).
        if has_come(self.next_survey, now, SURVEY_MS) || !self.looks.is_empty() {
            self.next_survey = Timestamp(now.milliseconds() + SURVEY_MS);
            self.survey_view(telling).await?;
            self.show_unprojected(telling).await?;
        }
        Ok(())
    }

    /// Keeps what nobody was there to hear for the next job's report; what
    /// isn't settled then is found again.
    pub(super) fn keep_untold(&mut self, notices: Vec<Notice>) {
        for notice in notices {
            tracing::warn!(message = notice.message);
            let is_known = self
                .untold
                .iter()
                .any(|untold| (untold.kind, &untold.path) == (notice.kind, &notice.path));
            if notice.kind != NoticeKind::ViewUnsettled && !is_known {
                self.untold.push(notice);
            }
        }
    }
}
