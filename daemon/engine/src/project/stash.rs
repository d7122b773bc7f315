//! Keeps versions that lost their place, for a person to find again.
//!
//! Each is a file `stash/<id>` of the data folder with a record of where it came
//! from beside it, `stash/<id>.json`. Nothing here is ever removed or replaced.

use std::io::{self, Read};
use std::sync::Arc;

use mirror_core::digest::Hasher;
use mirror_core::{Digest, RelPath, State, Ulid};

use super::worker::Worker;
use crate::api::{EngineResult, Parts, Stashed};
use crate::outside::tree::digest_of;
use crate::outside::{Disk, Outside};

/// Takes the versions of one path that a step would lose.
pub(super) struct Stash {
    outside: Outside,
    data: Arc<dyn Disk>,
    path: RelPath,
    reason: &'static str,
    kept: Vec<String>,
}

impl Stash {
    pub(super) fn of(path: &RelPath, parts: &Parts) -> Self {
        let (outside, data) = (parts.outside.clone(), parts.data.clone());
        Self { outside, data, path: path.clone(), reason: "pull", kept: Vec::new() }
    }

    /// Says what takes the place of what is kept.
    pub(super) fn because_of(mut self, reason: &'static str) -> Self {
        self.reason = reason;
        self
    }

    /// Keeps one more version; it survives power loss when this returns.
    pub(super) fn keep(&mut self, reader: &mut dyn Read) -> io::Result<()> {
        self.keep_whole(reader).map(drop)
    }

    /// The same, and says which version it was.
    fn keep_whole(&mut self, reader: &mut dyn Read) -> io::Result<Digest> {
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
        };
        let text = serde_json::to_vec(&record)?;
        self.data.write(&format!("stash/{id}.json"), &mut text.as_slice(), true)?;
        tracing::warn!(path = %self.path, %id, "a version made here was kept in the stash");
        self.kept.push(id.to_string());
        Ok(record.sha256)
    }

    /// Whether this version of the path has been kept before: a step that is
    /// tried again needs no second copy.
    pub(super) fn holds(&self, digest: Digest) -> io::Result<bool> {
        for file in self.data.list("stash")? {
            let Some(id) = file.name.strip_suffix(".json") else { continue };
            let record = self.data.read(&format!("stash/{}", file.name))?.unwrap_or_default();
            let holds = serde_json::from_slice(&record)
                .is_ok_and(|kept: Stashed| (&kept.path, kept.sha256) == (&self.path, digest));
            if holds && self.is_whole(id, digest)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_whole(&self, id: &str, digest: Digest) -> io::Result<bool> {
        let Some(mut kept) = self.data.open(&format!("stash/{id}"))? else { return Ok(false) };
        Ok(digest_of(kept.as_mut())?.0 == digest)
    }

    /// Where the person finds what was kept, to end a message with.
    pub(super) fn kept(&self) -> Option<String> {
        let ids = self.kept.join(" and ");
        (!ids.is_empty()).then(|| format!("your version was kept in the stash as {ids}"))
    }
}

impl Worker {
    pub(super) async fn stash(&self) -> EngineResult<Vec<Stashed>> {
        let data = self.parts.data.clone();
        Ok(self.parts.outside.offload(move || list(data.as_ref())).await?)
    }

    /// Whether one of these is this version of a path, and still whole: a step
    /// that is tried again needs no second copy.
    pub(super) async fn is_among(
        &self,
        kept: &[Stashed],
        path: &RelPath,
        digest: Digest,
    ) -> EngineResult<bool> {
        let of_path = |one: &&Stashed| (&one.path, one.sha256) == (path, digest);
        for id in kept.iter().filter(of_path).map(|one| one.id.to_string()) {
            let stash = Stash::of(path, &self.parts);
            if self.parts.outside.offload(move || stash.is_whole(&id, digest)).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Keeps the version that stands at a path, before another takes its place,
    /// unless it is kept already; `false` when it is no longer the expected one.
    pub(super) async fn stash_local(
        &self,
        path: &RelPath,
        expected: State,
        reason: &'static str,
    ) -> EngineResult<bool> {
        let kept = self.stash().await?;
        Ok(self.is_among(&kept, path, expected.digest).await?
            || self.stash_anew(path, expected, reason).await?)
    }

    /// The same, for whoever knows that it isn't kept.
    pub(super) async fn stash_anew(
        &self,
        path: &RelPath,
        expected: State,
        reason: &'static str,
    ) -> EngineResult<bool> {
        let mut stash = Stash::of(path, &self.parts).because_of(reason);
        let (tree, path) = (self.parts.tree.clone(), path.clone());
        let keep = move || -> EngineResult<bool> {
            let Some((stamp, mut reader)) = tree.open(&path)? else { return Ok(false) };
            if stamp.kind != expected.kind || digest_of(reader.as_mut())?.0 != expected.digest {
                return Ok(false);
            }
            let Some((_, mut reader)) = tree.open(&path)? else { return Ok(false) };
            Ok(stash.keep_whole(reader.as_mut())? == expected.digest)
        };
        self.parts.outside.offload(keep).await
    }
}

/// The record of one version.
pub(super) fn record(data: &dyn Disk, id: Ulid) -> io::Result<Option<Stashed>> {
    let record = data.read(&format!("stash/{id}.json"))?;
    let parse = |bytes: Vec<u8>| serde_json::from_slice(&bytes).map_err(io::Error::from);
    record.map(parse).transpose()
}

/// Every version that is kept, oldest first.
fn list(data: &dyn Disk) -> io::Result<Vec<Stashed>> {
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
