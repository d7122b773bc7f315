//! The files of one machine's working tree, and the people at its keyboard.
//!
//! An edit keeps the inode when it is written in place; the ctime ticks
//! coarsely, as that of a file system does. What no flush has made durable the
//! power may take back: the last changes first, as a journal would.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use mirror_core::Digest;
use mirror_engine::outside::tree::TEMP_PREFIX;

use crate::chance::Chance;
use crate::ledger::Holder;
use crate::panics::locked;
use crate::world::{SkewedClock, World};
use crate::writers::{Id, Place, ids_in, spelled};

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

impl Node {
    fn looks_like(&self, other: &Self) -> bool {
        let stamp = |node: &Self| (node.inode, node.ctime_ns, node.mtime_ns, node.bytes.len());
        stamp(self) == stamp(other)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) by_path: BTreeMap<String, Node>,
    pub(crate) inodes: u64,
    unflushed: Vec<Unflushed>,
}

/// A change of names that is not durable yet.
#[derive(Debug)]
struct Unflushed {
    before: Vec<(String, Option<Node>)>,
    /// Since when the ledger has its versions.
    held: Vec<(String, u64)>,
    /// What a person brought with it and took away, if it was one.
    edit: Option<Edit>,
    /// It left no trace in a stamp, so that nobody could tell it was lost.
    is_blurred: bool,
}

#[derive(Debug)]
pub(crate) struct Edit {
    brought: BTreeSet<Id>,
    took: Vec<Id>,
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
        self.change_by(None, names, act)
    }

    /// The same by a person, if there is an edit.
    fn change_by<T>(
        &self,
        edit: Option<Edit>,
        names: &[&str],
        act: impl FnOnce(&mut Files) -> T,
    ) -> T {
        let mut files = locked(&self.files);
        let before: Vec<(String, Option<Node>)> = names
            .iter()
            .map(|name| ((*name).to_owned(), files.by_path.get(*name).cloned()))
            .collect();
        let outcome = act(&mut files);
        let held = names.iter().filter_map(|name| self.holds_now(&files, name)).collect();
        let now = |name: &String| files.by_path.get(name);
        if before.iter().any(|(name, node)| now(name) != node.as_ref()) {
            let is_blurred = before.iter().any(|(name, node)| {
                node.as_ref().zip(now(name)).is_some_and(|(one, other)| one.looks_like(other))
            });
            files.unflushed.push(Unflushed { before, held, edit, is_blurred });
        }
        outcome
    }

    fn holds_now(&self, files: &Files, name: &str) -> Option<(String, u64)> {
        let version = files.by_path.get(name).map(|node| Digest::of(&node.bytes));
        let holder = Holder::Machine(self.machine);
        let since = (!is_temp(name)).then(|| self.world.ledger().holds(holder, name, version));
        since.map(|since| (name.to_owned(), since))
    }

    /// Makes durable what was done in the folder of `path`, and all before that.
    pub(crate) fn flush(&self, path: &str) {
        let mut files = locked(&self.files);
        let is_there = |one: &Unflushed| one.before.iter().any(|(name, _)| is_beside(name, path));
        let count = files.unflushed.iter().rposition(is_there).map_or(0, |last| last + 1);
        files.unflushed.drain(..count);
    }

    /// The power goes: a beginning is left of what was not flushed. Gives what
    /// people wrote and the disk has lost.
    pub(crate) fn lose_power(&self, chance: &mut Chance) -> BTreeSet<Id> {
        let (mut lost, mut touched) = (BTreeSet::new(), BTreeSet::new());
        let mut files = locked(&self.files);
        let blurred = files.unflushed.iter().rposition(|one| one.is_blurred);
        let left = chance.below(files.unflushed.len() + 1).max(blurred.map_or(0, |last| last + 1));
        let undone = files.unflushed.split_off(left);
        files.unflushed.clear();
        let mut edited = BTreeSet::new();
        for Unflushed { before, held, edit, .. } in undone.into_iter().rev() {
            if edit.is_some() {
                edited.extend(before.iter().map(|(name, _)| name.clone()));
            }
            for (name, node) in before {
                match node {
                    Some(node) => files.by_path.insert(name.clone(), node),
                    None => files.by_path.remove(&name),
                };
                touched.insert(name);
            }
            match edit {
                Some(edit) => {
                    self.world.writers().give_back(&edit.took);
                    lost.extend(edit.brought);
                }
                // Nobody can have built on what a daemon alone brought, unless a
                // person did before the power went: that may have been sent.
                None => {
                    let unseen = held.into_iter().filter(|(name, _)| !edited.contains(name));
                    let unseen: Vec<_> = unseen.collect();
                    self.world.ledger().never_held(Holder::Machine(self.machine), &unseen);
                }
            }
        }
        for name in &touched {
            self.holds_now(&files, name);
        }
        self.world.note(format_args!("the disk of {} loses changes of {touched:?}", self.machine));
        lost
    }

    fn content(&self, path: &str) -> Option<Bytes> {
        locked(&self.files).by_path.get(path).map(|node| node.bytes.clone())
    }

    /// A program saves a file: in place, or a new one over the old.
    pub(crate) fn save(&self, path: &str, bytes: Bytes, in_place: bool, edit: Option<Edit>) {
        let now = self.ticks_ns();
        self.change_by(edit, &[path], |files| {
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
        let took = writers.note(Place::Machine(self.machine), path, old.as_ref(), Some(&new));
        drop(writers);
        self.tell("writes", path, &new);
        let edit = Edit { brought: ids_in(&new), took };
        self.save(path, new, in_place, Some(edit));
    }

    pub(crate) fn delete(&self, path: &str) {
        let Some(old) = self.content(path) else { return };
        let place = Place::Machine(self.machine);
        let took = self.world.writers().note(place, path, Some(&old), None);
        let edit = Edit { brought: BTreeSet::new(), took };
        self.change_by(Some(edit), &[path], |files| files.by_path.remove(path));
        self.world.note(format_args!("person on {} deletes {path}", self.machine));
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        let Some(moved) = self.content(from) else { return };
        let (now, place) = (self.ticks_ns(), Place::Machine(self.machine));
        let mut writers = self.world.writers();
        writers.note(place, from, None, None);
        let took = writers.note(place, to, self.content(to).as_ref(), Some(&moved));
        drop(writers);
        let edit = Edit { brought: BTreeSet::new(), took };
        self.change_by(Some(edit), &[from, to], |files| {
            let mut node = files.by_path.remove(from).expect("it has a content");
            node.ctime_ns = now;
            files.by_path.insert(to.to_owned(), node)
        });
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

fn is_beside(one: &str, other: &str) -> bool {
    let folder = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    folder(one) == folder(other)
}

fn is_temp(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.starts_with(TEMP_PREFIX))
}
