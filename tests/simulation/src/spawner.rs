//! Work that a daemon offloads, on the one thread of a schedule.

use std::sync::Arc;

use async_trait::async_trait;
use mirror_engine::outside::Spawner;
use tokio::sync::oneshot;

use crate::life::Life;
use crate::waiting::{Stage, Waiting};
use crate::world::World;

/// Runs offloaded work inline, sometimes only after the scheduler says so.
#[derive(Debug)]
pub(crate) struct InlineSpawner {
    pub(crate) world: Arc<World>,
    pub(crate) machine: usize,
    pub(crate) life: Arc<Life>,
}

#[async_trait]
impl Spawner for InlineSpawner {
    async fn offload(&self, work: Box<dyn FnOnce() + Send>) {
        let waits = !self.world.is_calm() && self.world.chance(|chance| chance.permille(150));
        if waits {
            let (go, gone) = oneshot::channel();
            self.world.waiting().push(Waiting {
                id: self.world.next_call(),
                machine: self.machine,
                life: self.life.clone(),
                stage: Stage::Local(go),
            });
            if gone.await.is_err() {
                std::future::pending::<()>().await;
            }
        }
        self.life.or_never().await;
        work();
        // It may have died half-way; nobody hears of it then.
        self.life.or_never().await;
    }

    fn width(&self) -> usize {
        2
    }
}
