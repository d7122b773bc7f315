//! Decides, from plain values, what should happen to a project's files.
//!
//! Paths, digests, commits and what they do to history, three-way
//! reconciliation and planning. No clock, no disk, no network, no randomness:
//! the same inputs always give the same answer, on every machine.

pub mod checkpoint;
pub mod commit;
pub mod digest;
pub mod entry;
pub mod history;
pub mod merge;
pub mod path;
pub mod patterns;
pub mod plan;
pub mod presets;
pub mod readers;
pub mod reconcile;
pub mod settings;
pub mod shared;
pub mod time;

pub use commit::Commit;
pub use digest::Digest;
pub use entry::{Chunk, Entry, Kind, State};
pub use history::History;
pub use path::RelPath;
pub use shared::{SharedList, SharedMap};
pub use time::Timestamp;
pub use ulid::Ulid;
