//! A project's state, and what a loss of power leaves of it: whole batches, in
//! the order in which they were stored.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use mirror_engine::store::{Batch, Rows, Store, StoreError, Table};

use crate::chance::Chance;
use crate::life::Life;
use crate::panics::locked;

type Tables = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

#[derive(Debug)]
enum Change {
    Batch(Batch),
    Clear,
}

#[derive(Debug, Default)]
struct Kept {
    now: Tables,
    flushed: Tables,
    /// What came after the last flush.
    since: Vec<Change>,
}

/// The state of one machine; it outlives the daemon.
#[derive(Debug, Default)]
pub(crate) struct Shelf(Mutex<Kept>);

impl Shelf {
    /// The power goes: of what was not flushed, a beginning is left.
    pub(crate) fn lose_power(&self, chance: &mut Chance) {
        let mut kept = locked(&self.0);
        let since = std::mem::take(&mut kept.since);
        let left = chance.below(since.len() + 1);
        let mut now = std::mem::take(&mut kept.flushed);
        for change in since.iter().take(left) {
            apply(&mut now, change);
        }
        kept.flushed.clone_from(&now);
        kept.now = now;
    }

    pub(crate) fn clear(&self) {
        *locked(&self.0) = Kept::default();
    }
}

fn apply(tables: &mut Tables, change: &Change) {
    match change {
        Change::Clear => tables.clear(),
        Change::Batch(batch) => {
            for ((table, key), value) in &batch.changes {
                match value {
                    Some(value) => tables.insert((*table, key.clone()), value.clone()),
                    None => tables.remove(&(*table, key.clone())),
                };
            }
        }
    }
}

/// The state in the hands of one run of the daemon.
#[derive(Debug)]
pub(crate) struct FakeStore {
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) life: Arc<Life>,
    /// Whether what is stored durably is flushed.
    pub(crate) flushes: bool,
}

impl FakeStore {
    fn change(&self, change: Change, durable: bool) -> Result<(), StoreError> {
        if !self.life.lasts() {
            return Err(StoreError::Failed("the daemon is dead".to_owned()));
        }
        let mut kept = locked(&self.shelf.0);
        apply(&mut kept.now, &change);
        if durable && self.flushes {
            kept.since.clear();
            kept.flushed = kept.now.clone();
        } else {
            kept.since.push(change);
        }
        Ok(())
    }
}

impl Store for FakeStore {
    fn load(&self, table: Table) -> Result<Rows, StoreError> {
        let kept = locked(&self.shelf.0);
        let of = kept.now.iter().filter(|((of, _), _)| *of == table);
        Ok(of.map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(locked(&self.shelf.0).now.get(&(table, key.to_vec())).cloned())
    }

    fn apply(&self, batch: Batch, durable: bool) -> Result<(), StoreError> {
        self.change(Change::Batch(batch), durable)
    }

    fn clear(&self) -> Result<(), StoreError> {
        self.change(Change::Clear, false)
    }
}
