//! What is known of a project that can't be opened, by what this machine has read
//! and agreed on: its copy of the log, its state, its folder. Nobody is asked and
//! nothing is changed, on this machine or elsewhere.

use std::sync::Arc;

use super::query::look::Look;
use super::worker::Worker;
use crate::api::{EngineResult, Parts, ProjectSpec, StatusReport};
use crate::beside::{NoBackend, OverlayDisk, ReadStore, ReadTree};
use crate::outside::ManualWatch;

/// A project as this machine knew it last.
pub struct LastKnown(Worker);

impl std::fmt::Debug for LastKnown {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "LastKnown({})", self.0.name())
    }
}

impl LastKnown {
    /// Fails where this machine has never read the project. Nobody else may have it
    /// open.
    pub async fn of(spec: ProjectSpec, parts: Parts) -> EngineResult<Self> {
        let Parts { tree, store, data, .. } = parts.clone();
        let parts = Parts {
            backend: Arc::new(NoBackend),
            tree: Arc::new(ReadTree(tree)),
            watch: Arc::new(ManualWatch),
            store: Arc::new(ReadStore::new(store)),
            data: Arc::new(OverlayDisk::new(data)),
            ..parts
        };
        Ok(Self(Worker::open(spec, parts).await?))
    }

    pub async fn status(&mut self) -> EngineResult<StatusReport> {
        self.0.status(Look::Offline).await
    }
}
