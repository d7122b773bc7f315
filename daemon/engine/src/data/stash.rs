//! Versions that lost their place, kept for a person to find again.
//!
//! Each is a file `stash/<id>` of the data folder with a record of where it came
//! from beside it, `stash/<id>.json`. Nothing here is ever replaced, and removed only
//! by name, for a person who says so.

use std::collections::HashMap;
use std::io;
use std::io::Read;
use std::sync::Arc;

use mirror_core::digest::Hasher;
use mirror_core::{Digest, RelPath, State, Ulid};

use crate::api::{Parts, Stashed};
use crate::outside::tree::digest_of;
use crate::outside::{Disk, Outside};

/// Where the content of a stashed version stands in the data folder.
pub(crate) fn stashed_name(id: Ulid) -> String {
    format!("stash/{id}")
}

/// How long an id is.
pub(crate) const ID_LETTERS: usize = 26;

/// Takes the versions of one path that a step would lose.
pub(crate) struct Stash {
    outside: Outside,
    data: Arc<dyn Disk>,
    path: RelPath,
    reason: &'static str,
    private: Option<bool>,
    kept: Vec<Ulid>,
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
        self.data.write(&stashed_name(id), &mut content, true)?;
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
        self.kept.push(id);
        Ok(record)
    }

    /// The one of these versions that is still whole.
    pub(crate) fn whole(&self, kept: &[Stashed]) -> io::Result<Option<Stashed>> {
        for one in kept {
            if self.is_whole(&one.id.to_string(), one.sha256)? {
                return Ok(Some(one.clone()));
            }
        }
        Ok(None)
    }

    fn is_whole(&self, id: &str, digest: Digest) -> io::Result<bool> {
        let Some(mut kept) = self.data.open(&format!("stash/{id}"))? else { return Ok(false) };
        Ok(digest_of(kept.as_mut())?.0 == digest)
    }

    /// What was kept by this one.
    pub(crate) fn ids(&self) -> &[Ulid] {
        &self.kept
    }
}

/// What is kept, by path and content: a step that is tried again needs no second
/// copy. Read once for as many files as a job has.
#[derive(Default)]
pub(crate) struct StashedCopies(HashMap<(RelPath, Digest), Vec<Stashed>>);

impl StashedCopies {
    /// The copies of this version of a path.
    pub(crate) fn of(&self, path: &RelPath, digest: Digest) -> Vec<Stashed> {
        self.0.get(&(path.clone(), digest)).cloned().unwrap_or_default()
    }

    pub(crate) fn add(&mut self, one: Stashed) {
        self.0.entry((one.path.clone(), one.sha256)).or_default().push(one);
    }
}

impl FromIterator<Stashed> for StashedCopies {
    fn from_iter<I: IntoIterator<Item = Stashed>>(all: I) -> Self {
        let mut kept = Self::default();
        all.into_iter().for_each(|one| kept.add(one));
        kept
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

/// Lets a version go for good. Its content first: what a crash leaves is a record,
/// which is listed and can be dropped again.
pub(crate) fn discard(data: &dyn Disk, id: Ulid) -> io::Result<()> {
    data.remove(&stashed_name(id))?;
    data.remove(&format!("stash/{id}.json"))
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
