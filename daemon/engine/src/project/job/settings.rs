//! `config set --shared`: changes what all machines share, by a commit.

use mirror_core::commit::{Action, Settings};

use crate::api::{EngineResult, SharedSettings};
use crate::project::commit::append::{CommitOutcome, CommitProgress};
use crate::project::commit::draft::Draft;
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;

impl Worker {
    /// Changes what all machines share, by a commit.
    pub(crate) async fn change_settings(
        &mut self,
        settings: SharedSettings,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        self.recover_attempt(Some(&mut *reporter)).await?;
        let SharedSettings { name, patterns } = settings;
        let settings = Settings { name, patterns: patterns.include, exclude: patterns.exclude };
        let mut progress = CommitProgress::default();
        loop {
            self.catch_up().await?;
            if self.log.history().settings() == Some(&settings) || reporter.dry_run {
                return Ok(());
            }
            let draft =
                Draft { settings: Some(settings.clone()), ..Draft::of(Action::Settings, None) };
            if matches!(self.try_commit(&draft, &mut progress, reporter).await?, CommitOutcome::Won)
            {
                return Ok(());
            }
        }
    }
}
