//! All that the log says at one commit.
//!
//! Built by [`History::apply`] alone, from entry 1 on or from a checkpoint of
//! it; every machine that has read the same entries holds the same value.

mod apply;
mod check;
mod liveness;
mod past;
mod tags;
#[cfg(test)]
mod tests;
mod void;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use apply::Applied;
pub use past::Past;
pub use void::Void;

use crate::commit::{Action, CheckpointRef, Method, Moved, Settings};
use crate::path::Names;
use crate::reconcile::Sighted;
use crate::shared::SharedMap;
use crate::{Digest, Entry, RelPath, Timestamp, Ulid};

/// Larger numbers are not exact in every reader's JSON.
const MAX_SIZE: u64 = 1 << 53;

/// A file at the head, with the commit that put it there (B2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    pub entry: Entry,
    pub seq: u64,
}

impl Placed {
    pub fn sighted(&self) -> Sighted {
        Sighted { state: self.entry.state(), seq: self.seq }
    }
}

/// A version that a later commit replaced or removed: it stood at `path` in
/// the commits from `since` to before `until`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastVersion {
    pub path: RelPath,
    pub entry: Entry,
    pub since: u64,
    pub until: u64,
}

/// Where a content is to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub pack: Ulid,
    pub offset: u64,
    pub stored_size: u64,
    pub size: u64,
    pub method: Method,
}

/// A pack as the commit that brought it described it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackFacts {
    pub sha256: Digest,
    pub size: u64,
}

/// A commit that can be gone back to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub id: Ulid,
    pub time: Timestamp,
    pub user: String,
    pub machine: String,
    pub action: Action,
    pub tag: Option<String>,
    pub message: Option<String>,
    pub file_count: u64,
    pub size_bytes: u64,
    /// Contents of the versions that were merged in this commit (M2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Digest>,
}

/// What one entry's digest and the entries before it add up to. Copies share what
/// they have in common.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct History {
    /// The project: the digest of entry 1.
    pub(crate) project: Option<Digest>,
    /// 0 before entry 1.
    pub(crate) head: u64,
    pub(crate) head_digest: Option<Digest>,
    pub(crate) settings: Option<Settings>,
    pub(crate) manifest: SharedMap<RelPath, Placed>,
    pub(crate) past: Past,
    pub(crate) contents: SharedMap<Digest, Place>,
    pub(crate) packs: SharedMap<Ulid, PackFacts>,
    pub(crate) snapshots: SharedMap<u64, Snapshot>,
    pub(crate) dead_packs: Arc<BTreeSet<Ulid>>,
    /// What void entries reference; never garbage (P3).
    pub(crate) void_contents: Arc<BTreeSet<Digest>>,
    pub(crate) void_packs: Arc<BTreeSet<Ulid>>,
    /// Contents that a promote found missing, with the pack that held them:
    /// what can't be read is never garbage (P3).
    pub(crate) missing: SharedMap<Digest, Ulid>,
    /// Deleted paths of which no listed snapshot has a version any more: the
    /// log has had them all the same (B5).
    pub(crate) gone: Arc<BTreeSet<RelPath>>,
    /// The entries that are void.
    pub(crate) voids: Arc<BTreeSet<u64>>,
    /// The newest checkpoint that a commit vouches for (L8).
    pub(crate) vouched: Option<CheckpointRef>,
    pub(crate) moved: Option<Moved>,
    pub(crate) size_bytes: u64,
    /// By path, what went into its merges (M2).
    #[serde(default, skip_serializing_if = "SharedMap::is_empty")]
    pub(crate) inputs: SharedMap<RelPath, BTreeSet<Digest>>,
    /// Where contents that were given again lay before, newest first (P8).
    #[serde(default, skip_serializing_if = "SharedMap::is_empty")]
    pub(crate) earlier: SharedMap<Digest, Vec<Place>>,
    /// The folded names of the manifest; follows from it.
    #[serde(skip)]
    pub(crate) names: Names,
}

impl History {
    /// The history before entry 1.
    pub fn new() -> Self {
        Self::default()
    }

    /// The digest of entry 1, once there is one.
    pub fn project(&self) -> Option<Digest> {
        self.project
    }

    /// The newest entry, void ones included; 0 before entry 1.
    pub fn head(&self) -> u64 {
        self.head
    }

    /// The digest of the newest entry's bytes.
    pub fn head_digest(&self) -> Option<Digest> {
        self.head_digest
    }

    /// What all machines share; `None` before entry 1, and for ever after one
    /// that is void.
    pub fn settings(&self) -> Option<&Settings> {
        self.settings.as_ref()
    }

    /// The files at the head.
    pub fn manifest(&self) -> &SharedMap<RelPath, Placed> {
        &self.manifest
    }

    /// The versions that the manifest no longer has.
    pub fn past(&self) -> &Past {
        &self.past
    }

    /// Where a content was given last.
    pub fn place(&self, content: Digest) -> Option<&Place> {
        self.contents.get(&content)
    }

    /// Everywhere a content is to be had, the newest place first (P8).
    pub fn places(&self, content: Digest) -> impl Iterator<Item = &Place> {
        let earlier = self.earlier.get(&content).into_iter().flatten();
        self.contents.get(&content).into_iter().chain(earlier)
    }

    pub fn pack(&self, name: Ulid) -> Option<&PackFacts> {
        self.packs.get(&name)
    }

    /// Commits that can be gone back to, by number.
    pub fn snapshots(&self) -> &SharedMap<u64, Snapshot> {
        &self.snapshots
    }

    pub fn vouched(&self) -> Option<CheckpointRef> {
        self.vouched
    }

    pub fn moved(&self) -> Option<&Moved> {
        self.moved.as_ref()
    }

    /// Whether entry `seq` is void.
    pub fn is_void(&self, seq: u64) -> bool {
        self.voids.contains(&seq)
    }

    /// Whether the log has had the path, though no version of it is listed now.
    pub fn has_forgotten(&self, path: &RelPath) -> bool {
        self.gone.contains(path)
    }

    /// The files as they were at commit `seq`: exact for listed snapshots and
    /// the head.
    pub fn manifest_at(&self, seq: u64) -> BTreeMap<&RelPath, &Entry> {
        let current = self.manifest.iter().filter(|(_, placed)| placed.seq <= seq);
        let past = self.past.iter().filter(|version| version.since <= seq && seq < version.until);
        current
            .map(|(path, placed)| (path, &placed.entry))
            .chain(past.map(|version| (&version.path, &version.entry)))
            .collect()
    }

    /// Every earlier version of a path, newest first.
    pub fn past_of(&self, path: &RelPath) -> impl Iterator<Item = &PastVersion> {
        self.past.of(path)
    }

    /// Which of these paths were for their owner alone (B14) in the newest version
    /// that there is of them, at the head or before they were deleted.
    pub fn private_among<'a>(
        &self,
        paths: impl IntoIterator<Item = &'a RelPath>,
    ) -> BTreeSet<&'a RelPath> {
        let (mut private, mut gone) = (BTreeSet::new(), BTreeSet::new());
        for path in paths {
            match self.manifest.get(path) {
                Some(placed) if placed.entry.private => drop(private.insert(path)),
                Some(_) => {}
                None => drop(gone.insert(path)),
            }
        }
        for version in self.past.iter().rev() {
            if gone.is_empty() {
                break;
            }
            if let Some(path) = gone.take(&version.path)
                && version.entry.private
            {
                private.insert(path);
            }
        }
        private
    }

    /// The same of one path.
    pub fn is_private(&self, path: &RelPath) -> bool {
        !self.private_among([path]).is_empty()
    }

    /// The versions that went into merges of a path (M2).
    pub fn inputs_of(&self, path: &RelPath) -> impl Iterator<Item = Digest> {
        self.inputs.get(path).into_iter().flatten().copied()
    }

    /// Every content that the log knows as one of this path: at the head,
    /// before it, or in a merge (M2).
    pub fn known_of(&self, path: &RelPath) -> BTreeSet<Digest> {
        let current = self.manifest.get(path).map(|placed| placed.entry.sha256);
        let past = self.past_of(path).map(|version| version.entry.sha256);
        current.into_iter().chain(past).chain(self.inputs_of(path)).collect()
    }

    /// Rebuilds what follows from the rest, after reading from JSON; refuses
    /// what no log adds up to, so that later entries can rely on it.
    pub(crate) fn rebuilt(mut self) -> Result<Self, &'static str> {
        let started = self.head > 0;
        if self.head_digest.is_some() != started || self.project.is_some() != started {
            return Err("its head is not that of a log");
        }
        let stood = |past: &PastVersion| past.since < past.until && past.until <= self.head;
        let placed = self.manifest.values().all(|placed| placed.seq <= self.head);
        if self.head > MAX_SIZE || !placed || !self.past.iter().all(stood) {
            return Err("its numbers are out of order");
        }
        let sizes = self.manifest.values().map(|placed| u128::from(placed.entry.size));
        if self.size_bytes > MAX_SIZE || sizes.sum::<u128>() != u128::from(self.size_bytes) {
            return Err("its sizes do not add up");
        }
        for path in self.manifest.keys() {
            self.names.insert(path).map_err(|_| "its names clash")?;
        }
        Ok(self)
    }
}
