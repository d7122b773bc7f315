//! Reading the log to its head.

use mirror_storage::FaultClass;

use crate::api::EngineResult;
use crate::error::EngineError;
use crate::project::worker::Worker;

impl Worker {
    /// Reads new entries, and gives their number.
    pub(crate) async fn catch_up(&mut self) -> EngineResult<u64> {
        let caught_up = self.log.catch_up().await;
        let arrived = self.note_stop(caught_up)?;
        if arrived > 0 {
            if self.log.is_checkpoint_due() {
                self.made_checkpoint = self.log.make_checkpoint(false).await;
            }
            self.set_phase_head();
        }
        self.settle_given_up().await?;
        Ok(arrived)
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
