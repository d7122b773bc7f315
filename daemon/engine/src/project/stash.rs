//! Keeps versions that lost their place, for a person to find again.
//!
//! Each is a file `stash/<id>` of the data folder with a record of where it came
//! from beside it, `stash/<id>.json`. Nothing here is ever removed or replaced.

use std::io::{self, Read};
use std::sync::Arc;

use mirror_core::digest::Hasher;
use mirror_core::{Digest, RelPath, Timestamp};
use serde::Serialize;

use crate::api::Parts;
use crate::outside::{Disk, Outside};

/// Takes the versions of one path that a step would lose.
pub(super) struct Stash {
    outside: Outside,
    data: Arc<dyn Disk>,
    path: RelPath,
    kept: Vec<String>,
}

/// What is told of one kept version; the fields of `stash list`.
#[derive(Serialize)]
struct Record<'a> {
    id: &'a str,
    path: &'a RelPath,
    sha256: Digest,
    size: u64,
    time: Timestamp,
    reason: &'static str,
}

impl Stash {
    pub(super) fn of(path: &RelPath, parts: &Parts) -> Self {
        let (outside, data) = (parts.outside.clone(), parts.data.clone());
        Self { outside, data, path: path.clone(), kept: Vec::new() }
    }

    /// Keeps one more version; it survives power loss when this returns.
    pub(super) fn keep(&mut self, reader: &mut dyn Read) -> io::Result<()> {
        let id = self.outside.ulid().to_string();
        let mut content = Counted { reader, hasher: Hasher::new(), size: 0 };
        self.data.write(&format!("stash/{id}"), &mut content, true)?;
        let record = Record {
            id: &id,
            path: &self.path,
            sha256: content.hasher.finish(),
            size: content.size,
            time: self.outside.clock.now(),
            reason: "pull",
        };
        let text = serde_json::to_vec(&record)?;
        self.data.write(&format!("stash/{id}.json"), &mut text.as_slice(), true)?;
        tracing::warn!(path = %self.path, id, "a version made here was kept in the stash");
        self.kept.push(id);
        Ok(())
    }

    /// Where the person finds what was kept, to end a message with.
    pub(super) fn kept(&self) -> Option<String> {
        let ids = self.kept.join(" and ");
        (!ids.is_empty()).then(|| format!("your version was kept in the stash as {ids}"))
    }
}

/// Digests and counts what is read through it.
struct Counted<'a> {
    reader: &'a mut dyn Read,
    hasher: Hasher,
    size: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        self.size += count as u64;
        Ok(count)
    }
}
