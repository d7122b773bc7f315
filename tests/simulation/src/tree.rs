//! A working tree in memory, in which somebody may type between any two steps
//! of the daemon.
//!
//! Follows `real/tree`: exchange, look at what came out, put back.

use std::collections::BTreeSet;
use std::io::{self, Cursor, Read};
use std::sync::Arc;

use mirror_core::{Digest, Kind, RelPath, State};
use mirror_engine::outside::tree::Opened;
use mirror_engine::outside::{
    DirEntry, Expected, Found, Identity, Manner, Put, Staged, Stamp, Taken, Tree, TreeError,
    TreeTraits,
};

use crate::ground::{Ground, Node};
use crate::life::Life;
use crate::panics::locked;
use crate::plants::Fake;

type Rescue<'a> = &'a mut dyn FnMut(&mut dyn Read) -> io::Result<()>;

fn beside(path: &RelPath, name: &str) -> String {
    match path.parent() {
        Some(folder) => format!("{folder}/{name}"),
        None => name.to_owned(),
    }
}

fn state_of(node: &Node) -> State {
    State { kind: Kind::File, digest: Digest::of(&node.bytes), exec: node.exec }
}

/// A tree in the hands of one run of the daemon.
#[derive(Debug)]
pub(crate) struct FakeTree {
    pub(crate) ground: Arc<Ground>,
    pub(crate) life: Arc<Life>,
}

impl FakeTree {
    /// Between two steps somebody may type, and the daemon may die.
    fn step(&self, path: &RelPath) -> Result<(), TreeError> {
        self.step_with(path, 1)
    }

    /// A step at which it would hurt most.
    fn close_step(&self, path: &RelPath) -> Result<(), TreeError> {
        self.step_with(path, 10)
    }

    fn step_with(&self, path: &RelPath, closeness: u32) -> Result<(), TreeError> {
        let world = &self.ground.world;
        if !world.is_calm() {
            let setup = &world.setup;
            let is_theirs = setup.paths.contains(&path.as_str());
            if is_theirs && world.chance(|chance| chance.permille(closeness * setup.haunting)) {
                self.haunt(path);
            }
            if world.chance(|chance| chance.permille(setup.deaths)) {
                self.life.ends_after(0);
            }
        }
        if self.life.lasts() {
            return Ok(());
        }
        let cause = io::Error::other("the daemon is dead");
        Err(TreeError::Failed { path: path.clone(), cause })
    }

    fn keeps(&self, rule: Fake) -> bool {
        self.ground.world.setup.keeps(rule)
    }

    fn haunt(&self, path: &RelPath) {
        let world = &self.ground.world;
        let (time, deletes) =
            world.chance(|chance| (*chance.pick(&[0, 0, 1, 15, 2_500]), chance.permille(100)));
        world.advance(time);
        match deletes {
            true => self.ground.delete(path.as_str()),
            false => self.ground.edit(path.as_str()),
        }
    }

    fn stamp_of(&self, node: &Node) -> Stamp {
        let dev = self.ground.machine as u64 + 1;
        Stamp {
            kind: Kind::File,
            identity: Identity { dev, inode: node.inode, ctime_ns: node.ctime_ns },
            size: node.bytes.len() as u64,
            mtime_ns: node.mtime_ns,
            exec: node.exec,
            is_linked: false,
            private: false,
        }
    }

    fn node(&self, name: &str) -> Option<Node> {
        locked(&self.ground.files).by_path.get(name).cloned()
    }

    /// Renames onto a free name; `false` when it is taken or there is nothing.
    fn move_in(&self, from: &str, to: &str) -> bool {
        let now = self.ground.ticks_ns();
        self.ground.change(&[from, to], |files| {
            if files.by_path.contains_key(to) {
                return false;
            }
            let Some(mut node) = files.by_path.remove(from) else { return false };
            node.ctime_ns = now;
            files.by_path.insert(to.to_owned(), node);
            true
        })
    }

    /// Exchanges two names; `false` when one of them is missing.
    fn exchange(&self, one: &str, other: &str) -> bool {
        let now = self.ground.ticks_ns();
        self.ground.change(&[one, other], |files| {
            if !files.by_path.contains_key(one) || !files.by_path.contains_key(other) {
                return false;
            }
            let mut left = files.by_path.remove(one).expect("just seen");
            let mut right = files.by_path.remove(other).expect("just seen");
            (left.ctime_ns, right.ctime_ns) = (now, now);
            files.by_path.insert(other.to_owned(), left);
            files.by_path.insert(one.to_owned(), right);
            true
        })
    }

    fn drop_name(&self, name: &str) {
        self.ground.change(&[name], |files| files.by_path.remove(name));
    }

    fn rescue(&self, path: &RelPath, name: &str, rescue: Rescue<'_>) -> Result<(), TreeError> {
        if let Some(node) = self.node(name) {
            let failed = |cause| TreeError::Failed { path: path.clone(), cause };
            rescue(&mut Cursor::new(node.bytes)).map_err(failed)?;
        }
        self.drop_name(name);
        Ok(())
    }

    /// Puts back what came out at `temp` for what was put in, `inside`; an edit
    /// made meanwhile is the newest and stays.
    fn put_back(
        &self,
        path: &RelPath,
        temp: &str,
        mut inside: Node,
        ours: State,
        rescue: Rescue<'_>,
    ) -> Result<(), TreeError> {
        for _ in 0..16 {
            self.close_step(path)?;
            let held = self.node(temp);
            if !self.exchange(temp, path.as_str()) {
                if self.move_in(temp, path.as_str()) {
                    return self.flush_names(path);
                }
                continue;
            }
            let out = self.node(temp);
            let same = out
                .as_ref()
                .is_some_and(|out| (out.inode, &out.bytes) == (inside.inode, &inside.bytes));
            let Some(held) = held.filter(|_| !same) else { break };
            inside = held;
        }
        match self.node(temp) {
            Some(node) if state_of(&node) == ours => self.drop_name(temp),
            _ => self.rescue(path, temp, rescue)?,
        }
        self.flush_names(path)
    }

    /// Makes durable what was just done to names in the folder of `path`.
    fn flush_names(&self, path: &RelPath) -> Result<(), TreeError> {
        self.close_step(path)?;
        if self.keeps(Fake::B9Flush) {
            self.ground.flush(path.as_str());
        }
        Ok(())
    }

    fn replaced(&self, path: &RelPath, old: Option<Digest>, new: Option<Digest>) {
        let (world, machine) = (&self.ground.world, self.ground.machine);
        let blind = match old {
            Some(old) => world.ledger().replaces(machine, path.as_str(), old, new),
            None => world.ledger().comes(machine, path.as_str(), new),
        };
        let is_kept = old.is_some_and(|old| world.data_of(machine).contains(&old));
        if blind && !is_kept {
            world.finds(format!("the daemon of {machine} replaces an edit of {path} unseen"));
        }
    }

    fn counted(&self, what: &str, path: &RelPath) {
        self.ground.world.count_effect();
        let machine = self.ground.machine;
        self.ground.world.note(format_args!("daemon {machine} {what} {path}"));
    }
}

impl Tree for FakeTree {
    fn root_identity(&self) -> io::Result<Option<(u64, u64)>> {
        Ok(Some((self.ground.machine as u64 + 1, 2)))
    }

    fn traits(&self) -> TreeTraits {
        TreeTraits { exec: true }
    }

    fn list(&self, folder: Option<&RelPath>) -> Result<Vec<Found>, TreeError> {
        let prefix = folder.map_or(String::new(), |folder| format!("{folder}/"));
        let nodes = locked(&self.ground.files).by_path.clone();
        let (mut found, mut folders) = (Vec::new(), BTreeSet::new());
        for (path, node) in &nodes {
            let Some(below) = path.strip_prefix(&prefix) else { continue };
            let (name, entry) = match below.split_once('/') {
                Some((name, _)) if folders.insert(name.to_owned()) => (name, DirEntry::Folder),
                Some(_) => continue,
                None => (below, DirEntry::File(self.stamp_of(node))),
            };
            found.push(Found { name: Some(name.to_owned()), shown: name.to_owned(), entry });
        }
        Ok(found)
    }

    fn stamp(&self, path: &RelPath) -> Result<Option<Stamp>, TreeError> {
        self.step(path)?;
        Ok(self.node(path.as_str()).map(|node| self.stamp_of(&node)))
    }

    fn open(&self, path: &RelPath) -> Result<Option<Opened>, TreeError> {
        self.step(path)?;
        let node = self.node(path.as_str());
        Ok(node.map(|node| {
            let reader: Box<dyn Read + Send> = Box::new(Cursor::new(node.bytes.clone()));
            (self.stamp_of(&node), reader)
        }))
    }

    fn stage(
        &self,
        path: &RelPath,
        manner: Manner,
        temp_name: &str,
        content: &mut dyn Read,
    ) -> Result<Staged, TreeError> {
        let mut bytes = Vec::new();
        let failed = |cause| TreeError::Failed { path: path.clone(), cause };
        content.read_to_end(&mut bytes).map_err(failed)?;
        self.step(path)?;
        let temp = beside(path, temp_name);
        self.ground.save(&temp, bytes.into(), false, None);
        self.ground.change(&[&temp], |files| {
            if let Some(node) = files.by_path.get_mut(&temp) {
                node.exec = manner.exec;
            }
        });
        let node = self.node(&temp).expect("just written");
        let state = State { kind: manner.kind, ..state_of(&node) };
        let stamp = self.stamp_of(&node);
        Ok(Staged { path: path.clone(), temp_name: temp_name.to_owned(), state, stamp })
    }

    fn put(
        &self,
        staged: &Staged,
        expected: Expected,
        rescued: Rescue<'_>,
    ) -> Result<Put, TreeError> {
        let (path, temp) = (&staged.path, beside(&staged.path, &staged.temp_name));
        self.close_step(path)?;
        let ours = self.node(&temp).ok_or_else(|| {
            let cause = io::Error::other("its staged version is gone");
            TreeError::Failed { path: path.clone(), cause }
        })?;
        let replaced = match expected {
            Expected::Absent => None,
            Expected::State(expected) => Some(expected.digest),
        };
        let put = match expected {
            Expected::Absent => self.move_in(&temp, path.as_str()),
            Expected::State(expected) => {
                if !self.exchange(&temp, path.as_str()) {
                    self.drop_name(&temp);
                    self.flush_names(path)?;
                    return Ok(Put::Changed);
                }
                // Whoever is killed from here on finds its own version there.
                let version = Some(staged.state.digest);
                self.ground.world.ledger().tries(self.ground.machine, path.as_str(), version);
                self.close_step(path)?;
                let out = self.node(&temp).expect("exchanged");
                if state_of(&out) != expected && self.keeps(Fake::B9) {
                    self.put_back(path, &temp, ours, staged.state, rescued)?;
                    self.ground.world.ledger().takes_back(self.ground.machine, path.as_str());
                    return Ok(Put::Changed);
                }
                true
            }
        };
        self.drop_name(&temp);
        self.flush_names(path)?;
        if !put {
            return Ok(Put::Changed);
        }
        self.replaced(path, replaced, Some(staged.state.digest));
        self.counted("puts", path);
        self.close_step(path)?;
        let now = self.node(path.as_str()).filter(|now| {
            (now.inode, now.mtime_ns, &now.bytes) == (ours.inode, ours.mtime_ns, &ours.bytes)
        });
        Ok(Put::Done(now.map_or(staged.stamp, |now| self.stamp_of(&now))))
    }

    fn take(
        &self,
        path: &RelPath,
        expected: State,
        temp_name: &str,
        rescued: Rescue<'_>,
    ) -> Result<Taken, TreeError> {
        self.close_step(path)?;
        let temp = beside(path, temp_name);
        if !self.move_in(path.as_str(), &temp) {
            return Ok(Taken::Changed);
        }
        self.close_step(path)?;
        let out = self.node(&temp).expect("moved there");
        if state_of(&out) == expected || !self.keeps(Fake::B9Take) {
            self.drop_name(&temp);
            self.flush_names(path)?;
            self.replaced(path, Some(expected.digest), None);
            self.counted("removes", path);
            return Ok(Taken::Done);
        }
        if !self.move_in(&temp, path.as_str()) {
            self.rescue(path, &temp, rescued)?;
        }
        self.flush_names(path)?;
        Ok(Taken::Changed)
    }

    fn restore_temp(&self, path: &RelPath, temp_name: &str) -> Result<bool, TreeError> {
        self.step(path)?;
        let restored = self.move_in(&beside(path, temp_name), path.as_str());
        self.flush_names(path)?;
        Ok(restored)
    }

    fn look_at_temp(&self, path: &RelPath, temp_name: &str) -> Result<Option<State>, TreeError> {
        Ok(self.node(&beside(path, temp_name)).map(|node| state_of(&node)))
    }

    fn open_temp(
        &self,
        path: &RelPath,
        temp_name: &str,
    ) -> Result<Option<Box<dyn Read + Send>>, TreeError> {
        let node = self.node(&beside(path, temp_name));
        Ok(node.map(|node| Box::new(Cursor::new(node.bytes)) as Box<dyn Read + Send>))
    }

    fn remove_temp(&self, path: &RelPath, temp_name: &str) -> Result<(), TreeError> {
        self.step(path)?;
        self.drop_name(&beside(path, temp_name));
        self.drop_name(&beside(path, &mirror_engine::outside::tree::spare_of(temp_name)));
        Ok(())
    }

    fn flush(&self, path: &RelPath) -> Result<(), TreeError> {
        self.step(path)?;
        self.ground.flush(path.as_str());
        Ok(())
    }
}
