//! The configuration folders of agents, as they really lie.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use mirror_core::RelPath;
use mirror_core::patterns::{Agent, AgentFolder, Seen, stays_here};

use super::places::{real, spelled};

/// As they are called on this machine, and where that was when it was looked last.
#[derive(Debug, Default)]
pub(in crate::real::tree) struct Agents {
    places: Vec<(Agent, PathBuf)>,
    seen: Mutex<Vec<AgentFolder>>,
}

impl Agents {
    pub(super) fn new(places: Vec<(Agent, PathBuf)>, root: &Path) -> Self {
        let agents = Self { places, seen: Mutex::default() };
        agents.look(root);
        agents
    }

    /// Looks anew where they lie: a link may lead elsewhere by now.
    pub(in crate::real::tree) fn look(&self, root: &Path) {
        let found = self.places.iter().filter_map(|(agent, place)| {
            Some(AgentFolder { agent: *agent, seen: seen_from(root, place)? })
        });
        let found = found.collect();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    pub(in crate::real::tree) fn seen(&self) -> Vec<AgentFolder> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a file is one that stays as it is.
    pub(super) fn keep(&self, path: &RelPath) -> bool {
        stays_here(path, &self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Where `place` really lies, seen from where `root` does: below it, or around it.
fn seen_from(root: &Path, place: &Path) -> Option<Seen> {
    let (root, place) = (real(root)?, real(place)?);
    match root.strip_prefix(&place) {
        Ok(way) if way.as_os_str().is_empty() => Some(Seen::Around(None)),
        Ok(_) => spelled(&place, &root).map(|way| Seen::Around(Some(way))),
        Err(_) => spelled(&root, &place).map(Seen::Below),
    }
}
