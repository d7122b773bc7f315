//! One module for each kind of service.
//!
//! An adapter keeps the rules of [`Backend`](crate::Backend) and nothing
//! else: it never retries, never paces itself and never logs.

mod body;
#[cfg(unix)]
pub mod folder;
pub mod memory;

#[cfg(unix)]
pub use folder::FolderBackend;
pub use memory::{MemoryBackend, MemoryProfile};
