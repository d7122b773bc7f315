//! Keeps versions that lost their place, for a person to find again.
//!
//! Each is a file `stash/<id>` of the data folder with a record of where it came
//! from beside it, `stash/<id>.json`. It goes when a person drops it, and never before.

use std::collections::BTreeSet;
use std::io::Read;

use mirror_core::{Digest, RelPath, State, Ulid};

use crate::api::{EngineResult, Stashed};
use crate::data::stash::record;
use crate::data::stash::{
    ID_LETTERS, Stash, StashedCopies, discard, is_of_an_id, list, stashed_name,
};
use crate::error::EngineError;
use crate::outside::Disk;
use crate::outside::tree::digest_of;
use crate::packs::Content;
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;

impl Worker {
    pub(crate) async fn stash(&self) -> EngineResult<Vec<Stashed>> {
        let data = self.parts.data.clone();
        Ok(self.parts.outside.offload(move || list(data.as_ref())).await?)
    }

    /// The same, for whoever asks for many.
    pub(crate) async fn kept(&self) -> EngineResult<StashedCopies> {
        Ok(self.stash().await?.into_iter().collect())
    }

    /// The one that is this version of a path, and still whole.
    pub(crate) async fn is_among(
        &self,
        kept: &StashedCopies,
        path: &RelPath,
        digest: Digest,
    ) -> EngineResult<Option<Stashed>> {
        let copies = kept.of(path, digest);
        if copies.is_empty() {
            return Ok(None);
        }
        let stash = Stash::of(path, &self.parts);
        Ok(self.parts.outside.offload(move || stash.whole(&copies)).await?)
    }

    /// Keeps the version that stands at a path, before another takes its place,
    /// unless it is kept already; `None` when it is no longer the expected one.
    pub(crate) async fn stash_local(
        &self,
        path: &RelPath,
        expected: State,
        reason: &'static str,
    ) -> EngineResult<Option<Ulid>> {
        let kept = self.kept().await?;
        self.stash_beside(&kept, path, expected, reason).await
    }

    /// The same, for whoever has read what is kept.
    pub(crate) async fn stash_beside(
        &self,
        kept: &StashedCopies,
        path: &RelPath,
        expected: State,
        reason: &'static str,
    ) -> EngineResult<Option<Ulid>> {
        match self.is_among(kept, path, expected.digest).await? {
            Some(known) => Ok(Some(known.id)),
            None => self.stash_anew(path, expected, reason).await,
        }
    }

    async fn stash_anew(
        &self,
        path: &RelPath,
        expected: State,
        reason: &'static str,
    ) -> EngineResult<Option<Ulid>> {
        let stash = Stash::of(path, &self.parts).because_of(reason);
        let (tree, path) = (self.parts.tree.clone(), path.clone());
        let keep = move || -> EngineResult<Option<Ulid>> {
            let Some((stamp, mut reader)) = tree.open(&path)? else { return Ok(None) };
            if stamp.kind != expected.kind || digest_of(reader.as_mut())?.0 != expected.digest {
                return Ok(None);
            }
            let Some((_, mut reader)) = tree.open(&path)? else { return Ok(None) };
            let mut stash = stash.noting_private(stamp.private);
            let Stashed { id, sha256, .. } = stash.keep_whole(reader.as_mut(), Some(expected))?;
            Ok((sha256 == expected.digest).then_some(id))
        };
        self.parts.outside.offload(keep).await
    }

    /// Says once where a person finds the version that makes way.
    pub(crate) fn tell_stashed(&self, path: &RelPath, id: Ulid, reporter: &mut Reporter) {
        reporter.stashed(path, id, self.now());
    }

    /// Lets versions go for good, as a person says: those that are named, or all. One
    /// that is asked for and isn't there keeps all others.
    pub(crate) async fn drop_stashed(
        &self,
        typed: Option<Vec<String>>,
    ) -> EngineResult<Vec<Stashed>> {
        let data = self.parts.data.clone();
        let drop = move || -> EngineResult<Vec<Stashed>> {
            let chosen = chosen(list(data.as_ref())?, typed.as_deref())?;
            for one in &chosen {
                discard(data.as_ref(), one.id)?;
                tracing::warn!(path = %one.path, id = %one.id, "a version of the stash was dropped");
            }
            Ok(chosen)
        };
        self.parts.outside.offload(drop).await
    }

    /// A version of the stash, whole and verified.
    pub(crate) async fn stashed(&self, typed: &str) -> EngineResult<(Stashed, Content)> {
        let (data, cache) = (self.parts.data.clone(), self.parts.cache.clone());
        let typed = typed.to_owned();
        let read = move || stashed(data.as_ref(), cache.as_ref(), &typed);
        self.parts.outside.offload(read).await
    }
}

/// A version of the stash of a data folder, whole and verified, whether or not its
/// project can be opened. Blocks.
pub fn stashed(
    data: &dyn Disk,
    scratch: &dyn Disk,
    typed: &str,
) -> EngineResult<(Stashed, Content)> {
    let id = one_of(&list(data)?, typed)?;
    let missing = || EngineError::NotStashed(id.to_string());
    let record = record(data, id)?.ok_or_else(missing)?;
    if data.open(&stashed_name(id))?.is_none() {
        return Err(missing());
    }
    let is = (record.sha256, record.size);
    let Some(content) = whole_content(data, scratch, &stashed_name(id), is)? else {
        let reason = "what the stash kept of it is damaged".to_owned();
        return Err(EngineError::ContentCorrupt { path: record.path, reason });
    };
    Ok((record, content))
}

/// A content of a data folder, whole and verified; `None` where it is gone, or is
/// another one by now. Blocks.
pub(crate) fn whole_content(
    data: &dyn Disk,
    scratch: &dyn Disk,
    name: &str,
    (digest, size): (Digest, u64),
) -> EngineResult<Option<Content>> {
    let Some(kept) = data.open(name)? else { return Ok(None) };
    Ok(whole(kept, scratch, (digest, size))?)
}

/// What a reader gives, if it is this content. Blocks.
pub(crate) fn whole(
    reader: impl Read,
    scratch: &dyn Disk,
    (digest, size): (Digest, u64),
) -> std::io::Result<Option<Content>> {
    let mut scratch = scratch.scratch()?;
    std::io::copy(&mut reader.take(size.saturating_add(1)), &mut scratch)?;
    let (found, _) = digest_of(&mut scratch.reopen()?)?;
    Ok((found == digest).then_some(Content::Scratch(scratch)))
}

/// Those of a stash that somebody means: by ids, or the beginnings of some; without
/// any, all.
pub fn chosen(kept: Vec<Stashed>, typed: Option<&[String]>) -> EngineResult<Vec<Stashed>> {
    let Some(typed) = typed else { return Ok(kept) };
    let ids =
        typed.iter().map(|typed| one_of(&kept, typed)).collect::<EngineResult<BTreeSet<_>>>()?;
    Ok(kept.into_iter().filter(|one| ids.contains(&one.id)).collect())
}

/// The one version whose id begins with what was typed.
fn one_of(kept: &[Stashed], typed: &str) -> EngineResult<Ulid> {
    let wanted = typed.to_ascii_uppercase();
    if wanted.is_empty() || wanted.len() > ID_LETTERS || !wanted.bytes().all(is_of_an_id) {
        return Err(EngineError::NotAnId(typed.to_owned()));
    }
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
