//! What the disk looked like last.
//!
//! A refresh looks at what the watch named, or at everything when events may
//! be missing, and digests what is new. Afterwards each entry is a state that
//! its file really had, in whole. What could not be looked at keeps the entry
//! it had: absence is believed only from a complete listing.

#[cfg(test)]
mod faulty;
mod hashing;
mod look;
mod mounts;
mod refresh;
mod skips;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use mirror_core::patterns::{Coverage, GIT_IGNORE_FILE};
use mirror_core::{Kind, RelPath, SharedMap, State, Timestamp};
use serde::{Deserialize, Serialize};

use crate::api::{SkipReason, Skipped};
use crate::outside::Stamp;
use crate::outside::tree::Mounts;
use crate::planted::{self, Rule};
use crate::store::{Batch, Table};

/// A file or link as it was when its content was last read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Indexed {
    pub stamp: Stamp,
    pub state: State,
    /// When reading began, by the clock of this machine.
    pub hashed_at: Timestamp,
}

/// A reader that answers at once reads files up to this size.
const READ_BESIDE: u64 = 8 << 20;

impl Indexed {
    /// A file system's clock ticks coarsely: a write this soon after, or
    /// before, another may leave the same stamp (B10).
    const SETTLING_NS: i64 = 2_000_000_000;

    /// Whether the content may have changed after it was read without leaving
    /// another stamp.
    pub fn is_racy(&self) -> bool {
        let hashed_ns = self.hashed_at.milliseconds().saturating_mul(1_000_000);
        let settling = self.stamp.identity.ctime_ns > hashed_ns.saturating_sub(Self::SETTLING_NS);
        settling && planted::stands(Rule::B10)
    }
}

/// What a refresh found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Entries that were added, removed, or hold another state, by path.
    pub changed: Vec<RelPath>,
    /// Files that changed each time they were read; their entries are of
    /// before. The next refresh tries again.
    pub unsettled: Vec<RelPath>,
    /// Whether everything was looked at.
    pub walked: bool,
}

/// The covered files of one working tree.
#[derive(Debug, Default)]
pub struct Index {
    entries: SharedMap<RelPath, Indexed>,
    skipped: Arc<BTreeSet<Skipped>>,
    /// Folders that were watched and listed since the last start.
    folders: Arc<BTreeSet<RelPath>>,
    /// Files that are read again at the next refresh, whatever the watch says.
    restless: SharedMap<RelPath, ()>,
    /// Covered links, those that are skipped included: read again too.
    links: Arc<BTreeSet<RelPath>>,
    /// Files that go by other names, too: looked at each time.
    linked: Arc<BTreeSet<RelPath>>,
    /// Folders that could not be watched: looked at each time.
    unwatched: Arc<BTreeSet<RelPath>>,
    /// What was mounted where when the entries were seen (B18).
    mounts: Mounts,
    /// When everything was looked at last.
    walked_at: Option<Timestamp>,
    /// Paths whose rows are not stored as they are now.
    unsaved: BTreeSet<RelPath>,
    /// The root folder and the coverage of the last refresh; `None` when the
    /// next one must look at everything.
    walked_with: Option<((u64, u64), Arc<Coverage>)>,
    /// Groups of paths that are one name on some disks; `None` when the paths
    /// have changed since they were found.
    twins: OnceLock<Arc<[Vec<RelPath>]>>,
    /// A file of git's rules came, went or changed since somebody asked.
    rules_moved: bool,
    /// Larger files are not read.
    largest: Option<u64>,
    /// Files that changed and were not read.
    unread: BTreeSet<RelPath>,
}

impl Index {
    pub fn new() -> Self {
        Self::default()
    }

    /// A copy that reads no large file: what changed there is known by name alone.
    pub(crate) fn for_reader(&self) -> Self {
        Self {
            entries: self.entries.clone(),
            skipped: self.skipped.clone(),
            folders: self.folders.clone(),
            restless: self.restless.clone(),
            links: self.links.clone(),
            linked: self.linked.clone(),
            unwatched: self.unwatched.clone(),
            mounts: self.mounts.clone(),
            walked_at: self.walked_at,
            unsaved: BTreeSet::new(),
            walked_with: self.walked_with.clone(),
            twins: self.twins.clone(),
            rules_moved: self.rules_moved,
            largest: Some(READ_BESIDE),
            unread: BTreeSet::new(),
        }
    }

    /// Whether its content is not known: it is too large to be read now.
    pub(crate) fn is_unread(&self, path: &RelPath) -> bool {
        self.unread.contains(path)
    }

    /// Whether the last look read all that it found, and left nothing open.
    pub(crate) fn is_all_read(&self) -> bool {
        self.unread.is_empty() && self.walked_with.is_some()
    }

    /// Takes up the rows of [`Table::Index`]. What can't be read is left out,
    /// and so read again from the disk.
    pub fn load(rows: &[(Vec<u8>, Vec<u8>)]) -> Self {
        let mut index = Self::new();
        for (key, value) in rows {
            let path = std::str::from_utf8(key).ok().and_then(|text| RelPath::new(text).ok());
            if let (Some(path), Ok(indexed)) = (path, postcard::from_bytes(value)) {
                index.set(path, Some(indexed));
            }
        }
        index.unsaved.clear();
        index
    }

    /// Adds the rows that changed since the last call to a batch.
    pub fn save(&mut self, batch: &mut Batch) {
        for path in std::mem::take(&mut self.unsaved) {
            match self.entries.get(&path) {
                Some(indexed) => batch.put(Table::Index, path.as_str(), row(indexed)),
                None => batch.remove(Table::Index, path.as_str()),
            }
        }
    }

    pub fn get(&self, path: &RelPath) -> Option<&Indexed> {
        self.entries.get(path)
    }

    /// Whether a file of git's rules is another one than when they were read last.
    pub(crate) fn have_rules_moved(&self) -> bool {
        self.rules_moved
    }

    /// The files of git's rules are about to be read.
    pub(crate) fn rules_read(&mut self) {
        self.rules_moved = false;
    }

    pub fn entries(&self) -> &SharedMap<RelPath, Indexed> {
        &self.entries
    }

    /// What a pattern covers, or what hides something that one does, but can't
    /// be mirrored. Twins are not among them: see [`Index::twins`].
    pub fn skipped(&self) -> impl Iterator<Item = &Skipped> {
        self.skipped.iter().filter(|skip| self.is_missed(skip))
    }

    /// What stands at this very place and is skipped.
    pub fn skipped_at(&self, path: &str) -> Option<&Skipped> {
        skips::first_in(&self.skipped, path)
    }

    /// The paths at which something stands that can't be mirrored as it is.
    pub fn hidden(&self) -> impl Iterator<Item = RelPath> {
        self.skipped.iter().filter_map(|skip| RelPath::new(&skip.path).ok())
    }

    /// Whether anyone would look for it. A link in a folder of programs is left
    /// unnamed where only notes are mirrored, unless it hides some.
    fn is_missed(&self, skip: &Skipped) -> bool {
        if skip.reason == SkipReason::Own {
            return false;
        }
        let (Ok(path), Some((_, coverage))) = (RelPath::new(&skip.path), &self.walked_with) else {
            return true;
        };
        let is_bare = matches!(skip.reason, SkipReason::SymlinkOutside | SkipReason::SpecialFile);
        !is_bare || coverage.covers(&path) || self.has_entry_below(&path)
    }

    fn has_entry_below(&self, folder: &RelPath) -> bool {
        self.entries.has_below(folder.as_str())
    }

    /// Whether something that is skipped stands at `path` or above it: then a
    /// missing entry doesn't mean that the file was deleted.
    pub fn is_hidden(&self, path: &RelPath) -> bool {
        skips::stands_in(&self.skipped, path.as_str())
            || path.ancestors().any(|folder| skips::stands_in(&self.skipped, folder))
    }

    /// Takes over what the engine wrote or removed itself, so that it isn't
    /// read again once it has settled.
    pub fn note(&mut self, path: RelPath, indexed: Option<Indexed>) {
        self.set(path, indexed);
    }

    /// The entries not to be mirrored because another one has their name on
    /// some disks: of each group the one that the head has, else the first by
    /// bytes, is mirrored.
    pub fn twins(&self, head_has: impl Fn(&RelPath) -> bool) -> Vec<RelPath> {
        let groups = self.twins.get_or_init(|| {
            let groups = mirror_core::path::twins(self.entries.keys());
            groups.into_iter().map(|group| group.into_iter().cloned().collect()).collect()
        });
        let others = groups.iter().flat_map(|group| {
            let kept = group.iter().position(&head_has).unwrap_or(0);
            group.iter().enumerate().filter(move |(place, _)| *place != kept)
        });
        others.map(|(_, path)| path.clone()).collect()
    }

    /// Makes the entry at `path` the given one; tells whether its state differs.
    fn set(&mut self, path: RelPath, indexed: Option<Indexed>) -> bool {
        let old = match indexed {
            Some(indexed) => self.entries.insert(path.clone(), indexed),
            None => self.entries.remove(&path),
        };
        if indexed.is_some_and(|indexed| indexed.is_racy()) {
            self.restless.insert(path.clone(), ());
        } else {
            self.restless.remove(&path);
        }
        if indexed.is_some_and(|indexed| indexed.state.kind == Kind::Link) {
            Arc::make_mut(&mut self.links).insert(path.clone());
        } else if self.links.contains(&path) {
            Arc::make_mut(&mut self.links).remove(&path);
        }
        if indexed.is_some_and(|indexed| indexed.stamp.is_linked) {
            Arc::make_mut(&mut self.linked).insert(path.clone());
        } else if self.linked.contains(&path) {
            Arc::make_mut(&mut self.linked).remove(&path);
        }
        self.rules_moved |= path.name() == GIT_IGNORE_FILE && old != indexed;
        if old.is_some() != indexed.is_some() {
            self.twins.take();
        }
        if old != indexed {
            self.unsaved.insert(path);
        }
        old.map(|old| old.state) != indexed.map(|indexed| indexed.state)
    }
}

fn row(indexed: &Indexed) -> Vec<u8> {
    postcard::to_stdvec(indexed).expect("plain values always encode")
}
