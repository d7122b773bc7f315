//! `pull`: what others committed comes into the working tree.

use mirror_core::plan::Intent;

use crate::api::{EngineResult, Scope, Settle};
use crate::project::merge::MergePolicy;
use crate::project::plan::draw::CycleRequest;
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;

impl Worker {
    pub(crate) async fn pull(
        &mut self,
        scope: &Scope,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let selection = self.selection_of(&scope.names).await;
        let policy = MergePolicy { merges: false, settle: Settle::Wait };
        let request = CycleRequest {
            selection: &selection,
            intent: Intent::Pull,
            message: None,
            policy,
            auto: None,
        };
        self.cycle(&request, reporter).await
    }
}
