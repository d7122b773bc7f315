//! Taking over plain files that stand on a backend before there is a project:
//! they become the files of commit 1.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use mirror_core::commit::{Change, Pack};
use mirror_core::path::Names;
use mirror_core::patterns::{Coverage, CoverageSource, IGNORE_FILE, Patterns};
use mirror_core::{Digest, Entry, Kind, RelPath, Timestamp};
use mirror_storage::{ByteRange, RemoteFile, RemotePath, StorageError};

use crate::api::{EngineResult, Parts};
use crate::error::EngineError;
use crate::outside::Scratch;
use crate::outside::tree::digest_of;
use crate::packs::{Content, Item, Meter, Opener, PACK_BYTES, Packer, SMALL_BYTES};
use crate::project::rules::{IgnoreFile, ignore_file};

/// So many files are taken over together: they are all at hand at once.
const BATCH: usize = 512;

type Found = (RelPath, RemoteFile);

/// Takes the covered plain files of a backend's root into packs, batch by
/// batch, so that neither memory nor open files grow with their number.
pub(crate) async fn adopt(
    parts: &Parts,
    patterns: &Patterns,
) -> EngineResult<(Vec<Change>, Vec<Pack>)> {
    let coverage = coverage_of(parts, patterns).await?;
    let root = RemotePath::ROOT;
    let mut files = parts.backend.list(&root);
    let mut names = Names::new();
    let mut covered = Vec::new();
    while let Some(file) = files.next().await {
        let file = match file {
            // Somebody else's folder.
            Err(StorageError::Forbidden { path }) if !path.is_root() => {
                tracing::warn!(%path, "it can't be read, and isn't taken over");
                continue;
            }
            file => file?,
        };
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

/// What is ignored there is not taken over.
async fn coverage_of(parts: &Parts, patterns: &Patterns) -> EngineResult<Coverage> {
    let ignore = match read_small(parts, &RemotePath::from(&ignore_file())).await? {
        Some(bytes) if bytes.len() as u64 > SMALL_BYTES => {
            let what = format!("{IGNORE_FILE} on the backend is too large to be read");
            return Err(EngineError::Usage(what));
        }
        Some(bytes) => match IgnoreFile::of(bytes.into(), Vec::new()) {
            IgnoreFile::Rules { text, .. } => text,
            IgnoreFile::Unusable(why) => {
                let what =
                    format!("the rules of {IGNORE_FILE} on the backend can't be read: {why}");
                return Err(EngineError::Usage(what));
            }
        },
        None => String::new(),
    };
    let source = CoverageSource { project: patterns.clone(), ignore, ..CoverageSource::default() };
    Coverage::new(source).map_err(|error| EngineError::Usage(error.to_string()))
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
