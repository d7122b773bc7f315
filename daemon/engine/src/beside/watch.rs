//! Hears what may have changed without taking it away from the project.

use std::sync::Arc;
use std::time::Duration;

use mirror_core::RelPath;

use crate::outside::{Dirt, Watch};

/// What may have changed since a reading was published.
pub(crate) struct PeekingWatch {
    watch: Arc<dyn Watch>,
    /// So often was taken up what is in that reading.
    taken_up: u64,
}

impl PeekingWatch {
    pub(crate) fn new(watch: Arc<dyn Watch>, taken_up: u64) -> Self {
        Self { watch, taken_up }
    }
}

impl Watch for PeekingWatch {
    fn add(&self, folder: Option<&RelPath>) -> bool {
        self.watch.add(folder)
    }

    fn settle(&self, patience: Duration) -> Dirt {
        let mut dirt = self.watch.peek(patience);
        // What the project took up since is in a newer reading, not in ours.
        dirt.everything |= self.watch.taken_up_count() > self.taken_up;
        dirt
    }

    fn peek(&self, patience: Duration) -> Dirt {
        self.settle(patience)
    }

    fn taken_up(&self) {}

    fn taken_up_count(&self) -> u64 {
        self.taken_up
    }

    fn is_live(&self) -> bool {
        self.watch.is_live()
    }

    fn on_change(&self, _wake: Box<dyn Fn(&Dirt) + Send + Sync>) {}
}
