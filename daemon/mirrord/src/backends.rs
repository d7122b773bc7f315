//! Which kinds of backend there are: every service is registered here, and
//! nowhere else.

use std::sync::Arc;

use mirror_storage::Backend;
use mirror_storage::adapter::FolderBackend;
use mirror_storage::layers::{CallCounts, Patience, SystemTimer, stack};

use crate::url::BackendUrl;

/// The name of the backend whose log decides.
pub(crate) const PRIMARY: &str = "primary";

/// Opens a backend with all layers around it, and the counts of its calls.
pub(crate) fn open(url: &BackendUrl) -> (Arc<dyn Backend>, Arc<CallCounts>) {
    let adapter: Arc<dyn Backend> = match url {
        BackendUrl::Folder(path) => Arc::new(FolderBackend::open(path.clone())),
    };
    stack(adapter, Patience::default(), Arc::new(SystemTimer::default()))
}
