//! A project that can't be opened, or that is mirrored no more, by what this machine
//! has of it: its copy of the log, its state, its data, its folder where that is
//! there. No log is read elsewhere, and nothing is committed.

use std::sync::Arc;

use super::Project;
use super::worker::Worker;
use crate::api::{EngineResult, Parts, ProjectFault, ProjectSpec};
use crate::beside::{ContentsAlone, OverlayDisk, ReadStore, ReadTree};
use crate::log::own_path;
use crate::outside::ManualWatch;

impl Project {
    /// For questions: nothing at all is changed, on this machine or elsewhere.
    pub async fn look_aside(
        spec: ProjectSpec,
        parts: Parts,
        stop: &ProjectFault,
    ) -> EngineResult<Self> {
        let Parts { tree, store, data, .. } = parts.clone();
        let parts = Parts {
            tree: Arc::new(ReadTree(tree)),
            watch: Arc::new(ManualWatch),
            store: Arc::new(ReadStore::new(store)),
            data: Arc::new(OverlayDisk::new(data)),
            ..parts
        };
        Self::keep_aside(spec, parts, stop).await
    }

    /// For what sets versions aside or brings them back, on this machine alone: it is
    /// stopped for all else. Nobody else may have the project open.
    pub async fn keep_aside(
        spec: ProjectSpec,
        parts: Parts,
        stop: &ProjectFault,
    ) -> EngineResult<Self> {
        let contents = ContentsAlone::new(parts.backend, own_path("packs"), stop.message.clone());
        let parts = Parts { backend: Arc::new(contents), ..parts };
        Ok(Self::of(Worker::open_aside(spec, parts, stop).await?))
    }
}
