//! The store that forgets when it is dropped: the twin of
//! [`SledStore`](super::SledStore) for the simulator and for tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::{Batch, Rows, Store, StoreError, Table};

type Tables = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

/// Keeps a project's state in memory. Durable here means nothing more.
#[derive(Debug, Default)]
pub struct MemoryStore {
    rows: Mutex<Tables>,
}

impl MemoryStore {
    pub fn new() -> Self {
        Self::default()
    }

    /// The rows of another store, on their own from here on.
    pub fn copy_of(store: &dyn Store) -> Result<Self, StoreError> {
        let mut rows = Tables::new();
        for table in Table::ALL {
            rows.extend(store.load(table)?.into_iter().map(|(key, value)| ((table, key), value)));
        }
        Ok(Self { rows: Mutex::new(rows) })
    }

    /// The same rows, on their own from here on.
    #[cfg(test)]
    pub(crate) fn copied(&self) -> Self {
        Self { rows: Mutex::new(self.with(|rows| rows.clone())) }
    }

    fn with<T>(&self, look: impl FnOnce(&mut Tables) -> T) -> T {
        // Each change is whole before anything can panic, so poison says nothing.
        look(&mut self.rows.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store for MemoryStore {
    fn load(&self, table: Table) -> Result<Rows, StoreError> {
        let copy = |((_, key), value): (&(Table, Vec<u8>), &Vec<u8>)| (key.clone(), value.clone());
        Ok(self.with(|rows| rows.iter().filter(|((of, _), _)| *of == table).map(copy).collect()))
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.with(|rows| rows.get(&(table, key.to_vec())).cloned()))
    }

    fn apply(&self, batch: Batch, _durable: bool) -> Result<(), StoreError> {
        self.with(|rows| {
            for (key, value) in batch.changes {
                match value {
                    Some(value) => rows.insert(key, value),
                    None => rows.remove(&key),
                };
            }
        });
        Ok(())
    }

    fn clear(&self) -> Result<(), StoreError> {
        self.with(BTreeMap::clear);
        Ok(())
    }
}
