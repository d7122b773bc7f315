//! The real machine behind [`crate::outside`].
//!
//! Files are reached by the calls that Unix systems share; a Windows machine
//! would get its own tree and disk beside these.

mod machine;

#[cfg(unix)]
mod disk;
#[cfg(unix)]
mod tree;
#[cfg(unix)]
mod watch;

#[cfg(unix)]
pub use disk::LocalDisk;
pub use machine::{SystemClock, SystemEntropy, TokioSpawner};
#[cfg(unix)]
pub use tree::LocalTree;
#[cfg(unix)]
pub use watch::{LocalWatch, start_watch};
