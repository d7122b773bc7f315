//! The plain files on a backend, written from the head's manifest (V1).
//!
//! A file is replaced only if it is as this machine last saw it, or holds what
//! the log knows as an earlier version of its path. Anything else was put
//! there by someone: it is never overwritten and never lost.

mod project;
mod survey;

use std::sync::Arc;

use mirror_core::{Digest, Entry, RelPath, Ulid};
use mirror_storage::Backend;

pub use project::Projected;
pub use survey::Sight;

use crate::outside::Outside;

/// What the view should show at one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projection {
    pub path: RelPath,
    /// The head's version; `None` when the path has none.
    pub desired: Option<Entry>,
    /// The commit that says so.
    pub seq: u64,
    /// Contents that the log knows of this path: none of them is news.
    pub known: Vec<Digest>,
}

/// Writes the view of one project on one backend.
#[derive(Clone)]
pub struct View {
    pub backend: Arc<dyn Backend>,
    pub outside: Outside,
    pub machine_id: Ulid,
}

impl std::fmt::Debug for View {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "View({})", self.backend.label())
    }
}
