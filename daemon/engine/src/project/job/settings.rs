//! `config set --shared`: changes what all machines share, by a commit.

use async_trait::async_trait;
use mirror_core::RelPath;
use mirror_core::commit::Action;

use crate::api::{EngineResult, SharedSettings};
use crate::error::EngineError;
use crate::project::commit::draft::Draft;
use crate::project::commit::until_won::{Drafter, until_won};
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;

impl Worker {
    pub(crate) async fn change_settings(
        &mut self,
        settings: SharedSettings,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        self.recover_attempt(Some(&mut *reporter)).await?;
        self.catch_up().await?;
        until_won(self, reporter, &mut NewSettings(settings)).await?;
        Ok(())
    }
}

struct NewSettings(SharedSettings);

#[async_trait]
impl Drafter for NewSettings {
    async fn draft(
        &mut self,
        worker: &mut Worker,
        reporter: &mut Reporter,
    ) -> EngineResult<Option<Draft>> {
        if worker.log.history().settings() == Some(&self.0) || reporter.dry_run {
            return Ok(None);
        }
        Ok(Some(Draft { settings: Some(self.0.clone()), ..Draft::of(Action::Settings, None) }))
    }

    async fn changed(
        &mut self,
        _worker: &mut Worker,
        _paths: Vec<(RelPath, Option<EngineError>)>,
        _reporter: &mut Reporter,
    ) -> EngineResult<()> {
        Ok(())
    }
}
