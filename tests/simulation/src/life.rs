//! One run of a daemon, from its start to its crash.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use mirror_engine::outside::Spawner;
use tokio::sync::oneshot;

use crate::line::{Stage, Waiting};
use crate::world::World;

/// How many more steps a daemon has before it dies between two of them. None
/// has an effect afterwards.
#[derive(Debug)]
pub(crate) struct Life(AtomicI64);

impl Life {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(i64::MAX)))
    }

    pub(crate) fn ends_after(&self, steps: i64) {
        self.0.store(steps, Ordering::Relaxed);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed) <= 0
    }

    /// Takes one step; `false` when the daemon is dead.
    pub(crate) fn lasts(&self) -> bool {
        !self.is_over() && self.0.fetch_sub(1, Ordering::Relaxed) > 0
    }

    /// Never returns to a daemon that is dead.
    pub(crate) async fn or_never(&self) {
        if self.is_over() {
            std::future::pending::<()>().await;
        }
    }
}

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
