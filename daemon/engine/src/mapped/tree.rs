//! Leads each call to the tree that its path is in, and its answer back.

use std::io::{self, Read};
use std::path::Path;

use mirror_core::patterns::{AgentFolder, MEMORY_FOLDER, Memories, Side};
use mirror_core::{Kind, RelPath, State};

use super::{MappedTree, Way};
use crate::outside::tree::Opened;
use crate::outside::{
    DirEntry, Expected, Found, Manner, MountPoint, Pin, Put, Staged, Stamp, Taken, Tree, TreeError,
    TreeTraits,
};

type Result<T> = std::result::Result<T, TreeError>;
type Rescue<'a> = &'a mut dyn FnMut(&mut dyn Read) -> io::Result<()>;

/// A folder of one of these names.
fn folder(name: &str) -> Found {
    Found { name: Some(name.to_owned()), shown: name.to_owned(), entry: DirEntry::Folder }
}

/// Whether the tree's own folder of this name lies where shared memories do.
fn is_hidden(found: &Found) -> bool {
    let path = found.name.as_deref().and_then(|name| RelPath::new(name).ok());
    path.is_some_and(|path| path.folded().as_str() == MEMORY_FOLDER)
}

impl MappedTree {
    fn list_root(&self) -> Result<Vec<Found>> {
        let mut found = self.root.list(None)?;
        found.retain(|found| !is_hidden(found));
        if self.standing().next().is_some() {
            found.push(folder(MEMORY_FOLDER));
        }
        Ok(found)
    }
}

impl Tree for MappedTree {
    fn root_identity(&self) -> io::Result<Option<(u64, u64)>> {
        let root = self.root.root_identity()?;
        if let Some((device, _)) = root {
            self.look(device);
        }
        Ok(root)
    }

    fn traits(&self) -> TreeTraits {
        let folders = self.standing().all(|folder| folder.mapped.tree.traits().exec);
        TreeTraits { exec: self.root.traits().exec && folders }
    }

    fn mounts(&self, wanted: &dyn Fn(&RelPath) -> bool) -> Vec<MountPoint> {
        let is_plain = |path: &RelPath| Side::of(path) == Side::Plain && wanted(path);
        let mut all = self.root.mounts(&is_plain);
        for folder in self.standing() {
            let is_wanted = |rest: &RelPath| folder.shared(rest).is_some_and(|path| wanted(&path));
            let mounts = folder.mapped.tree.mounts(&is_wanted).into_iter();
            all.extend(mounts.filter_map(|mount| {
                Some(MountPoint { path: folder.shared(&mount.path)?, ..mount })
            }));
        }
        all
    }

    fn list(&self, at: Option<&RelPath>) -> Result<Vec<Found>> {
        let Some(path) = at else { return self.list_root() };
        match self.way(path) {
            Way::Root => self.root.list(at),
            Way::Into(folder, rest) => {
                self.checked(folder, folder.mapped.tree.list(Some(&rest)), path)
            }
            Way::Top(Some(folder)) => self.checked(folder, folder.mapped.tree.list(None), path),
            Way::Top(None) => Ok(self.standing().map(|found| folder(&found.mapped.name)).collect()),
            Way::Nowhere => Err(TreeError::Unmapped(path.clone())),
        }
    }

    fn stamp(&self, path: &RelPath) -> Result<Option<Stamp>> {
        match self.way(path) {
            Way::Root => self.root.stamp(path),
            Way::Into(folder, rest) => match folder.mapped.tree.stamp(&rest) {
                Ok(Some(stamp)) => Ok(Some(stamp)),
                other => self.checked(folder, other, path),
            },
            Way::Top(_) => Ok(None),
            Way::Nowhere => Err(TreeError::Unmapped(path.clone())),
        }
    }

    fn open(&self, path: &RelPath) -> Result<Option<Opened>> {
        match self.way(path) {
            Way::Root => self.root.open(path),
            Way::Into(folder, rest) => match folder.mapped.tree.open(&rest) {
                Ok(Some(opened)) => Ok(Some(opened)),
                other => self.checked(folder, other, path),
            },
            Way::Top(_) => Ok(None),
            Way::Nowhere => Err(TreeError::Unmapped(path.clone())),
        }
    }

    fn own_places(&self) -> Vec<RelPath> {
        let mut own = self.root.own_places();
        for folder in self.standing() {
            let places = folder.mapped.tree.own_places();
            own.extend(places.iter().filter_map(|place| folder.shared(place)));
        }
        own
    }

    fn agent_folders(&self) -> Vec<AgentFolder> {
        self.root.agent_folders()
    }

    fn pin(&self) -> io::Result<Option<Pin>> {
        self.root.pin()
    }

    fn memories(&self) -> Option<Memories> {
        Some(self.memories_now())
    }

    fn is_own(&self, folder: &RelPath) -> bool {
        match self.way(folder) {
            Way::Root => self.root.is_own(folder),
            Way::Into(into, rest) => into.mapped.tree.is_own(&rest),
            Way::Top(_) | Way::Nowhere => false,
        }
    }

    fn path_of(&self, absolute: &Path) -> Option<RelPath> {
        let below = |folder: &super::Folder| folder.shared(&folder.mapped.tree.path_of(absolute)?);
        self.standing().find_map(below).or_else(|| self.root.path_of(absolute))
    }

    fn is_git_at_work(&self, folder: Option<&RelPath>) -> bool {
        match folder.map(|path| self.way(path)) {
            None | Some(Way::Root) => self.root.is_git_at_work(folder),
            Some(Way::Into(into, rest)) => into.mapped.tree.is_git_at_work(Some(&rest)),
            Some(Way::Top(Some(into))) => into.mapped.tree.is_git_at_work(None),
            Some(Way::Top(None) | Way::Nowhere) => false,
        }
    }

    fn stage(
        &self,
        path: &RelPath,
        manner: Manner,
        temp_name: &str,
        content: &mut dyn Read,
    ) -> Result<Staged> {
        let Some((folder, rest)) = self.way_to_write(path)? else {
            return self.root.stage(path, manner, temp_name, content);
        };
        // It means another place on each machine.
        if manner.kind == Kind::Link {
            return Err(TreeError::LinkRefused(path.clone()));
        }
        let staged = folder.mapped.tree.stage(&rest, manner, temp_name, content);
        let staged = self.checked(folder, staged, path)?;
        Ok(Staged { path: path.clone(), ..staged })
    }

    fn put(&self, staged: &Staged, expected: Expected, rescued: Rescue<'_>) -> Result<Put> {
        let path = &staged.path;
        let Some((folder, rest)) = self.way_to_write(path)? else {
            return self.root.put(staged, expected, rescued);
        };
        let staged = Staged { path: rest, ..staged.clone() };
        let put = folder.mapped.tree.put(&staged, expected, rescued);
        put.map_err(|error| folder.renamed(error, path))
    }

    fn take(
        &self,
        path: &RelPath,
        expected: State,
        temp_name: &str,
        rescued: Rescue<'_>,
    ) -> Result<Taken> {
        let Some((folder, rest)) = self.way_to_write(path)? else {
            return self.root.take(path, expected, temp_name, rescued);
        };
        let taken = folder.mapped.tree.take(&rest, expected, temp_name, rescued);
        taken.map_err(|error| folder.renamed(error, path))
    }

    fn restore_temp(&self, path: &RelPath, temp_name: &str) -> Result<bool> {
        match self.way_to_write(path)? {
            None => self.root.restore_temp(path, temp_name),
            Some((folder, rest)) => {
                let restored = folder.mapped.tree.restore_temp(&rest, temp_name);
                restored.map_err(|error| folder.renamed(error, path))
            }
        }
    }

    fn look_at_temp(&self, path: &RelPath, temp_name: &str) -> Result<Option<State>> {
        match self.way_to_write(path)? {
            None => self.root.look_at_temp(path, temp_name),
            Some((folder, rest)) => {
                let state = folder.mapped.tree.look_at_temp(&rest, temp_name);
                self.checked(folder, state, path)
            }
        }
    }

    fn open_temp(&self, path: &RelPath, temp_name: &str) -> Result<Option<Box<dyn Read + Send>>> {
        match self.way_to_write(path)? {
            None => self.root.open_temp(path, temp_name),
            Some((folder, rest)) => {
                let opened = folder.mapped.tree.open_temp(&rest, temp_name);
                self.checked(folder, opened, path)
            }
        }
    }

    fn remove_temp(&self, path: &RelPath, temp_name: &str) -> Result<()> {
        match self.way_to_write(path)? {
            None => self.root.remove_temp(path, temp_name),
            Some((folder, rest)) => {
                let removed = folder.mapped.tree.remove_temp(&rest, temp_name);
                removed.map_err(|error| folder.renamed(error, path))
            }
        }
    }

    fn flush(&self, path: &RelPath) -> Result<()> {
        match self.way_to_write(path)? {
            None => self.root.flush(path),
            Some((folder, rest)) => {
                let flushed = folder.mapped.tree.flush(&rest);
                flushed.map_err(|error| folder.renamed(error, path))
            }
        }
    }
}
