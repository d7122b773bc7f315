//! The append that an earlier job left open (L5, B3).

use crate::api::EngineResult;
use crate::log::{Appended, fork};
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;
use crate::state::Attempt;

impl Worker {
    /// Settles the append that an earlier job left open: the entry at its
    /// place tells; while there is none, the same bytes are sent again (L5).
    pub(crate) async fn recover_attempt(
        &mut self,
        reporter: Option<&mut Reporter>,
    ) -> EngineResult<()> {
        let Some(attempt) = self.state.attempt().cloned() else { return Ok(()) };
        if reporter.as_ref().is_some_and(|reporter| reporter.dry_run) {
            return Ok(());
        }
        if attempt.seq > self.log.head() + 1 {
            // The copy of the log here ends before what was tried on top of it.
            self.catch_up().await?;
        }
        let appended = match self.find_read(&attempt).await? {
            Some(appended) => appended,
            None => {
                let confirmed = self.log.confirm_head().await;
                self.note_stop(confirmed)?;
                let appended = self.log.append(&attempt).await;
                self.note_stop(appended)?
            }
        };
        match appended {
            Appended::Won(entry) => self.record_won(&attempt, &entry, reporter).await,
            Appended::Lost => {
                self.state.set_attempt(None);
                Ok(self.save(false).await?)
            }
        }
    }

    /// What the log, as far as it was read, says of an attempt; `None` when its
    /// place is the next one.
    async fn find_read(&mut self, attempt: &Attempt) -> EngineResult<Option<Appended>> {
        if attempt.seq <= self.log.head() {
            return self.log.find_attempt(attempt).await;
        }
        if attempt.seq == self.log.head() + 1 {
            return Ok(None);
        }
        let seq = attempt.seq - 1;
        let gone = fork(&format!("entry {seq}, which this machine has read, is gone"));
        self.note_stop(Err(gone))
    }

    /// Settles the open append by what stands in the log now, and sends nothing.
    /// What has no answer stays open.
    pub(crate) async fn ask_for_attempt(&mut self) -> EngineResult<()> {
        let Some(attempt) = self.state.attempt().cloned() else { return Ok(()) };
        self.catch_up().await?;
        match self.find_read(&attempt).await? {
            Some(Appended::Won(entry)) if entry.void.is_none() => {
                self.record_won(&attempt, &entry, None).await
            }
            Some(Appended::Won(_) | Appended::Lost) => {
                self.state.set_attempt(None);
                Ok(self.save(false).await?)
            }
            None => Ok(()),
        }
    }
}
