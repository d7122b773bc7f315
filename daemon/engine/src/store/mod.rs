//! What a project remembers between runs: a cache of what the log and the disk
//! say. Losing it is safe (B5), so any doubt about it means starting afresh.

mod generation;
mod memory;
mod sled_store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

pub use memory::MemoryStore;
pub use sled_store::{Past, SledStore};

/// One set of keys with values, by what they are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// One value a key: whose state this is, cursors, the attempt under way.
    Facts,
    /// Path → what the disk looked like last.
    Index,
    /// Path → what this machine last agreed on (B1).
    Base,
    /// Path → a local write or removal under way (B3).
    Target,
    /// Path → what this machine last saw in the view (V2).
    View,
    /// Paths whose files here were for their owner alone when they were agreed on
    /// (B14).
    Private,
}

impl Table {
    pub const ALL: [Self; 6] =
        [Self::Facts, Self::Index, Self::Base, Self::Target, Self::View, Self::Private];
}

/// Changes that are stored together or not at all; `None` removes. Of one key the
/// last change alone is kept.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub changes: BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>,
}

impl Batch {
    pub fn put(&mut self, table: Table, key: impl AsRef<[u8]>, value: Vec<u8>) {
        self.set(table, key, Some(value));
    }

    pub fn remove(&mut self, table: Table, key: impl AsRef<[u8]>) {
        self.set(table, key, None);
    }

    pub fn set(&mut self, table: Table, key: impl AsRef<[u8]>, value: Option<Vec<u8>>) {
        self.changes.insert((table, key.as_ref().to_vec()), value);
    }

    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// Keys with their values, by key.
pub type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// The state could not be read or written; the project starts afresh (B5).
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the project's state could not be used: {0}")]
    Failed(String),
    #[error("the project's state could not be stored: No space left on its disk")]
    Full,
}

/// Keeps a project's state across runs. All calls block: offload them.
pub trait Store: Send + Sync + fmt::Debug {
    fn load(&self, table: Table) -> Result<Rows, StoreError>;

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Stores a batch. With `durable`, returns once it survives power loss.
    fn apply(&self, batch: Batch, durable: bool) -> Result<(), StoreError>;

    /// Forgets everything.
    fn clear(&self) -> Result<(), StoreError>;

    /// Whether it stores nothing any more until it is opened anew.
    fn is_broken(&self) -> bool {
        false
    }
}

/// A value as it is stored.
pub(crate) fn encode(value: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(value).expect("state has no unknown lengths")
}
