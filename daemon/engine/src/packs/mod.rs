//! Contents on their way to a backend and back.
//!
//! A pack is a plain ZIP named by a ULID, with one entry per content, named by
//! its digest. Memory stays bounded whatever a file's size: what is large goes
//! through a temporary file.

mod build;
mod cache;
mod fetch;
mod meter;
mod scratch;
mod upload;

pub use build::{Item, Opener, Rejected};
pub use cache::Cache;
pub use fetch::{Content, Fetcher, Wanted};
pub use meter::Meter;
pub(crate) use scratch::body_of;
pub use upload::{PackPlan, Packer, Stored};

/// A pack closes when its contents have reached this.
pub const PACK_BYTES: u64 = 32 << 20;

/// Contents up to this size are held in memory, several at a time.
pub(crate) const SMALL_BYTES: u64 = 8 << 20;
