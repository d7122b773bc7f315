//! Opens backends by the table of services, with all layers around them.
//!
//! Projects of one account share its connection. Opening a backend reaches
//! nothing: a server that is away costs only those who call it.

mod breaker;

use std::path::PathBuf;
use std::sync::Arc;

use mirror_storage::layers::{CallCounts, Patience, SystemTimer, stack};
use mirror_storage::{Access, Backend};

pub(crate) use breaker::Breaker;

use crate::services::{Account, BackendUrl, Connections, Settings, Surroundings};

/// The name of the backend whose log decides.
pub(crate) const PRIMARY: &str = "primary";

/// Opens backends, and knows the connections that are in use.
#[derive(Debug)]
pub(crate) struct Backends {
    /// What `~` stands for in settings.
    home: PathBuf,
    connections: Connections,
}

/// A backend that was opened.
pub(crate) struct Opened {
    /// With all layers around it.
    pub(crate) backend: Arc<dyn Backend>,
    /// The calls that went through the layers.
    pub(crate) counts: Arc<CallCounts>,
    pub(crate) account: Arc<dyn Account>,
}

impl Backends {
    pub(crate) fn new(home: PathBuf) -> Self {
        Self { home, connections: Connections::default() }
    }

    pub(crate) fn open(&self, url: &BackendUrl, settings: &Settings) -> Opened {
        let account = self.account(url, settings);
        let timer = Arc::new(SystemTimer::default());
        let (backend, counts) = stack(account.adapter(), Patience::default(), timer);
        Opened { backend, counts, account }
    }

    /// The account alone, without layers.
    pub(crate) fn account(&self, url: &BackendUrl, settings: &Settings) -> Arc<dyn Account> {
        let surroundings = Surroundings { home: &self.home, connections: &self.connections };
        let account = url.open(settings, &surroundings);
        // Until the project's settings say that it is shared.
        if let Some(keeper) = account.adapter().keep_attributes() {
            keeper.set_access(Access::Owner);
        }
        account
    }
}
