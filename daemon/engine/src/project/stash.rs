//! Keeps versions that lost their place, for a person to find again.
//!
//! Each is a file `stash/<id>` of the data folder with a record of where it came
//! from beside it, `stash/<id>.json`. Nothing here is ever removed or replaced.

use std::io::{self, Read};
use std::sync::Arc;

use mirror_core::digest::Hasher;
use mirror_core::{Digest, RelPath, State, Ulid};

use super::worker::{Telling, Worker};
use crate::api::{EngineResult, NoticeKind, Parts, Stashed};
use crate::error::EngineError;
use crate::outside::tree::digest_of;
use crate::outside::{Disk, Outside};

/// How long an id is.
const ID_LETTERS: usize = 26;

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
        self.keep_whole(reader, None).map(drop)
    }

    /// The same, with what the version is beside its content.
    pub(super) fn keep_as(&mut self, state: State, reader: &mut dyn Read) -> io::Result<()> {
        self.keep_whole(reader, Some(state)).map(drop)
    }

    fn keep_whole(&mut self, reader: &mut dyn Read, state: Option<State>) -> io::Result<Stashed> {
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
        };
        let text = serde_json::to_vec(&record)?;
        self.data.write(&format!("stash/{id}.json"), &mut text.as_slice(), true)?;
        tracing::warn!(path = %self.path, %id, "a version made here was kept in the stash");
        self.kept.push(id.to_string());
        Ok(record)
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

    /// The one of these that is this version of a path, and still whole: a step
    /// that is tried again needs no second copy.
    async fn is_among(
        &self,
        kept: &[Stashed],
        path: &RelPath,
        digest: Digest,
    ) -> EngineResult<Option<Ulid>> {
        let of_path = |one: &&Stashed| (&one.path, one.sha256) == (path, digest);
        for id in kept.iter().filter(of_path).map(|one| one.id) {
            let (stash, name) = (Stash::of(path, &self.parts), id.to_string());
            if self.parts.outside.offload(move || stash.is_whole(&name, digest)).await? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Keeps the version that stands at a path, before another takes its place,
    /// unless it is kept already; `None` when it is no longer the expected one.
    pub(super) async fn stash_local(
        &self,
        path: &RelPath,
        expected: State,
        reason: &'static str,
    ) -> EngineResult<Option<Ulid>> {
        let kept = self.stash().await?;
        self.stash_beside(&kept, path, expected, reason).await
    }

    /// The same, for whoever has read what is kept.
    pub(super) async fn stash_beside(
        &self,
        kept: &[Stashed],
        path: &RelPath,
        expected: State,
        reason: &'static str,
    ) -> EngineResult<Option<Ulid>> {
        match self.is_among(kept, path, expected.digest).await? {
            Some(id) => Ok(Some(id)),
            None => self.stash_anew(path, expected, reason).await,
        }
    }

    async fn stash_anew(
        &self,
        path: &RelPath,
        expected: State,
        reason: &'static str,
    ) -> EngineResult<Option<Ulid>> {
        let mut stash = Stash::of(path, &self.parts).because_of(reason);
        let (tree, path) = (self.parts.tree.clone(), path.clone());
        let keep = move || -> EngineResult<Option<Ulid>> {
            let Some((stamp, mut reader)) = tree.open(&path)? else { return Ok(None) };
            if stamp.kind != expected.kind || digest_of(reader.as_mut())?.0 != expected.digest {
                return Ok(None);
            }
            let Some((_, mut reader)) = tree.open(&path)? else { return Ok(None) };
            let Stashed { id, sha256, .. } = stash.keep_whole(reader.as_mut(), Some(expected))?;
            Ok((sha256 == expected.digest).then_some(id))
        };
        self.parts.outside.offload(keep).await
    }

    /// Says once where a person finds the version that makes way.
    pub(super) fn tell_stashed(&self, path: &RelPath, id: Ulid, telling: &mut Telling) {
        let message = format!(
            "{path} had changes that were never pushed; they went to the stash as {id}: \
             `mirrorctl stash restore {id}` brings them back"
        );
        if telling.report.notices.iter().all(|notice| notice.message != message) {
            telling.notice(NoticeKind::Stashed, Some(path), message, self.now());
        }
    }

    /// The one version whose id begins with what was typed.
    pub(super) async fn stash_id(&self, typed: &str) -> EngineResult<Ulid> {
        let wanted = typed.to_ascii_uppercase();
        if wanted.is_empty() || wanted.len() > ID_LETTERS || !wanted.bytes().all(is_of_an_id) {
            return Err(EngineError::NotAnId(typed.to_owned()));
        }
        let kept = self.stash().await?;
        let begins = |id: &Ulid| id.to_string().starts_with(&wanted);
        let ids: Vec<Ulid> = kept.iter().map(|one| one.id).filter(begins).collect();
        match ids[..] {
            [id] => Ok(id),
            [] => Err(EngineError::NotStashed(typed.to_owned())),
            _ => Err(EngineError::AmbiguousId {
                typed: typed.to_owned(),
                candidates: ids.iter().map(Ulid::to_string).collect(),
            }),
        }
    }
}

/// Crockford's letters, which leave out those that look like others.
fn is_of_an_id(letter: u8) -> bool {
    letter.is_ascii_alphanumeric() && !b"ILOU".contains(&letter)
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
