//! The plain files on a backend, written from the head's manifest (V1).
//!
//! A file is replaced only if its content is what this machine last saw there,
//! or what the log knows as an earlier version of its path. Anything else was
//! put there by someone: it is never overwritten, and given back as [`Found`].

mod asides;
mod classify;
pub mod machines;
mod project;
mod survey;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use futures::StreamExt;
use mirror_core::digest::Hasher;
use mirror_core::{Digest, Entry, RelPath, Ulid};
use mirror_storage::{Backend, ByteRange, RemoteFile, RemotePath, StorageError};

pub use asides::Aside;
pub use classify::{Known, Meaning, known_of};
pub use project::{Outcome, Projected};
pub use survey::{Sight, Survey};

use crate::outside::Outside;
use crate::state::{Seen, SeenVersion};

/// What the view should show at one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projection {
    pub path: RelPath,
    /// The head's version; `None` when the path has none.
    pub desired: Option<Entry>,
    /// The commit that says so.
    pub seq: u64,
    /// Contents that the log knows of this path: none of them is news.
    pub known: Known,
}

impl Projection {
    /// Whether the head's version is all that the log has ever had here.
    fn is_new(&self) -> bool {
        self.desired.is_some() && self.known.len() == 1
    }
}

/// Content on the backend that the log has not been seen to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub path: RelPath,
    /// Where it lies: at its path, or aside.
    pub place: RemotePath,
    /// What it is known by there.
    pub seen: Seen,
    /// What the view held before; `None` when that is unknown (V2).
    pub base: Option<SeenVersion>,
}

impl Found {
    pub fn is_aside(&self) -> bool {
        self.place.is_ours()
    }
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

impl View {
    /// The content of a file, read only when what was last seen can't prove it.
    async fn digest_of(
        &self,
        file: &RemoteFile,
        seen: Option<&Seen>,
    ) -> Result<Option<Digest>, StorageError> {
        match seen {
            Some(seen) if self.is_as_seen(file, seen) => Ok(Some(seen.digest)),
            _ => {
                // If the size differs from the listing, the file was replaced
                // since: nothing is told of it, and the next look sees it.
                let read = self.read_digest(&file.path).await?;
                Ok(read.filter(|(_, size)| *size == file.size).map(|(digest, _)| digest))
            }
        }
    }

    /// Whether a file needs no reading to be known (V2). A revision that is not
    /// compared on a write is too weak alone.
    fn is_as_seen(&self, file: &RemoteFile, seen: &Seen) -> bool {
        let is_proof = self.backend.capabilities().swap
            || seen.proves_by_time()
                && file.size == seen.size
                && file.modified.map(nanoseconds) == seen.modified_ns;
        is_proof && file.revision.0 == seen.revision
    }

    /// Digest and size of what stands at a path.
    async fn read_digest(&self, path: &RemotePath) -> Result<Option<(Digest, u64)>, StorageError> {
        let Some(mut stream) = self.backend.read(path, ByteRange::ALL).await? else {
            return Ok(None);
        };
        let (mut hasher, mut size) = (Hasher::new(), 0);
        while let Some(piece) = stream.next().await {
            let piece = piece?;
            size += piece.len() as u64;
            hasher.update(&piece);
        }
        Ok(Some((hasher.finish(), size)))
    }
}

pub(crate) fn nanoseconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |ns| -ns),
    }
}
