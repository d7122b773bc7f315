//! Reading the log to its head.

use mirror_core::Timestamp;
use mirror_storage::FaultClass;

use super::faults::hint_of_stop;
use crate::api::{EngineResult, Phase, ProjectFault};
use crate::error::EngineError;
use crate::project::worker::Worker;

impl Worker {
    /// Reads new entries, and gives their number.
    pub(crate) async fn catch_up(&mut self) -> EngineResult<u64> {
        let caught_up = self.log.catch_up().await;
        self.take_in(caught_up).await
    }

    /// Does what so many new entries ask for, and notes how the backend was found.
    pub(crate) async fn take_in(&mut self, read: EngineResult<u64>) -> EngineResult<u64> {
        let arrived =
            read.inspect_err(|error| self.note_backend_fault(&ProjectFault::of(error)))?;
        self.board.change(|status| status.backend_fault = None);
        if arrived > 0 {
            if self.log.is_checkpoint_due() {
                self.made_checkpoint = self.log.make_checkpoint(false).await;
            }
            self.set_phase_head();
        }
        self.settle_given_up().await?;
        Ok(arrived)
    }

    /// Remembers what is wrong with the backend: that nothing may be written until
    /// the project is opened anew, or that it could not be asked.
    pub(crate) fn note_backend_fault(&mut self, fault: &ProjectFault) {
        if fault.class == FaultClass::Stopped {
            self.stop(&fault.message, fault.hint.as_deref());
        }
        self.board.change(|status| status.backend_fault = Some(fault.clone()));
        // From now on the last good look is what counts, and it may be long ago.
        if let Some(checked) = self.log.checked_at() {
            self.state.set_checked(checked);
        }
    }

    /// Remembers a stop, so that nothing is written until the project is
    /// opened anew.
    pub(crate) fn note_stop<T>(&self, outcome: EngineResult<T>) -> EngineResult<T> {
        if let Err(EngineError::Stopped { reason, hint }) = &outcome {
            self.stop(reason, hint.as_deref());
        }
        outcome
    }

    fn stop(&self, reason: &str, hint: Option<&str>) {
        let hint = Some(hint_of_stop(hint));
        let stopped = Phase::Stopped { reason: reason.to_owned(), hint };
        self.board.change(|status| status.phase = stopped);
    }

    /// When the head was last known to be the head.
    pub(crate) fn checked_at(&self) -> Option<Timestamp> {
        self.log.checked_at().or(self.state.checked())
    }

    /// `false` when the backend is away; then what was read before counts.
    pub(crate) async fn reach_backend(&mut self) -> EngineResult<bool> {
        match self.catch_up().await {
            Ok(_) => Ok(true),
            Err(EngineError::Stopped { .. }) => Ok(false),
            Err(error) if matches!(error.class(), FaultClass::Transient | FaultClass::Auth) => {
                tracing::info!(%error, "status goes by what was read before");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}
