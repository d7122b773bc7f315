//! Commits as trees: which commit is meant, and what its files are.
//!
//! A snapshot shares the history with everybody who reads it and needs no job:
//! whatever its project does meanwhile, it stays what it is.

mod find;
mod reader;

pub(crate) use find::find;
pub use reader::Snapshot;
