//! The daemon's own round: the log, the queue and the view, without a caller.
//!
//! What it has to say is kept for the next job's report.

use std::time::Duration;

use mirror_core::Timestamp;

use crate::api::EngineResult;
use crate::data::backoff::{LONGEST_WAIT_MS, has_come};
use crate::error::EngineError;
use crate::project::worker::reporter::Reporter;
use crate::project::worker::{SURVEY_MS, Worker};

/// How often it removes what cut-off uploads left, and how old that must be (L9).
const SWEEP_MS: i64 = 24 * 3_600_000;

const LEFT_FOR: Duration = Duration::from_hours(7 * 24);

impl Worker {
    /// The daemon's own round: the head at each, the view every ten minutes.
    pub(crate) async fn poll(&mut self) -> EngineResult<bool> {
        self.refuse_when_stopped()?;
        let arrived = self.catch_up().await.inspect_err(|error| self.note_away(error))?;
        self.send_due().await?;
        let mut reporter = Reporter::unheard();
        let shown = self.show_and_survey(&mut reporter).await;
        let given = self.give_again_if_possible(&mut reporter).await;
        self.keep_notices(&reporter.into_report().notices).await;
        given?;
        shown?;
        self.tell_machine().await;
        self.sweep_when_due().await;
        self.save(false).await?;
        Ok(arrived > 0)
    }

    /// The log alone, to its head: a stale view is looked at twice, one poll apart, and
    /// hints come at any time.
    pub(crate) async fn read_on(&mut self) -> EngineResult<bool> {
        self.refuse_when_stopped()?;
        let arrived = self.catch_up().await.inspect_err(|error| self.note_away(error))?;
        self.save(false).await?;
        Ok(arrived > 0)
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

    async fn show_and_survey(&mut self, reporter: &mut Reporter) -> EngineResult<()> {
        let now = self.now();
        if !self.state.unprojected().is_empty() {
            let due = self.queued_view.as_ref();
            let due = due.is_none_or(|queued| has_come(queued.next_at, now, LONGEST_WAIT_MS));
            if due {
                self.show_unprojected(reporter).await?;
            }
        }
        // What was found stale is looked at again one poll later (V1).
        if has_come(self.next_survey, now, SURVEY_MS) || !self.pending.is_empty() {
            self.next_survey = Timestamp(now.milliseconds() + SURVEY_MS);
            match self.survey_view(reporter).await {
                // The next round reads on first.
                Err(EngineError::Stale) => self.next_survey = now,
                surveyed => surveyed?,
            }
            self.show_unprojected(reporter).await?;
        }
        Ok(())
    }
}
