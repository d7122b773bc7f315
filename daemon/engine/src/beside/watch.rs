//! Hears what may have changed without taking it away from the project.

use std::sync::Arc;
use std::time::Duration;

use mirror_core::RelPath;

use crate::outside::{Dirt, Watch};

pub(crate) struct PeekingWatch(pub(crate) Arc<dyn Watch>);

impl Watch for PeekingWatch {
    fn add(&self, folder: Option<&RelPath>) -> bool {
        self.0.add(folder)
    }

    fn settle(&self, patience: Duration) -> Dirt {
        self.0.peek(patience)
    }

    fn peek(&self, patience: Duration) -> Dirt {
        self.0.peek(patience)
    }

    fn taken_up(&self) {}

    fn is_live(&self) -> bool {
        self.0.is_live()
    }

    fn on_change(&self, _wake: Box<dyn Fn() + Send + Sync>) {}
}
