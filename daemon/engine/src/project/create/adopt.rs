//! Taking over plain files that stand on a backend before there is a project:
//! they become the files of commit 1.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use mirror_core::commit::{Change, Pack};
use mirror_core::path::Names;
use mirror_core::patterns::{Coverage, CoverageSource, GIT_IGNORE_FILE};
use mirror_core::{Digest, Entry, Kind, RelPath, Timestamp};
use mirror_storage::{ByteRange, RemoteFile, RemotePath, StorageError, is_system_path};

use crate::api::{EngineResult, Parts, SharedSettings};
use crate::error::EngineError;
use crate::outside::Scratch;
use crate::outside::tree::digest_of;
use crate::packs::{Content, Item, Meter, Opener, PACK_BYTES, Packer, SMALL_BYTES};
use crate::project::rules::{GitRules, ignore_file, text_of};

/// So many files are taken over together: they are all at hand at once.
const BATCH: usize = 512;

type Found = (RelPath, RemoteFile);

/// Takes the covered plain files of a backend's root into packs, batch by
/// batch, so that neither memory nor open files grow with their number.
pub(crate) async fn adopt(
    parts: &Parts,
    settings: &SharedSettings,
) -> EngineResult<(Vec<Change>, Vec<Pack>)> {
    let files = files_at(parts).await?;
    let coverage = coverage_of(parts, settings, &files).await?;
    let mut names = Names::new();
    let mut covered = Vec::new();
    for file in files {
        let Ok(path) = RelPath::new(file.path.as_str()) else { continue };
        if coverage.covers(&path) && names.insert(&path).is_ok() {
            covered.push((path, file));
        }
    }
    covered.sort_by(|left, right| left.0.cmp(&right.0));
    let (mut changes, mut packs) = (Vec::new(), Vec::new());
    for batch in batches(covered) {
        let (more_changes, more_packs) = adopt_batch(parts, batch).await?;
        changes.extend(more_changes);
        packs.extend(more_packs);
    }
    Ok((changes, packs))
}

/// Every file below the root that can be seen.
async fn files_at(parts: &Parts) -> EngineResult<Vec<RemoteFile>> {
    let root = RemotePath::ROOT;
    let mut listed = parts.backend.list(&root);
    let mut files = Vec::new();
    while let Some(file) = listed.next().await {
        match file {
            // Somebody else's folder.
            Err(StorageError::Forbidden { path }) if !path.is_root() => {
                tracing::warn!(%path, "it can't be read, and isn't taken over");
            }
            // Nobody's writing.
            Ok(file) if is_system_path(file.path.as_str()) => {}
            file => files.push(file?),
        }
    }
    Ok(files)
}

/// What is ignored there is not taken over.
async fn coverage_of(
    parts: &Parts,
    settings: &SharedSettings,
    files: &[RemoteFile],
) -> EngineResult<Coverage> {
    let ignore = rules_at(parts, &ignore_file()).await?.unwrap_or_default();
    let project = settings.patterns();
    let agents = settings.agent_folders();
    let mut source = CoverageSource { project, ignore, agents, ..CoverageSource::default() };
    if settings.gitignore {
        let paths = files.iter().filter_map(|file| RelPath::new(file.path.as_str()).ok());
        let mut paths: Vec<RelPath> = paths.filter(|path| path.name() == GIT_IGNORE_FILE).collect();
        paths.sort_by_key(|path| path.ancestors().count());
        let mut found = GitRules::new(&source)?;
        for path in paths {
            if found.may_hold(path.parent().as_ref())
                && let Some(text) = rules_at(parts, &path).await?
            {
                found.add(&path, text).map_err(|unusable| refused(&path, &unusable.why))?;
            }
        }
        source.gitignore = Some(found.into_texts());
    }
    Coverage::new(source).map_err(|error| EngineError::Usage(error.to_string()))
}

/// The text of a file of rules on the backend, if there is one.
async fn rules_at(parts: &Parts, path: &RelPath) -> EngineResult<Option<String>> {
    let unusable = |why: &str| refused(path, why);
    let Some(bytes) = read_small(parts, &RemotePath::from(path)).await? else { return Ok(None) };
    if bytes.len() as u64 > SMALL_BYTES {
        return Err(unusable("it is too large"));
    }
    text_of(path, bytes.into()).map(Some).map_err(|unreadable| unusable(&unreadable.why))
}

fn refused(path: &RelPath, why: &str) -> EngineError {
    EngineError::Usage(format!("the rules of {path} on the backend can't be read: {why}"))
}

fn batches(files: Vec<Found>) -> Vec<Vec<Found>> {
    let (mut batches, mut filled): (Vec<Vec<Found>>, u64) = (Vec::new(), 0);
    for found in files {
        let size = found.1.size;
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH && filled.saturating_add(size) <= PACK_BYTES => {
                batch.push(found);
            }
            _ => {
                batches.push(vec![found]);
                filled = 0;
            }
        }
        filled = filled.saturating_add(size);
    }
    batches
}

async fn adopt_batch(parts: &Parts, batch: Vec<Found>) -> EngineResult<(Vec<Change>, Vec<Pack>)> {
    let (mut changes, mut items, mut contents) = (Vec::new(), Vec::new(), HashMap::new());
    for (path, file) in batch {
        let Some((content, digest, size)) = read(parts, &file).await? else { continue };
        items.push(Item { digest, size, path: path.clone() });
        let mtime = file.modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let mtime = mtime.and_then(|since| i64::try_from(since.as_millis()).ok()).map(Timestamp);
        let entry = Entry {
            kind: Kind::File,
            sha256: digest,
            size,
            exec: false,
            private: false,
            mtime,
            chunks: None,
        };
        let to = Some(entry);
        changes.push(Change { path: path.clone(), from: None, to, renamed_from: None });
        contents.insert(path, content);
    }
    let contents = std::sync::Mutex::new(contents);
    let opener: Opener = Arc::new(move |item| {
        let contents = contents.lock().expect("no reader panics");
        Ok(contents.get(&item.path).map(Content::open).transpose()?)
    });
    let packer = Packer {
        opener,
        disk: &parts.cache,
        backend: parts.backend.as_ref(),
        outside: &parts.outside,
        packing: Meter::silent(),
        uploading: Meter::silent(),
    };
    let (stored, ()) = packer.store(packer.plan(items), std::future::ready(())).await;
    stored.failure.map_or(Ok(()), Err)?;
    match stored.rejected.into_iter().next() {
        Some(rejected) => Err(rejected.error.unwrap_or_else(|| {
            EngineError::Internal(format!("{} changed in our own hands", rejected.path))
        })),
        None => Ok((changes, stored.packs)),
    }
}

/// A file's content with its digest; `None` when it is gone meanwhile.
async fn read(parts: &Parts, file: &RemoteFile) -> EngineResult<Option<(Content, Digest, u64)>> {
    if file.size <= SMALL_BYTES {
        let Some(bytes) = read_small(parts, &file.path).await? else { return Ok(None) };
        let (digest, size) = (Digest::of(&bytes), bytes.len() as u64);
        // It may have grown since it was listed.
        if size <= SMALL_BYTES {
            return Ok(Some((Content::Bytes(bytes), digest, size)));
        }
    }
    let Some(scratch) = download(parts, &file.path).await? else { return Ok(None) };
    let digested = parts.outside.offload(move || {
        let digest = digest_of(&mut scratch.reopen()?)?;
        Ok::<_, std::io::Error>((scratch, digest))
    });
    let (scratch, (digest, size)) = digested.await?;
    Ok(Some((Content::Scratch(scratch), digest, size)))
}

/// Reads a file that is thought to be small; no more than tells that it isn't.
async fn read_small(parts: &Parts, path: &RemotePath) -> EngineResult<Option<Bytes>> {
    let range = ByteRange { start: 0, len: Some(SMALL_BYTES + 1) };
    let Some(mut stream) = parts.backend.read(path, range).await? else { return Ok(None) };
    let mut bytes = Vec::new();
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece?);
    }
    Ok(Some(bytes.into()))
}

async fn download(parts: &Parts, path: &RemotePath) -> EngineResult<Option<Box<dyn Scratch>>> {
    let Some(mut stream) = parts.backend.read(path, ByteRange::ALL).await? else {
        return Ok(None);
    };
    let disk = parts.cache.clone();
    let mut scratch = parts.outside.offload(move || disk.scratch()).await?;
    while let Some(piece) = stream.next().await {
        let piece = piece?;
        let write = move || std::io::Write::write_all(&mut scratch, &piece).map(|()| scratch);
        scratch = parts.outside.offload(write).await?;
    }
    Ok(Some(scratch))
}
