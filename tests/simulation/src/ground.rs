//! The files of one machine's working tree, and the people at its keyboard.
//!
//! An edit keeps the inode when it is written in place; the ctime ticks
//! coarsely, as that of a file system does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use mirror_core::Digest;
use mirror_engine::outside::tree::TEMP_PREFIX;

use crate::ledger::Holder;
use crate::world::{SkewedClock, World, locked};
use crate::writers::{Place, ids_in, spelled};

/// A file system's clock ticks this coarsely.
const TICK_MS: i64 = 10;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) bytes: Bytes,
    pub(crate) exec: bool,
    pub(crate) inode: u64,
    pub(crate) ctime_ns: i64,
    pub(crate) mtime_ns: i64,
}

#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) by_path: BTreeMap<String, Node>,
    pub(crate) inodes: u64,
}

/// The files of one machine; they outlive the daemon.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) world: Arc<World>,
    pub(crate) machine: usize,
    pub(crate) clock: Arc<SkewedClock>,
    pub(crate) files: Mutex<Files>,
}

impl Ground {
    pub(crate) fn new(world: Arc<World>, machine: usize, clock: Arc<SkewedClock>) -> Self {
        Self { world, machine, clock, files: Mutex::default() }
    }

    pub(crate) fn ticks_ns(&self) -> i64 {
        self.clock.now_ms().div_euclid(TICK_MS) * TICK_MS * 1_000_000
    }

    /// What a person sees: our temporary files are not for them.
    pub(crate) fn contents(&self) -> BTreeMap<String, Bytes> {
        let files = locked(&self.files);
        let seen = files.by_path.iter().filter(|(path, _)| !is_temp(path));
        seen.map(|(path, node)| (path.clone(), node.bytes.clone())).collect()
    }

    pub(crate) fn temps(&self) -> Vec<String> {
        locked(&self.files).by_path.keys().filter(|path| is_temp(path)).cloned().collect()
    }

    /// Lets something happen to these names, and notes what stands there then.
    pub(crate) fn change<T>(&self, names: &[&str], act: impl FnOnce(&mut Files) -> T) -> T {
        let mut files = locked(&self.files);
        let outcome = act(&mut files);
        for name in names.iter().filter(|name| !is_temp(name)) {
            let version = files.by_path.get(*name).map(|node| Digest::of(&node.bytes));
            self.world.ledger().holds(Holder::Machine(self.machine), name, version);
        }
        outcome
    }

    fn content(&self, path: &str) -> Option<Bytes> {
        locked(&self.files).by_path.get(path).map(|node| node.bytes.clone())
    }

    /// A program saves a file: in place, or a new one over the old.
    pub(crate) fn save(&self, path: &str, bytes: Bytes, in_place: bool) {
        let now = self.ticks_ns();
        self.change(&[path], |files| {
            files.inodes += 1;
            let fresh = files.inodes;
            let old = files.by_path.get(path);
            let inode = old.filter(|_| in_place).map_or(fresh, |old| old.inode);
            let exec = old.is_some_and(|old| old.exec);
            let node = Node { bytes, exec, inode, ctime_ns: now, mtime_ns: now };
            files.by_path.insert(path.to_owned(), node);
        });
    }

    /// Somebody edits one of the project's files.
    pub(crate) fn edit(&self, path: &str) {
        let old = self.content(path);
        let in_place = self.world.chance(|chance| chance.permille(500));
        let mut writers = self.world.writers();
        let holder = Holder::Machine(self.machine);
        let had = |version| self.world.ledger().has_held(holder, path, version);
        let new = writers.write(path, old.as_ref(), had);
        writers.note(Place::Machine(self.machine), path, old.as_ref(), Some(&new));
        drop(writers);
        self.tell("writes", path, &new);
        self.save(path, new, in_place);
    }

    pub(crate) fn delete(&self, path: &str) {
        let old = self.change(&[path], |files| files.by_path.remove(path));
        let Some(old) = old else { return };
        self.world.writers().note(Place::Machine(self.machine), path, Some(&old.bytes), None);
        self.world.note(format_args!("person on {} deletes {path}", self.machine));
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        let now = self.ticks_ns();
        let renamed = self.change(&[from, to], |files| {
            let mut node = files.by_path.remove(from)?;
            node.ctime_ns = now;
            Some((files.by_path.insert(to.to_owned(), node.clone()), node))
        });
        let Some((old, node)) = renamed else { return };
        let old = old.map(|old| old.bytes);
        let mut writers = self.world.writers();
        writers.note(Place::Machine(self.machine), from, None, None);
        writers.note(Place::Machine(self.machine), to, old.as_ref(), Some(&node.bytes));
        drop(writers);
        self.world.note(format_args!("person on {} renames {from} to {to}", self.machine));
    }

    fn tell(&self, what: &str, path: &str, bytes: &Bytes) {
        let ids: Vec<String> = ids_in(bytes).into_iter().map(spelled).collect();
        let machine = self.machine;
        let digest = &Digest::of(bytes).to_string()[..8];
        self.world
            .note(format_args!("person on {machine} {what} {path} as {digest}: {}", ids.join(" ")));
    }
}

fn is_temp(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.starts_with(TEMP_PREFIX))
}
