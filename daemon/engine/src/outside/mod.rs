//! Everything the engine needs from outside itself.
//!
//! A project runs on what is handed to it here: production hands in the real
//! machine (`real`), a simulator hands in fakes. Nothing else in this crate
//! touches files, clocks or randomness; a tidy test holds that.

pub mod disk;
pub mod interrupt;
pub mod tree;
pub mod watch;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mirror_core::{Timestamp, Ulid};

pub use disk::{Disk, Scratch};
pub use interrupt::{Cancel, Interrupt};
pub use tree::{
    DirEntry, Expected, Found, Identity, Manner, MountPoint, Pin, Put, Staged, Stamp, Taken, Tree,
    TreeError, TreeTraits,
};
pub use watch::{Dirt, ManualWatch, Watch};

/// The time of day. Never decides an order.
#[async_trait::async_trait]
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;

    /// Returns once so much time has passed.
    async fn wait(&self, time: Duration);
}

/// Randomness for names and for spreading retries.
pub trait Entropy: Send + Sync {
    fn bits(&self) -> u128;
}

/// Where work that blocks or computes for long is done.
#[async_trait::async_trait]
pub trait Spawner: Send + Sync {
    /// Runs `work` off the async threads and waits for it.
    async fn offload(&self, work: Box<dyn FnOnce() + Send>);

    /// How many pieces of offloaded work are worth running side by side.
    fn width(&self) -> usize;
}

/// What all projects of a daemon share, and what ends the job of one.
#[derive(Clone)]
pub struct Outside {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub spawner: Arc<dyn Spawner>,
    /// Of one project: [`Outside::of_project`] gives each its own.
    pub interrupt: Interrupt,
}

impl Outside {
    pub fn new(
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        spawner: Arc<dyn Spawner>,
    ) -> Self {
        Self { clock, entropy, spawner, interrupt: Interrupt::default() }
    }

    /// The same for one project, whose jobs are cancelled alone.
    #[must_use]
    pub fn of_project(&self) -> Self {
        Self { interrupt: Interrupt::default(), ..self.clone() }
    }

    /// Makes a name that no other machine will make.
    pub fn ulid(&self) -> Ulid {
        let milliseconds = u64::try_from(self.clock.now().milliseconds()).unwrap_or(0);
        Ulid::from_parts(milliseconds, self.entropy.bits())
    }

    /// Runs blocking or long work off the async threads and gives its result.
    pub async fn offload<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let work = Box::new(move || drop(sender.send(work())));
        self.spawner.offload(work).await;
        receiver.await.expect("offloaded work ran to its end")
    }
}

impl fmt::Debug for Outside {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Outside")
    }
}
