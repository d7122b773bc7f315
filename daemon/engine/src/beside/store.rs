//! A store that keeps nothing: what a reader learns goes with it.

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
