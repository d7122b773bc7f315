//! What a working tree on this machine is known by.

pub(super) mod agents;
pub(super) mod own;
pub(super) mod places;

use std::fmt;
use std::path::PathBuf;
use std::sync::Mutex;

use mirror_core::patterns::Agent;

use super::names::{Names, SystemNames};
use super::root::Root;
use agents::Agents;
use own::Own;

/// A working tree below a folder of this machine.
pub struct LocalTree {
    pub(super) root: Root,
    pub(super) names: Box<dyn Names>,
    /// Where the program keeps what is its own.
    pub(super) own: Own,
    pub(super) agents: Agents,
    /// Whether the executable bit is kept, once it was tried.
    pub(super) keeps_exec: Mutex<Option<bool>>,
}

impl LocalTree {
    /// Names the root; it is looked for at each call, and may come and go.
    pub fn open(root: PathBuf) -> Self {
        Self::with_names(root, Box::new(SystemNames))
    }

    /// Keeps these folders and files, wherever they lie, out of the tree.
    #[must_use]
    pub fn without(self, own: Vec<PathBuf>) -> Self {
        Self { own: Own::new(own), ..self }
    }

    /// Keeps what is of this machine alone in these folders out of the tree.
    #[must_use]
    pub fn with_agents(self, agents: Vec<(Agent, PathBuf)>) -> Self {
        Self { agents: Agents::new(agents, self.root.path()), ..self }
    }

    pub(super) fn with_names(root: PathBuf, names: Box<dyn Names>) -> Self {
        Self {
            root: Root::new(root),
            names,
            own: Own::default(),
            agents: Agents::default(),
            keeps_exec: Mutex::new(None),
        }
    }
}

impl fmt::Debug for LocalTree {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("LocalTree").field(&self.root).finish()
    }
}
