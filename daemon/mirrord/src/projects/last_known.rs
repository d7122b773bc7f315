//! What was known of a project that can't be opened, for whoever asks how it stands.

use std::sync::Arc;
use std::time::Duration;

use mirror_engine::outside::ManualWatch;
use mirror_engine::real::LocalDisk;
use mirror_engine::store::{MemoryStore, SledStore, Store};
use mirror_engine::{LastKnown, NoBackend, Parts, StatusReport};

use tokio::time::timeout;

use super::registry::{Condition, Registry};
use crate::config::ProjectConfig;
use crate::wire;

/// How long somebody else may look at the project, or try to open it.
const BRIEFLY: Duration = Duration::from_millis(300);

impl Registry {
    /// The project's status by this machine's copies alone, which stay as they are;
    /// `None` where nothing was read yet, or it is being opened.
    pub(crate) async fn last_known(&self, name: &str) -> Option<(ProjectConfig, StatusReport)> {
        // Nobody opens it meanwhile; who does already will know more soon.
        let _turn = timeout(BRIEFLY, self.turn_of(name)).await.ok()?;
        let config = {
            let slots = self.slots();
            let slot = slots.get(name)?;
            match slot.condition {
                Condition::Open(_) => return None,
                Condition::Closed(_) => slot.config.clone()?,
            }
        };
        let (parts, has_state) = self.copies_of(&config);
        let mut known = LastKnown::of(self.spec_of(&config), parts).await.ok()?;
        let report = known.status().await.ok()?;
        // Without what was agreed on, every file would look like a new one.
        let files_known = report.files_known && has_state;
        let report = match files_known {
            true => report,
            false => StatusReport { files_known, files: Vec::new(), ..report },
        };
        Some((config, report))
    }

    /// What is there, and whether what was agreed on is among it. Makes nothing.
    fn copies_of(&self, config: &ProjectConfig) -> (Parts, bool) {
        let [state, data, cache] = self.folders.of_project(&config.name);
        let index = state.join("index");
        let store = index.is_dir().then(|| SledStore::open(&index)).and_then(Result::ok);
        let has_state = store.is_some();
        let store: Arc<dyn Store> = match store {
            Some((store, _)) => Arc::new(store),
            None => Arc::new(MemoryStore::new()),
        };
        let parts = Parts {
            backend: Arc::new(NoBackend),
            tree: Arc::new(wire::tree_at(&config.root, self.own_places())),
            watch: Arc::new(ManualWatch),
            store,
            data: Arc::new(LocalDisk::at(data)),
            cache: Arc::new(LocalDisk::at(cache)),
            outside: self.outside.clone(),
        };
        (parts, has_state)
    }
}
