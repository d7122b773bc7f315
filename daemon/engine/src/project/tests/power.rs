//! A power switch that ends everything a machine does, at a step of choice.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use crate::store::{Batch, MemoryStore, Rows, Store, StoreError, Table};

/// Lasts for so many steps of one machine; none has an effect afterwards, as
/// when a process is killed between two of them.
pub(super) struct Power(AtomicI64);

impl Power {
    pub(super) fn new() -> Self {
        Self(AtomicI64::new(i64::MAX))
    }

    /// Ends after so many more steps.
    pub(super) fn ends_after(&self, steps: usize) {
        self.0.store(i64::try_from(steps).unwrap(), Ordering::SeqCst);
    }

    pub(super) fn comes_back(&self) {
        self.0.store(i64::MAX, Ordering::SeqCst);
    }

    pub(super) fn is_off(&self) -> bool {
        self.0.load(Ordering::SeqCst) < 0
    }

    /// Takes one step; `false` when there is no power for it any more.
    pub(super) fn lasts(&self) -> bool {
        self.0.fetch_sub(1, Ordering::SeqCst) > 0
    }
}

/// A store in memory that outlives the project that uses it.
#[derive(Debug)]
pub(super) struct PoweredStore {
    inner: Mutex<MemoryStore>,
    /// As it was when it was last flushed.
    flushed: Mutex<MemoryStore>,
    power: Arc<Power>,
}

impl std::fmt::Debug for Power {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Power")
    }
}

impl PoweredStore {
    pub(super) fn new(power: Arc<Power>) -> Self {
        Self { inner: Mutex::default(), flushed: Mutex::default(), power }
    }

    pub(super) fn copied(&self) -> MemoryStore {
        self.inner.lock().unwrap().copied()
    }

    pub(super) fn replace(&self, store: MemoryStore) {
        *self.inner.lock().unwrap() = store;
    }

    /// The power has gone: what was not flushed is lost.
    pub(super) fn forgets_unflushed(&self) {
        self.replace(self.flushed.lock().unwrap().copied());
    }
}

impl Store for PoweredStore {
    fn load(&self, table: Table) -> Result<Rows, StoreError> {
        self.inner.lock().unwrap().load(table)
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.lock().unwrap().get(table, key)
    }

    fn apply(&self, batch: Batch, durable: bool) -> Result<(), StoreError> {
        if !self.power.lasts() {
            return Err(StoreError::Failed("there is no power".to_owned()));
        }
        self.inner.lock().unwrap().apply(batch, durable)?;
        if durable {
            *self.flushed.lock().unwrap() = self.copied();
        }
        Ok(())
    }

    fn clear(&self) -> Result<(), StoreError> {
        self.inner.lock().unwrap().clear()
    }
}
