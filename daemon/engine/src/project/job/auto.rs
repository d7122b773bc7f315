//! What the daemon does by itself, with nobody to answer it (B12, B17).

use mirror_core::plan::{Intent, Selection};

use crate::api::{Auto, Direction, EngineResult, Settle};
use crate::project::merge::MergePolicy;
use crate::project::plan::draw::CycleRequest;
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;

impl Worker {
    /// Nothing is queued where the backend is away: the files are here, and the
    /// next round sends them.
    pub(crate) async fn auto(&mut self, auto: Auto, reporter: &mut Reporter) -> EngineResult<()> {
        let intent = match auto.direction {
            Direction::Pull => Intent::Pull,
            Direction::Push => Intent::Push,
            Direction::Both => Intent::Sync,
        };
        let selection = Selection::all();
        let policy = MergePolicy { merges: intent != Intent::Pull, settle: Settle::Wait };
        let (message, auto) = (None, Some(auto));
        let request = CycleRequest { selection: &selection, intent, message, policy, auto };
        self.cycle(&request, reporter).await?;
        if intent == Intent::Pull {
            return Ok(());
        }
        self.finish_view(false, reporter).await?;
        self.give_again_if_possible(reporter).await
    }
}
