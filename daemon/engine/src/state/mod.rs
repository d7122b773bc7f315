//! What this machine agreed on, is about to do, and saw last: typed, in memory,
//! and stored before anything relies on it.
//!
//! A cache by design: whatever can't be read counts as lost, and lost state
//! costs nothing but a closer look (B5).

mod findings;
mod privacy;
mod records;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mirror_core::{Digest, RelPath, SharedMap, Ulid};
use serde::Serialize;

pub use privacy::Private;
pub use records::{
    AsideRecord, Attempt, BaseAfter, BaseRecord, Damage, LocalInput, Owner, Seen, SeenVersion,
    Spot, Target, TriedChange, Upload,
};

use self::findings::Findings;
use self::rows::{fact, key, rows};
use crate::index::Index;
use crate::outside::Outside;
use crate::outside::tree::Mounts;
use crate::store::{Batch, Store, StoreError, Table, encode};

const OWNER: &str = "owner";
const ATTEMPT: &str = "attempt.4";
const COVERAGE: &str = "coverage";
const DELETIONS: &str = "deletions";
const UNPROJECTED: &str = "unprojected";
const DEVICE: &str = "device";
const MACHINE: &str = "machine";
const ASIDES: &str = "asides";
const ALTERS: &str = "alters";
const RECORDED: &str = "recorded";
const NEWEST: &str = "newest";
const UPLOADS: &str = "uploads";
const MOUNTS: &str = "mounts";

/// One project's state, with a batch of changes that are still to be stored.
#[derive(Debug)]
pub struct State {
    store: Arc<dyn Store>,
    pending: Batch,
    /// Something was stored that may not survive power loss yet.
    is_unflushed: bool,
    bases: SharedMap<RelPath, BaseRecord>,
    private: Private,
    targets: SharedMap<RelPath, Target>,
    seen: BTreeMap<RelPath, Seen>,
    attempt: Option<Arc<Attempt>>,
    coverage: Option<String>,
    deletions: Vec<i64>,
    unprojected: BTreeSet<RelPath>,
    owner: Owner,
    device: Option<u64>,
    asides: BTreeMap<String, AsideRecord>,
    alters: bool,
    recorded: u64,
    newest: Option<(u64, Digest)>,
    uploads: Vec<Upload>,
    mounts: Mounts,
    findings: Findings,
    /// True when nothing was remembered: every base is unknown (B5).
    pub fresh: bool,
}

impl State {
    /// Loads the state if it is this project's, else starts afresh (L1).
    pub fn load(store: Arc<dyn Store>, owner: &Owner, machine: Ulid) -> Result<Self, StoreError> {
        let known: Option<Owner> = fact(store.as_ref(), OWNER);
        let writer: Option<Ulid> = fact(store.as_ref(), MACHINE);
        let is_own = writer.is_none_or(|writer| writer == machine);
        let known = known.filter(|known| known.is_still(owner, is_own));
        let mut state = Self {
            store,
            pending: Batch::default(),
            // What an earlier run stored survived its crash, and yet the power
            // could take it.
            is_unflushed: true,
            bases: SharedMap::new(),
            private: Private::default(),
            targets: SharedMap::new(),
            seen: BTreeMap::new(),
            attempt: None,
            coverage: None,
            deletions: Vec::new(),
            unprojected: BTreeSet::new(),
            owner: known.clone().unwrap_or_else(|| owner.clone()),
            device: None,
            asides: BTreeMap::new(),
            alters: false,
            recorded: 0,
            newest: None,
            uploads: Vec::new(),
            mounts: Mounts::new(),
            findings: Findings::default(),
            fresh: known.is_none(),
        };
        if state.fresh {
            state.store.clear()?;
            state.set_fact(OWNER, owner);
        } else if state.read_all().is_none() {
            tracing::warn!("the project's state could not be read and is made anew");
            state.store.clear()?;
            let store = state.store;
            return Self::load(store, owner, machine);
        }
        if state.fresh || writer != Some(machine) {
            // Another machine's packs are its own (P7).
            state.set_uploads(Vec::new());
            state.set_fact(MACHINE, &machine);
        }
        Ok(state)
    }

    /// What readers need of it, with nothing of it to be stored.
    pub(crate) fn for_reader(&self, store: Arc<dyn Store>) -> Self {
        Self {
            store,
            pending: Batch::default(),
            is_unflushed: false,
            bases: self.bases.clone(),
            private: self.private.clone(),
            targets: self.targets.clone(),
            seen: BTreeMap::new(),
            attempt: None,
            coverage: self.coverage.clone(),
            deletions: Vec::new(),
            unprojected: BTreeSet::new(),
            owner: self.owner.clone(),
            device: self.device,
            asides: BTreeMap::new(),
            alters: self.alters,
            recorded: self.recorded,
            newest: None,
            uploads: Vec::new(),
            mounts: self.mounts.clone(),
            findings: self.findings.for_reader(),
            fresh: self.fresh,
        }
    }

    /// `None` when any part of it can't be read.
    fn read_all(&mut self) -> Option<()> {
        self.bases = rows(self.store.as_ref(), Table::Base)?;
        self.private = Private(rows(self.store.as_ref(), Table::Private)?);
        self.targets = rows(self.store.as_ref(), Table::Target)?;
        self.seen = rows(self.store.as_ref(), Table::View)?;
        self.attempt = fact(self.store.as_ref(), ATTEMPT).map(Arc::new);
        self.coverage = fact(self.store.as_ref(), COVERAGE);
        self.deletions = fact(self.store.as_ref(), DELETIONS).unwrap_or_default();
        self.unprojected = fact(self.store.as_ref(), UNPROJECTED).unwrap_or_default();
        self.device = fact(self.store.as_ref(), DEVICE).flatten();
        self.asides = fact(self.store.as_ref(), ASIDES).unwrap_or_default();
        self.alters = fact(self.store.as_ref(), ALTERS).unwrap_or_default();
        self.recorded = fact(self.store.as_ref(), RECORDED).unwrap_or_default();
        self.newest = fact(self.store.as_ref(), NEWEST);
        self.uploads = fact(self.store.as_ref(), UPLOADS).unwrap_or_default();
        self.mounts = fact(self.store.as_ref(), MOUNTS).unwrap_or_default();
        self.findings = Findings::load(self.store.as_ref());
        Some(())
    }

    /// The rows of the index, as they were stored.
    pub fn index_rows(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        if self.fresh { Vec::new() } else { self.store.load(Table::Index).unwrap_or_default() }
    }

    pub fn bases(&self) -> &SharedMap<RelPath, BaseRecord> {
        &self.bases
    }

    /// Moves the base of a path; `None` is "no file" (B1).
    pub fn set_base(&mut self, path: &RelPath, base: Option<BaseRecord>) {
        if !matches!(base, Some(BaseRecord::Known { .. })) {
            self.set_private(path, false);
        }
        if self.bases.get(path) != base.as_ref() {
            self.pending.changes.push((Table::Base, key(path), base.as_ref().map(encode)));
            match base {
                Some(base) => drop(self.bases.insert(path.clone(), base)),
                None => drop(self.bases.remove(path)),
            }
        }
    }

    pub fn private(&self) -> &Private {
        &self.private
    }

    pub fn set_private(&mut self, path: &RelPath, is_private: bool) {
        if self.private.set(path, is_private) {
            let value = is_private.then(|| encode(&()));
            self.pending.changes.push((Table::Private, key(path), value));
        }
    }

    pub fn targets(&self) -> &SharedMap<RelPath, Target> {
        &self.targets
    }

    pub fn set_target(&mut self, path: &RelPath, target: Option<Target>) {
        self.pending.changes.push((Table::Target, key(path), target.as_ref().map(encode)));
        match target {
            Some(target) => drop(self.targets.insert(path.clone(), target)),
            None => drop(self.targets.remove(path)),
        }
    }

    /// What this machine last saw in the view (V2).
    pub fn seen(&self, path: &RelPath) -> Option<&Seen> {
        self.seen.get(path)
    }

    /// All that this machine last saw in the view.
    pub fn all_seen(&self) -> &BTreeMap<RelPath, Seen> {
        &self.seen
    }

    pub fn set_seen(&mut self, path: &RelPath, seen: Option<Seen>) {
        self.pending.changes.push((Table::View, key(path), seen.as_ref().map(encode)));
        match seen {
            Some(seen) => drop(self.seen.insert(path.clone(), seen)),
            None => drop(self.seen.remove(path)),
        }
    }

    pub fn attempt(&self) -> Option<&Arc<Attempt>> {
        self.attempt.as_ref()
    }

    pub fn set_attempt(&mut self, attempt: Option<Arc<Attempt>>) {
        match &attempt {
            Some(attempt) => self.set_fact(ATTEMPT, attempt.as_ref()),
            None => self.pending.remove(Table::Facts, ATTEMPT),
        }
        self.attempt = attempt;
    }

    /// The device on which files were last agreed on.
    pub fn device(&self) -> Option<u64> {
        self.device
    }

    /// Whether the root is on another device than when files were last agreed on.
    pub fn is_elsewhere(&self, (device, _): (u64, u64)) -> bool {
        self.device.is_some_and(|known| known != device)
    }

    /// Files were agreed on in this folder.
    pub fn set_root(&mut self, root: Option<(u64, u64)>) {
        let device = root.map(|(device, _)| device);
        if self.device != device {
            self.set_fact(DEVICE, &device);
            self.device = device;
        }
        if self.owner.identity.is_none() || self.owner.is_on_other_device(root) {
            self.owner.identity = root;
            self.set_fact(OWNER, &self.owner.clone());
        }
    }

    /// What was covered at the last observation (B7), as JSON.
    pub fn coverage(&self) -> Option<&str> {
        self.coverage.as_deref()
    }

    pub fn set_coverage(&mut self, coverage: String) {
        self.set_fact(COVERAGE, &coverage);
        self.coverage = Some(coverage);
    }

    pub fn forget_coverage(&mut self) {
        self.pending.remove(Table::Facts, COVERAGE);
        self.coverage = None;
    }

    /// Times of this project's latest deletions, in milliseconds (B12).
    pub fn deletions(&self) -> &[i64] {
        &self.deletions
    }

    pub fn set_deletions(&mut self, deletions: Vec<i64>) {
        if self.deletions != deletions {
            self.set_fact(DELETIONS, &deletions);
            self.deletions = deletions;
        }
    }

    /// Paths that this machine committed and the view may not show yet (V1).
    pub fn unprojected(&self) -> &BTreeSet<RelPath> {
        &self.unprojected
    }

    pub fn set_unprojected(&mut self, paths: BTreeSet<RelPath>) {
        if self.unprojected != paths {
            self.set_fact(UNPROJECTED, &paths);
            self.unprojected = paths;
        }
    }

    /// View files moved aside whose contents the log may not have, by place.
    pub fn asides(&self) -> &BTreeMap<String, AsideRecord> {
        &self.asides
    }

    pub fn set_aside(&mut self, place: &str, aside: Option<AsideRecord>) {
        if self.asides.get(place) == aside.as_ref() {
            return;
        }
        match aside {
            Some(aside) => drop(self.asides.insert(place.to_owned(), aside)),
            None => drop(self.asides.remove(place)),
        }
        let asides = std::mem::take(&mut self.asides);
        self.set_fact(ASIDES, &asides);
        self.asides = asides;
    }

    /// How far this machine had read when it last said so on the backend (B5).
    pub fn recorded(&self) -> u64 {
        self.recorded
    }

    pub fn set_recorded(&mut self, seq: u64) {
        if self.recorded != seq {
            self.set_fact(RECORDED, &seq);
            self.recorded = seq;
        }
    }

    /// The newest entry of the log that anything here was stored after (L7).
    pub fn newest(&self) -> Option<(u64, Digest)> {
        self.newest
    }

    /// Goes into the batch that relies on it, if there is one. A copy of the log
    /// that lost its end takes nothing back.
    pub fn set_newest(&mut self, seq: u64, digest: Digest) {
        let is_newer = self.newest.is_none_or(|(newest, _)| newest < seq);
        if is_newer && !self.pending.is_empty() {
            self.newest = Some((seq, digest));
            self.set_fact(NEWEST, &(seq, digest));
        }
    }

    /// Packs whose commit was not sent (P7): nobody else knows of them.
    pub fn uploads(&self) -> &[Upload] {
        &self.uploads
    }

    pub fn set_uploads(&mut self, uploads: Vec<Upload>) {
        if self.uploads != uploads {
            self.set_fact(UPLOADS, &uploads);
            self.uploads = uploads;
        }
    }

    /// What was mounted where below the root when its files were seen (B18).
    pub(crate) fn mounts(&self) -> &Mounts {
        &self.mounts
    }

    pub(crate) fn set_mounts(&mut self, mounts: &Mounts) {
        if self.mounts != *mounts {
            self.set_fact(MOUNTS, mounts);
            self.mounts = mounts.clone();
        }
    }

    /// Adds the index's changed rows to the next batch.
    pub fn save_index(&mut self, index: &mut Index) {
        index.save(&mut self.pending);
    }

    /// Stores what changed since the last save, all of it or nothing. With
    /// `durable`, returns once it survives power loss, with all that was stored
    /// before.
    pub async fn save(&mut self, outside: &Outside, durable: bool) -> Result<(), StoreError> {
        if self.pending.is_empty() && !(durable && self.is_unflushed) {
            return Ok(());
        }
        let (batch, store) = (self.pending.clone(), self.store.clone());
        outside.offload(move || store.apply(batch, durable)).await?;
        // Only now: what could not be stored is tried again with the next save.
        self.pending = Batch::default();
        self.is_unflushed = !durable;
        Ok(())
    }

    fn set_fact(&mut self, name: &str, value: &impl Serialize) {
        self.pending.put(Table::Facts, name, encode(value));
    }
}
