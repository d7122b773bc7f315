//! `sync`: pull and push in one job, after a look at the view.

use mirror_core::plan::Intent;

use crate::api::{EngineResult, Scope, Settle};
use crate::project::merge::MergePolicy;
use crate::project::plan::draw::CycleRequest;
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;

impl Worker {
    pub(crate) async fn sync(
        &mut self,
        scope: &Scope,
        message: Option<String>,
        settle: Settle,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let selection = self.selection_of(&scope.names).await;
        let policy = MergePolicy { merges: true, settle };
        let request = CycleRequest {
            selection: &selection,
            intent: Intent::Sync,
            message,
            policy,
            auto: None,
        };
        // First, so that what people wrote there comes here with this job.
        let surveyed = match reporter.dry_run {
            true => Ok(()),
            false => self.survey_view(reporter).await,
        };
        // Before the files here, which then follow what came of it.
        let settled = match (&surveyed, reporter.dry_run) {
            (Ok(()), false) => self.settle_outside(&selection, settle, reporter).await,
            _ => Ok(()),
        };
        if let Err(error) = settled {
            tracing::warn!(%error, "an edit of the view could not be settled");
        }
        if let Err(error) = self.cycle(&request, reporter).await {
            return self.queue_instead(&request, error, reporter).await;
        }
        if reporter.dry_run {
            return Ok(());
        }
        self.finish_view(false, reporter).await?;
        self.name_outside_conflicts(reporter);
        self.give_again_if_possible(reporter).await?;
        if let Err(error) = surveyed {
            // The files and the log are in step; the view waits for the daemon.
            tracing::warn!(%error, "the view could not be looked at");
            reporter.view_pending();
            return Ok(());
        }
        self.tell_machine().await;
        Ok(())
    }
}
