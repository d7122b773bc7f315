//! What of this machine is handed to the engine.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mirror_engine::outside::Outside;
use mirror_engine::real::{
    LocalDisk, LocalTree, SystemClock, SystemEntropy, TokioSpawner, start_watch,
};
use mirror_engine::store::SledStore;
use mirror_engine::{EngineError, Parts};
use mirror_storage::Backend;

use crate::config::agents;

/// The clock, randomness and threads that all projects share.
pub(crate) fn outside() -> Outside {
    Outside::new(Arc::new(SystemClock), Arc::new(SystemEntropy), Arc::new(TokioSpawner))
}

/// What one project runs on. Its state is locked until the parts are dropped.
pub(crate) fn of_machine(
    root: &Path,
    own: Vec<PathBuf>,
    [state, data, cache]: [&PathBuf; 3],
    backend: Arc<dyn Backend>,
    outside: &Outside,
) -> Result<Parts, EngineError> {
    let (store, past) = SledStore::open(&state.join("index"))?;
    tracing::debug!(?past, state = %state.display(), "the project's state was opened");
    Ok(Parts {
        backend,
        tree: Arc::new(tree_at(root, own)),
        watch: start_watch(root.to_owned(), Vec::new(), state.join("cookies")),
        store: Arc::new(store),
        data: disk_at(data)?,
        cache: disk_at(cache)?,
        outside: outside.clone(),
    })
}

/// A tree of a person's files: what lies in it and is our own is no part of it, nor
/// what an agent keeps to this machine.
pub(crate) fn tree_at(root: &Path, own: Vec<PathBuf>) -> LocalTree {
    LocalTree::open(root.to_owned()).without(own).with_agents(agents::folders())
}

fn disk_at(folder: &Path) -> io::Result<Arc<LocalDisk>> {
    Ok(Arc::new(LocalDisk::open(folder.to_owned())?))
}
