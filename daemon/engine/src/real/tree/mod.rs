//! The working tree on a disk of this machine.
//!
//! Every path is walked from the root without following links. Files are never
//! replaced blindly: names are exchanged, and what came out is looked at.

mod error;
mod exec;
mod git;
mod links;
mod list;
mod local;
mod mounts;
mod names;
mod replace;
mod root;
mod sight;
mod stage;
mod system;
mod temps;

#[cfg(test)]
mod tests;

use std::io::{self, Read};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use mirror_core::patterns::AgentFolder;
use mirror_core::{Kind, RelPath, State};
use rustix::fs::{AtFlags, fsync, unlinkat};

use self::error::Result;
pub use self::local::LocalTree;
use self::replace::{Rescue, Spot};
use crate::outside::tree::Opened;
use crate::outside::{
    Expected, Found, Manner, MountPoint, Pin, Put, Staged, Stamp, Taken, Tree, TreeTraits,
};

impl LocalTree {
    fn spot<'a>(&'a self, folder: &'a OwnedFd, path: &'a RelPath, temp: &'a str) -> Spot<'a> {
        Spot {
            folder: folder.as_fd(),
            path,
            temp,
            names: &*self.names,
            holds_exec: self.holds_exec(),
        }
    }

    /// Removes the folders above `path` that are empty, innermost first. The
    /// root stays, as does a folder in which any file appears meanwhile.
    fn remove_empty_parents(&self, path: &RelPath) {
        let mut folder = path.parent();
        while let Some(empty) = folder {
            let Ok(Some(above)) = self.root.parent(&empty) else {
                return;
            };
            if unlinkat(&above, empty.name(), AtFlags::REMOVEDIR).is_err() {
                return;
            }
            if let Err(errno) = fsync(&above) {
                tracing::warn!("a removed folder could not be flushed: {errno}");
            }
            folder = empty.parent();
        }
    }
}

impl Tree for LocalTree {
    fn root_identity(&self) -> io::Result<Option<(u64, u64)>> {
        self.own.look();
        self.agents.look(self.root.path());
        self.root.identity()
    }

    fn traits(&self) -> TreeTraits {
        TreeTraits { exec: self.holds_exec() }
    }

    fn mounts(&self, wanted: &dyn Fn(&RelPath) -> bool) -> Vec<MountPoint> {
        mounts::below(self.root.path(), wanted)
    }

    fn list(&self, folder: Option<&RelPath>) -> Result<Vec<Found>> {
        list::list(&self.root, folder)
    }

    fn stamp(&self, path: &RelPath) -> Result<Option<Stamp>> {
        let Some(folder) = self.root.parent(path)? else {
            return Ok(None);
        };
        let stat = error::absent_is_none(sight::stat_of(folder.as_fd(), path.name()));
        Ok(stat.map_err(error::at(path))?.and_then(|stat| sight::stamp_of(&stat)))
    }

    fn open(&self, path: &RelPath) -> Result<Option<Opened>> {
        self.open_beside(path, path.name())
    }

    fn own_places(&self) -> Vec<RelPath> {
        self.own.in_tree(self.root.path())
    }

    fn agent_folders(&self) -> Vec<AgentFolder> {
        self.agents.seen()
    }

    fn pin(&self) -> io::Result<Option<Pin>> {
        self.root.pin()
    }

    fn is_own(&self, folder: &RelPath) -> bool {
        self.own.is_known() && self.root.folder(folder).is_ok_and(|at| self.own.holds(at.as_ref()))
    }

    fn path_of(&self, absolute: &Path) -> Option<RelPath> {
        local::places::below(self.root.path(), absolute)
    }

    fn is_git_at_work(&self, folder: Option<&RelPath>) -> bool {
        self.git_at_work(folder)
    }

    fn stage(
        &self,
        path: &RelPath,
        manner: Manner,
        temp_name: &str,
        content: &mut dyn Read,
    ) -> Result<Staged> {
        match manner.kind {
            Kind::File => self.stage_file(path, manner, temp_name, content),
            Kind::Link => self.stage_link(path, temp_name, content),
        }
    }

    fn put(&self, staged: &Staged, expected: Expected, rescued: Rescue<'_>) -> Result<Put> {
        let Some(folder) = self.root.parent(&staged.path)? else {
            return Err(error::staged_is_gone(&staged.path));
        };
        let spot = self.spot(&folder, &staged.path, &staged.temp_name);
        spot.put(staged, expected, rescued)
    }

    fn take(
        &self,
        path: &RelPath,
        expected: State,
        temp_name: &str,
        rescued: Rescue<'_>,
    ) -> Result<Taken> {
        let Some(folder) = self.root.parent(path)? else {
            return Ok(Taken::Changed);
        };
        let taken = self.spot(&folder, path, temp_name).take(expected, rescued)?;
        if taken == Taken::Done {
            self.remove_empty_parents(path);
        }
        Ok(taken)
    }

    fn restore_temp(&self, path: &RelPath, temp_name: &str) -> Result<bool> {
        self.restore(path, temp_name)
    }

    fn look_at_temp(&self, path: &RelPath, temp_name: &str) -> Result<Option<State>> {
        self.state_of_temp(path, temp_name)
    }

    fn open_temp(&self, path: &RelPath, temp_name: &str) -> Result<Option<Box<dyn Read + Send>>> {
        Ok(temps::bytes_of(self.open_beside(path, temp_name)?))
    }

    fn remove_temp(&self, path: &RelPath, temp_name: &str) -> Result<()> {
        self.forget_temp(path, temp_name)
    }

    fn flush(&self, path: &RelPath) -> Result<()> {
        self.flush_name(path)
    }
}
