//! Versions that lost their place, kept for a person to find again.
//!
//! Each is a file `stash/<id>` of the data folder with a record of where it came
//! from beside it, `stash/<id>.json`. Nothing here is ever removed or replaced.

use std::io;
use std::io::Read;
use std::sync::Arc;

use mirror_core::digest::Hasher;
use mirror_core::{Digest, RelPath, State, Ulid};

use crate::api::{Parts, Stashed};
use crate::outside::tree::digest_of;
use crate::outside::{Disk, Outside};

/// How long an id is.
pub(crate) const ID_LETTERS: usize = 26;

/// Takes the versions of one path that a step would lose.
pub(crate) struct Stash {
    outside: Outside,
    data: Arc<dyn Disk>,
    path: RelPath,
    reason: &'static str,
    private: Option<bool>,
    kept: Vec<String>,
}

impl Stash {
    pub(crate) fn of(path: &RelPath, parts: &Parts) -> Self {
        let (outside, data) = (parts.outside.clone(), parts.data.clone());
        Self { outside, data, path: path.clone(), reason: "pull", private: None, kept: Vec::new() }
    }

    /// Says what takes the place of what is kept.
    pub(crate) fn because_of(mut self, reason: &'static str) -> Self {
        self.reason = reason;
        self
    }

    /// Says whether what is kept is for its owner alone (B14).
    pub(crate) fn noting_private(mut self, private: bool) -> Self {
        self.private = Some(private);
        self
    }

    /// Keeps one more version; it survives power loss when this returns.
    pub(crate) fn keep(&mut self, reader: &mut dyn Read) -> io::Result<()> {
        self.keep_whole(reader, None).map(drop)
    }

    /// The same, with what the version is beside its content.
    pub(crate) fn keep_as(&mut self, state: State, reader: &mut dyn Read) -> io::Result<()> {
        self.keep_whole(reader, Some(state)).map(drop)
    }

    pub(crate) fn keep_whole(
        &mut self,
        reader: &mut dyn Read,
        state: Option<State>,
    ) -> io::Result<Stashed> {
        let id = self.outside.ulid();
        let mut content = Counted { reader, hasher: Hasher::new(), size: 0 };
        self.data.write(&format!("stash/{id}"), &mut content, true)?;
        let record = Stashed {
            id,
            path: self.path.clone(),
            sha256: content.hasher.finish(),
            size: content.size,
            time: self.outside.clock.now(),
            reason: self.reason.to_owned(),
            kind: state.map(|state| state.kind),
            exec: state.map(|state| state.exec),
            private: self.private,
        };
        let text = serde_json::to_vec(&record)?;
        self.data.write(&format!("stash/{id}.json"), &mut text.as_slice(), true)?;
        tracing::warn!(path = %self.path, %id, "a version made here was kept in the stash");
        self.kept.push(id.to_string());
        Ok(record)
    }

    /// This version of the path as it has been kept before: a step that is tried
    /// again needs no second copy.
    pub(crate) fn known(&self, digest: Digest) -> io::Result<Option<Stashed>> {
        for file in self.data.list("stash")? {
            let Some(id) = file.name.strip_suffix(".json") else { continue };
            let record = self.data.read(&format!("stash/{}", file.name))?.unwrap_or_default();
            let Ok(kept) = serde_json::from_slice::<Stashed>(&record) else { continue };
            let is_it = (&kept.path, kept.sha256) == (&self.path, digest);
            if is_it && self.is_whole(id, digest)? {
                return Ok(Some(kept));
            }
        }
        Ok(None)
    }

    pub(crate) fn is_whole(&self, id: &str, digest: Digest) -> io::Result<bool> {
        let Some(mut kept) = self.data.open(&format!("stash/{id}"))? else { return Ok(false) };
        Ok(digest_of(kept.as_mut())?.0 == digest)
    }

    /// Where the person finds what was kept, to end a message with.
    pub(crate) fn kept(&self) -> Option<String> {
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

/// Crockford's letters, which leave out those that look like others.
pub(crate) fn is_of_an_id(letter: u8) -> bool {
    letter.is_ascii_alphanumeric() && !b"ILOU".contains(&letter)
}

/// The record of one version.
pub(crate) fn record(data: &dyn Disk, id: Ulid) -> io::Result<Option<Stashed>> {
    let record = data.read(&format!("stash/{id}.json"))?;
    let parse = |bytes: Vec<u8>| serde_json::from_slice(&bytes).map_err(io::Error::from);
    record.map(parse).transpose()
}

/// Every version that is kept, oldest first.
pub(crate) fn list(data: &dyn Disk) -> io::Result<Vec<Stashed>> {
    let mut kept = Vec::new();
    for file in data.list("stash")? {
        let Some(name) = file.name.strip_suffix(".json") else { continue };
        match name.parse().map_err(io::Error::other).and_then(|id| record(data, id)) {
            Ok(found) => kept.extend(found),
            Err(error) => tracing::warn!(name, %error, "a record of the stash can't be read"),
        }
    }
    kept.sort_by_key(|stashed| (stashed.time, stashed.id));
    Ok(kept)
}
