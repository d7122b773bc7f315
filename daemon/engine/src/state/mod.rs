//! What this machine agreed on, is about to do, and saw last: typed, in memory,
//! and stored before anything relies on it.
//!
//! A cache by design: whatever can't be read counts as lost, and lost state
//! costs nothing but a closer look (B5).

mod facts;
mod inputs;
mod privacy;
mod records;
mod rows;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use mirror_core::{Digest, RelPath, SharedMap, Timestamp, Ulid};

pub use privacy::Private;
pub use records::{
    AsideRecord, Attempt, BaseAfter, BaseRecord, Damage, GivenUp, LocalInput, Owner, Seen,
    SeenVersion, Spot, Target, TriedChange, Upload,
};

use self::facts::{Fact, Findings, fact};
use self::rows::{key, rows};
use crate::index::Index;
use crate::outside::Outside;
use crate::outside::tree::Mounts;
use crate::store::{Batch, Store, StoreError, Table, encode};

/// The root of the project whose state a store holds, as it was when it was stored.
#[must_use]
pub fn recorded_root(store: &dyn Store) -> Option<PathBuf> {
    recorded_owner(store).map(|owner| PathBuf::from(owner.root))
}

/// Whose state a store holds.
pub(crate) fn recorded_owner(store: &dyn Store) -> Option<Owner> {
    fact(store, Fact::Owner)
}

/// One project's state, with a batch of changes that are still to be stored.
#[derive(Debug)]
pub struct State {
    store: Arc<dyn Store>,
    pending: Batch,
    /// Facts that are other ones than were stored.
    changed: BTreeSet<Fact>,
    /// Something was stored that may not survive power loss yet.
    is_unflushed: bool,
    bases: SharedMap<RelPath, BaseRecord>,
    private: Private,
    targets: SharedMap<RelPath, Target>,
    seen: BTreeMap<RelPath, Seen>,
    attempt: Option<Arc<Attempt>>,
    given_up: Vec<GivenUp>,
    coverage: Option<Arc<str>>,
    deletions: Vec<i64>,
    unprojected: BTreeSet<RelPath>,
    owner: Owner,
    machine: Option<Ulid>,
    device: Option<u64>,
    asides: BTreeMap<String, AsideRecord>,
    alters: bool,
    recorded: u64,
    newest: Option<(u64, Digest)>,
    uploads: Vec<Upload>,
    mounts: Mounts,
    checked: Option<Timestamp>,
    findings: Findings,
    /// True when nothing was remembered: every base is unknown (B5).
    pub fresh: bool,
}

impl State {
    /// Loads the state if it is this project's, else starts afresh (L1).
    pub fn load(store: Arc<dyn Store>, owner: &Owner, machine: Ulid) -> Result<Self, StoreError> {
        let known: Option<Owner> = fact(store.as_ref(), Fact::Owner);
        let writer: Option<Ulid> = fact(store.as_ref(), Fact::Machine);
        let is_own = writer.is_none_or(|writer| writer == machine);
        let known = known.filter(|known| known.is_still(owner, is_own));
        let mut state = Self {
            store,
            pending: Batch::default(),
            changed: BTreeSet::new(),
            // What an earlier run stored survived its crash, and yet the power
            // could take it.
            is_unflushed: true,
            bases: SharedMap::new(),
            private: Private::default(),
            targets: SharedMap::new(),
            seen: BTreeMap::new(),
            attempt: None,
            given_up: Vec::new(),
            coverage: None,
            deletions: Vec::new(),
            unprojected: BTreeSet::new(),
            owner: known.clone().unwrap_or_else(|| owner.clone()),
            machine: writer,
            device: None,
            asides: BTreeMap::new(),
            alters: false,
            recorded: 0,
            newest: None,
            uploads: Vec::new(),
            mounts: Mounts::new(),
            checked: None,
            findings: Findings::default(),
            fresh: known.is_none(),
        };
        if state.fresh {
            state.store.clear()?;
            state.changed.insert(Fact::Owner);
        } else if state.read_all().is_none() {
            tracing::warn!("the project's state could not be read and is made anew");
            state.store.clear()?;
            let store = state.store;
            return Self::load(store, owner, machine);
        }
        if state.fresh || writer != Some(machine) {
            // Another machine's packs are its own (P7).
            state.set_uploads(Vec::new());
            state.machine = Some(machine);
            state.changed.insert(Fact::Machine);
        }
        Ok(state)
    }

    /// What readers need of it, with nothing of it to be stored.
    pub(crate) fn for_reader(&self, store: Arc<dyn Store>) -> Self {
        Self {
            store,
            pending: Batch::default(),
            changed: BTreeSet::new(),
            is_unflushed: false,
            bases: self.bases.clone(),
            private: self.private.clone(),
            targets: self.targets.clone(),
            seen: BTreeMap::new(),
            attempt: None,
            given_up: Vec::new(),
            coverage: self.coverage.clone(),
            deletions: Vec::new(),
            unprojected: BTreeSet::new(),
            owner: self.owner.clone(),
            machine: self.machine,
            device: self.device,
            asides: BTreeMap::new(),
            alters: self.alters,
            recorded: self.recorded,
            newest: None,
            uploads: Vec::new(),
            mounts: self.mounts.clone(),
            checked: self.checked,
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
        self.read_facts();
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
            self.pending.set(Table::Base, key(path), base.as_ref().map(encode));
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
            self.pending.set(Table::Private, key(path), value);
        }
    }

    pub fn targets(&self) -> &SharedMap<RelPath, Target> {
        &self.targets
    }

    pub fn set_target(&mut self, path: &RelPath, target: Option<Target>) {
        self.pending.set(Table::Target, key(path), target.as_ref().map(encode));
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
        self.pending.set(Table::View, key(path), seen.as_ref().map(encode));
        match seen {
            Some(seen) => drop(self.seen.insert(path.clone(), seen)),
            None => drop(self.seen.remove(path)),
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
        if !(self.has_changed() || durable && self.is_unflushed) {
            return Ok(());
        }
        self.put_facts();
        let (batch, store) = (self.pending.clone(), self.store.clone());
        outside.offload(move || store.apply(batch, durable)).await?;
        // Only now: what could not be stored is tried again with the next save.
        self.pending = Batch::default();
        self.is_unflushed = !durable;
        Ok(())
    }

    fn has_changed(&self) -> bool {
        !self.pending.is_empty() || !self.changed.is_empty()
    }
}
