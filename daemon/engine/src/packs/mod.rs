//! Contents on their way to a backend and back.
//!
//! A pack is a plain ZIP named by a ULID, with one entry per content, named by
//! its digest. Memory stays bounded whatever a file's size: what is large goes
//! through a temporary file.

mod build;
mod cache;
mod check;
mod damage;
mod fetch;
mod meter;
mod place;
mod runs;
mod scratch;
mod upload;

use std::io::Read;

use flate2::read::DeflateDecoder;
use mirror_core::commit::Method;
use mirror_core::history::Place;

pub use build::{Item, Opener, Rejected};
pub use cache::{Cache, caches_contents};
pub use check::{Checked, Rest};
pub use damage::{Damaged, spot_of};
pub use fetch::{Content, Fetcher, Wanted};
pub use meter::Meter;
pub(crate) use scratch::body_of;
pub use upload::{PackPlan, Packer, Stored};

/// A pack closes when its contents have reached this.
pub const PACK_BYTES: u64 = 32 << 20;

/// Contents up to this size are held in memory, several at a time.
pub(crate) const SMALL_BYTES: u64 = 8 << 20;

/// Inflates a small content, never beyond the size it is said to have.
fn unpack(stored: &[u8], place: &Place) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    match place.method {
        Method::Stored => content.extend_from_slice(stored),
        Method::Deflated => {
            DeflateDecoder::new(stored).take(place.size + 1).read_to_end(&mut content).ok()?;
        }
    }
    (content.len() as u64 == place.size).then_some(content)
}
