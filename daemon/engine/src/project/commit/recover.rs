//! The append that an earlier job left open (L5, B3).

use crate::api::EngineResult;
use crate::log::{Appended, fork};
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;

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
        let settled = if attempt.seq == self.log.head() + 1 {
            let confirmed = self.log.confirm_head().await;
            self.note_stop(confirmed)?;
            let appended = self.log.append(&attempt).await;
            Some(self.note_stop(appended)?)
        } else if attempt.seq <= self.log.head() {
            self.log.find_attempt(&attempt).await?
        } else {
            let seq = attempt.seq - 1;
            let gone = fork(&format!("entry {seq}, which this machine has read, is gone"));
            return self.note_stop(Err(gone));
        };
        match settled {
            Some(Appended::Won(entry)) => self.record_won(&attempt, &entry, reporter).await,
            Some(Appended::Lost) | None => {
                self.state.set_attempt(None);
                Ok(self.save(false).await?)
            }
        }
    }
}
