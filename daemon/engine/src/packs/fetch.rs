//! Reading contents back by ranges of their packs, verified by digest.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read, Write};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use flate2::read::DeflateDecoder;
use futures::{FutureExt, StreamExt};
use mirror_core::commit::{Method, pack_name};
use mirror_core::entry::Chunk;
use mirror_core::history::Place;
use mirror_core::{Digest, Entry, History, RelPath, Ulid};
use mirror_storage::{Backend, ByteRange};

use super::{Cache, SMALL_BYTES};
use crate::error::EngineError;
use crate::log::own_path;
use crate::outside::tree::digest_of;
use crate::outside::{Disk, Outside, Scratch};

/// Two contents in one pack are read together across a gap up to this.
const GAP_BYTES: u64 = 64 << 10;

/// A file whose content is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub path: RelPath,
    pub digest: Digest,
    pub size: u64,
    pub chunks: Option<Vec<Chunk>>,
}

impl Wanted {
    pub fn of(path: &RelPath, entry: &Entry) -> Self {
        let Entry { sha256, size, chunks, .. } = entry.clone();
        Self { path: path.clone(), digest: sha256, size, chunks }
    }
}

/// A content that is here, whole and verified.
pub enum Content {
    Bytes(Bytes),
    Scratch(Box<dyn Scratch>),
}

impl std::fmt::Debug for Content {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(out, "Content({} bytes)", bytes.len()),
            Self::Scratch(_) => out.write_str("Content(on disk)"),
        }
    }
}

impl Content {
    /// Reads it from the start.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Bytes(bytes) => Box::new(io::Cursor::new(bytes.clone())),
            Self::Scratch(scratch) => Box::new(scratch.reopen()?),
        })
    }
}

/// Fetches contents from one backend.
#[derive(Clone)]
pub struct Fetcher {
    pub backend: Arc<dyn Backend>,
    pub disk: Arc<dyn Disk>,
    pub cache: Cache,
    pub outside: Outside,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Fetcher({})", self.backend.label())
    }
}

/// Small contents that lie side by side in one pack.
struct Run {
    pack: Ulid,
    start: u64,
    end: u64,
    contents: Vec<(Digest, Place)>,
}

impl Fetcher {
    /// Fetches the small contents among `wanted`, neighbours together. What
    /// could not be read is left out: ask for it by [`Fetcher::fetch`], which
    /// says why.
    pub async fn fetch_small(
        &self,
        wanted: &[Wanted],
        history: &History,
    ) -> HashMap<Digest, Bytes> {
        let mut here = HashMap::new();
        let mut places = BTreeMap::new();
        for want in wanted {
            if want.chunks.is_some() || want.size > SMALL_BYTES {
                continue;
            }
            let Some(place) = history.place(want.digest) else { continue };
            match self.cache.get(want.digest).await {
                Some(bytes) => drop(here.insert(want.digest, bytes)),
                None => drop(places.insert((place.pack, place.offset), (want.digest, *place))),
            }
        }
        let parallel = self.backend.capabilities().parallel.max(1);
        let runs = runs_of(places.into_values());
        let runs: Vec<_> = runs.into_iter().map(|run| self.read_run(run).boxed()).collect();
        let mut runs = futures::stream::iter(runs).buffer_unordered(parallel);
        while let Some(contents) = runs.next().await {
            self.cache.keep(contents.clone()).await;
            here.extend(contents);
        }
        here
    }

    /// Reads one run; contents that don't come out as their digest says are
    /// left out.
    async fn read_run(&self, run: Run) -> Vec<(Digest, Bytes)> {
        let range = ByteRange { start: run.start, len: Some(run.end - run.start) };
        let bytes = match self.read_bytes(run.pack, range).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Vec::new(),
            Err(error) => {
                tracing::debug!(%error, "a run of contents could not be read");
                return Vec::new();
            }
        };
        self.outside
            .offload(move || {
                let part = |place: &Place| {
                    let start = usize::try_from(place.offset - run.start).ok()?;
                    let end = start.checked_add(usize::try_from(place.stored_size).ok()?)?;
                    bytes.get(start..end)
                };
                let unpacked = run.contents.iter().filter_map(|(digest, place)| {
                    let content = unpack(part(place)?, place)?;
                    (Digest::of(&content) == *digest).then(|| (*digest, Bytes::from(content)))
                });
                unpacked.collect()
            })
            .await
    }

    async fn read_bytes(&self, pack: Ulid, range: ByteRange) -> Result<Option<Bytes>, EngineError> {
        let path = own_path(&pack_name(pack));
        let Some(mut stream) = self.backend.read(&path, range).await? else { return Ok(None) };
        let mut bytes = BytesMut::new();
        while let Some(piece) = stream.next().await {
            bytes.extend_from_slice(&piece?);
        }
        Ok(Some(bytes.freeze()))
    }

    /// Fetches one content, whatever its size, and says why if it can't be had.
    pub async fn fetch(&self, wanted: &Wanted, history: &History) -> Result<Content, EngineError> {
        let Some(chunks) = &wanted.chunks else {
            let whole = Chunk { sha256: wanted.digest, size: wanted.size };
            return self.fetch_part(&wanted.path, whole, history).await;
        };
        let sum = chunks.iter().try_fold(0_u64, |sum, chunk| sum.checked_add(chunk.size));
        if sum != Some(wanted.size) {
            return Err(corrupt(&wanted.path, "its chunks do not add up to its size"));
        }
        let mut joined = self.scratch().await?;
        for chunk in chunks.iter().copied() {
            self.refuse_when_cancelled()?;
            let part = self.fetch_part(&wanted.path, chunk, history).await?;
            joined = self
                .outside
                .offload(move || io::copy(&mut part.open()?, &mut joined).map(|_| joined))
                .await?;
        }
        self.verified(joined, wanted.digest, &wanted.path).await
    }

    async fn fetch_part(
        &self,
        path: &RelPath,
        part: Chunk,
        history: &History,
    ) -> Result<Content, EngineError> {
        let missing = || EngineError::ContentMissing { path: path.clone() };
        let place = *history.place(part.sha256).ok_or_else(missing)?;
        if part.size <= SMALL_BYTES
            && let Some(bytes) = self.cache.get(part.sha256).await
        {
            return Ok(Content::Bytes(bytes));
        }
        let range = ByteRange { start: place.offset, len: Some(place.stored_size) };
        if place.size <= SMALL_BYTES {
            let stored = self.read_bytes(place.pack, range).await?.ok_or_else(missing)?;
            let content = self.outside.offload(move || unpack(&stored, &place)).await;
            let content = content.filter(|content| Digest::of(content) == part.sha256);
            let content =
                content.ok_or_else(|| corrupt(path, "its bytes in the pack are damaged"))?;
            let bytes = Bytes::from(content);
            self.cache.keep(vec![(part.sha256, bytes.clone())]).await;
            return Ok(Content::Bytes(bytes));
        }
        let stored = self.download(place.pack, range).await?.ok_or_else(missing)?;
        let mut unpacked = self.scratch().await?;
        let interrupt = self.outside.interrupt.clone();
        let unpacked = self
            .outside
            .offload(move || {
                let source = interrupt.guard(stored.reopen()?);
                let mut source: Box<dyn Read> = match place.method {
                    Method::Stored => Box::new(source),
                    Method::Deflated => Box::new(DeflateDecoder::new(source)),
                };
                io::copy(&mut source.by_ref().take(place.size + 1), &mut unpacked).map(|_| unpacked)
            })
            .await
            .map_err(|error| match self.refuse_when_cancelled() {
                Err(cancelled) => cancelled,
                Ok(()) => corrupt(path, &error.to_string()),
            })?;
        self.verified(unpacked, part.sha256, path).await
    }

    async fn download(
        &self,
        pack: Ulid,
        range: ByteRange,
    ) -> Result<Option<Box<dyn Scratch>>, EngineError> {
        let path = own_path(&pack_name(pack));
        let Some(mut stream) = self.backend.read(&path, range).await? else { return Ok(None) };
        let mut scratch = self.scratch().await?;
        while let Some(piece) = stream.next().await {
            let piece = piece?;
            self.refuse_when_cancelled()?;
            scratch =
                self.outside.offload(move || scratch.write_all(&piece).map(|()| scratch)).await?;
        }
        Ok(Some(scratch))
    }

    fn refuse_when_cancelled(&self) -> Result<(), EngineError> {
        match self.outside.interrupt.is_cancelled() {
            true => Err(EngineError::Cancelled),
            false => Ok(()),
        }
    }

    async fn scratch(&self) -> io::Result<Box<dyn Scratch>> {
        let disk = self.disk.clone();
        self.outside.offload(move || disk.scratch()).await
    }

    async fn verified(
        &self,
        scratch: Box<dyn Scratch>,
        digest: Digest,
        path: &RelPath,
    ) -> Result<Content, EngineError> {
        let (found, scratch) = self
            .outside
            .offload(move || {
                let found = scratch.reopen().and_then(|mut reader| digest_of(&mut reader));
                (found, scratch)
            })
            .await;
        if found?.0 == digest {
            Ok(Content::Scratch(scratch))
        } else {
            Err(corrupt(path, "its bytes are not those that were stored"))
        }
    }
}

fn corrupt(path: &RelPath, reason: &str) -> EngineError {
    EngineError::ContentCorrupt { path: path.clone(), reason: reason.to_owned() }
}

/// Groups places, sorted by pack and offset, into runs worth one read each.
fn runs_of(places: impl Iterator<Item = (Digest, Place)>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (digest, place) in places {
        let end = place.offset + place.stored_size;
        match runs.last_mut() {
            Some(run)
                if run.pack == place.pack
                    && place.offset <= run.end.saturating_add(GAP_BYTES)
                    && end - run.start <= SMALL_BYTES =>
            {
                run.end = run.end.max(end);
                run.contents.push((digest, place));
            }
            _ => runs.push(Run {
                pack: place.pack,
                start: place.offset,
                end,
                contents: vec![(digest, place)],
            }),
        }
    }
    runs
}

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
