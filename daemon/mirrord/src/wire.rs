//! What of this machine is handed to the engine.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mirror_core::RelPath;
use mirror_core::patterns::MEMORY_FOLDER;
use mirror_engine::mapped::{MappedFolder, MappedTree, identity_of};
use mirror_engine::outside::{Outside, Tree};
use mirror_engine::real::{
    LocalDisk, LocalTree, SystemClock, SystemEntropy, TokioSpawner, start_watch,
};
use mirror_engine::store::SledStore;
use mirror_engine::{EngineError, Parts};
use mirror_storage::Backend;

use crate::config::{ProjectConfig, agents};

/// The clock, randomness and threads that all projects share.
pub(crate) fn outside() -> Outside {
    Outside::new(Arc::new(SystemClock), Arc::new(SystemEntropy), Arc::new(TokioSpawner))
}

/// What one project runs on. Its state is locked until the parts are dropped.
pub(crate) fn of_machine(
    config: &ProjectConfig,
    own: Vec<PathBuf>,
    [state, data, cache]: [&PathBuf; 3],
    backend: Arc<dyn Backend>,
    outside: &Outside,
) -> Result<Parts, EngineError> {
    let (store, past) = SledStore::open(&state.join("index"))?;
    tracing::debug!(?past, state = %state.display(), "the project's state was opened");
    let places = config.memory.iter().filter_map(|(name, mapped)| {
        let name = RelPath::new(&format!("{MEMORY_FOLDER}/{name}")).ok()?;
        Some((name, mapped.folder.clone()))
    });
    Ok(Parts {
        backend,
        tree: tree_of(config, own),
        watch: start_watch(config.root.clone(), places.collect(), state.join("cookies")),
        store: Arc::new(store),
        data: disk_at(data)?,
        cache: disk_at(cache)?,
        outside: outside.clone(),
    })
}

/// The tree of a project, with the folders of other places that are mapped into it.
pub(crate) fn tree_of(config: &ProjectConfig, own: Vec<PathBuf>) -> Arc<dyn Tree> {
    let folders = config.memory.iter().map(|(name, mapped)| MappedFolder {
        name: name.clone(),
        place: mapped.folder.clone(),
        identity: mapped.identity.clone(),
        tree: Arc::new(tree_at(&mapped.folder, own.clone())),
    });
    let folders: Vec<MappedFolder> = folders.collect();
    let root = Arc::new(tree_at(&config.root, own));
    match folders.is_empty() {
        true => root,
        false => Arc::new(MappedTree::new(root, folders)),
    }
}

/// Which folder lies there, to be told from any other later on; `None` when there is
/// none, or a link leads to it.
pub(crate) fn identity_at(root: &Path, folder: &Path) -> io::Result<Option<String>> {
    let Some((device, _)) = tree_at(root, Vec::new()).root_identity()? else { return Ok(None) };
    identity_of(&tree_at(folder, Vec::new()), device)
}

/// A tree of a person's files: what lies in it and is our own is no part of it, nor
/// what an agent keeps to this machine.
pub(crate) fn tree_at(root: &Path, own: Vec<PathBuf>) -> LocalTree {
    LocalTree::open(root.to_owned()).without(own).with_agents(agents::folders())
}

fn disk_at(folder: &Path) -> io::Result<Arc<LocalDisk>> {
    Ok(Arc::new(LocalDisk::open(folder.to_owned())?))
}
