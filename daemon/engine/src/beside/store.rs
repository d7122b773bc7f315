//! Stores that keep nothing: what a reader learns goes with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::store::{Batch, Rows, Store, StoreError, Table};

#[derive(Clone, Copy, Debug)]
pub(crate) struct NoStore;

impl Store for NoStore {
    fn load(&self, _table: Table) -> Result<Rows, StoreError> {
        Ok(Rows::new())
    }

    fn get(&self, _table: Table, _key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    fn apply(&self, _batch: Batch, _durable: bool) -> Result<(), StoreError> {
        Ok(())
    }

    fn clear(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A store that can be read and nothing else.
pub(crate) struct ReadStore {
    below: Arc<dyn Store>,
    /// As far as its reader can tell.
    is_cleared: AtomicBool,
}

impl ReadStore {
    pub(crate) fn new(below: Arc<dyn Store>) -> Self {
        Self { below, is_cleared: AtomicBool::new(false) }
    }

    fn is_cleared(&self) -> bool {
        self.is_cleared.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for ReadStore {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("ReadStore")
    }
}

impl Store for ReadStore {
    fn load(&self, table: Table) -> Result<Rows, StoreError> {
        if self.is_cleared() { Ok(Rows::new()) } else { self.below.load(table) }
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if self.is_cleared() { Ok(None) } else { self.below.get(table, key) }
    }

    fn apply(&self, _batch: Batch, _durable: bool) -> Result<(), StoreError> {
        Ok(())
    }

    fn clear(&self) -> Result<(), StoreError> {
        self.is_cleared.store(true, Ordering::Relaxed);
        Ok(())
    }
}
