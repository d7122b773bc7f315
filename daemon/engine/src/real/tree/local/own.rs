//! The program's own folders, which no tree may take for files of a person.
//!
//! By name, also where they are not there yet; and by device and inode, for the
//! names that a bind mount gives them.

use std::fs;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use mirror_core::RelPath;
use rustix::fs::fstat;

use super::LocalTree;
use super::places::{below, spelled};
use crate::outside::TreeError;
use crate::real::tree::error::Result;
use crate::real::tree::sight::place_of;
use crate::real::tree::system;

/// Folders and files of the program.
#[derive(Debug, Default)]
pub(in crate::real::tree) struct Own {
    places: Vec<PathBuf>,
    /// Which folders they are now.
    identities: Mutex<Vec<(u64, u64)>>,
}

impl Own {
    pub(in crate::real::tree) fn new(places: Vec<PathBuf>) -> Self {
        let own = Self { places, identities: Mutex::default() };
        own.look();
        own
    }

    /// Looks anew which folders they are: one may have been made again.
    pub(in crate::real::tree) fn look(&self) {
        let found = self.places.iter().filter_map(|place| fs::metadata(place).ok());
        let found = found.map(|own| (own.dev(), own.ino())).collect();
        *self.identities.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    pub(in crate::real::tree) fn is_known(&self) -> bool {
        !self.places.is_empty()
    }

    /// Those that lie below `root`, as they are spelled and as they really lie.
    pub(in crate::real::tree) fn in_tree(&self, root: &Path) -> Vec<RelPath> {
        let names = self.places.iter().flat_map(|place| [spelled(root, place), below(root, place)]);
        let mut found: Vec<RelPath> = names.flatten().collect();
        found.sort();
        found.dedup();
        found
    }

    /// Whether an open folder is one of them.
    pub(in crate::real::tree) fn holds(&self, folder: Option<&OwnedFd>) -> bool {
        let Some(Ok(stat)) = folder.map(fstat) else { return false };
        let identities = self.identities.lock().unwrap_or_else(PoisonError::into_inner);
        identities.contains(&place_of(&stat))
    }
}

impl LocalTree {
    /// Refuses to write where something of our own lies, by whatever name, or of an
    /// agent's that stays on its machine.
    pub(in crate::real::tree) fn refuse_own(&self, path: &RelPath) -> Result<()> {
        if self.agents.keep(path) {
            return Err(TreeError::OfAgent(path.clone()));
        }
        match self.own.is_known() && self.leads_through_own(path) {
            true => Err(TreeError::OurOwn(path.clone())),
            false => Ok(()),
        }
    }

    /// Goes down the way once, folder by folder, as far as there is one.
    fn leads_through_own(&self, path: &RelPath) -> bool {
        let Some((above, _)) = path.as_str().rsplit_once('/') else { return false };
        let Ok(mut folder) = self.root.open(Some(path)) else { return false };
        for name in above.split('/') {
            let Ok(next) = system::open_below(folder.as_fd(), name) else { return false };
            if self.own.holds(Some(&next)) {
                return true;
            }
            folder = next;
        }
        false
    }
}
