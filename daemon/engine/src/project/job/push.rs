//! `push`: what changed here becomes a commit, or waits in the queue.

use mirror_core::plan::Intent;

use crate::api::{EngineResult, Scope, Settle};
use crate::project::merge::MergePolicy;
use crate::project::plan::draw::CycleRequest;
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;

impl Worker {
    pub(crate) async fn push(
        &mut self,
        scope: &Scope,
        message: Option<String>,
        force_local: bool,
        no_wait: bool,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let selection = self.selection_of(&scope.names).await;
        // What stands here is the result, where a person says so.
        let settle = if force_local { Settle::KeepLocal } else { Settle::Wait };
        let policy = MergePolicy { merges: !force_local, settle };
        let request = CycleRequest {
            selection: &selection,
            intent: Intent::Push,
            message,
            policy,
            auto: None,
        };
        if let Err(error) = self.cycle(&request, reporter).await {
            return self.queue_instead(&request, error, reporter).await;
        }
        self.finish_view(no_wait, reporter).await?;
        self.give_again_if_possible(reporter).await
    }
}
