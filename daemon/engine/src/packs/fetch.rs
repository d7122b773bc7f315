//! Reading contents back by ranges of their packs, verified by digest.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;
use mirror_core::entry::Chunk;
use mirror_core::{Digest, Entry, History, RelPath};
use mirror_storage::{Backend, ByteRange, RemotePath};

use super::Cache;
use super::damage::{Damaged, Finding};
use crate::error::EngineError;
use crate::outside::tree::digest_of;
use crate::outside::{Disk, Outside, Scratch};
use crate::state::Spot;

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
    /// What was found damaged, so that it isn't read again by every job.
    pub damaged: Damaged,
    pub outside: Outside,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Fetcher({})", self.backend.label())
    }
}

impl Fetcher {
    /// Fetches one content, whatever its size, and says why if it can't be had.
    /// What no pack gives may stand as a plain file in the view (P8).
    pub async fn fetch(&self, wanted: &Wanted, history: &History) -> Result<Content, EngineError> {
        match self.fetch_packed(wanted, history).await {
            Err(error) if error.is_of_content() => self.fetch_plain(wanted).await?.ok_or(error),
            fetched => fetched,
        }
    }

    async fn fetch_packed(
        &self,
        wanted: &Wanted,
        history: &History,
    ) -> Result<Content, EngineError> {
        let Some(chunks) = &wanted.chunks else {
            let whole = Chunk { sha256: wanted.digest, size: wanted.size };
            return self.fetch_part(&wanted.path, whole, history).await;
        };
        let sum = chunks.iter().try_fold(0_u64, |sum, chunk| sum.checked_add(chunk.size));
        if sum != Some(wanted.size) {
            return Err(corrupt(&wanted.path, "its chunks do not add up to its size"));
        }
        self.join(wanted, chunks, history).await
    }

    /// Chunks that are right and give something else are not joined by every job.
    async fn join(
        &self,
        wanted: &Wanted,
        chunks: &[Chunk],
        history: &History,
    ) -> Result<Content, EngineError> {
        let listed = serde_json::to_vec(chunks).expect("chunks have only string keys");
        let spot = Spot::Chunks(Digest::of(&listed));
        let before = self.damaged.at(wanted.digest, spot);
        if let Some(damage) = before.filter(|damage| !damage.is_due(self.outside.clock.now())) {
            return Err(damage.error(&wanted.path));
        }
        let mut joined = self.scratch().await?;
        for chunk in chunks.iter().copied() {
            self.refuse_when_cancelled()?;
            let part = self.fetch_part(&wanted.path, chunk, history).await?;
            let interrupt = self.outside.interrupt.clone();
            joined = self
                .outside
                .offload(move || {
                    io::copy(&mut interrupt.guard(part.open()?), &mut joined).map(|_| joined)
                })
                .await?;
        }
        let joined = self.verified(joined, wanted.digest, &wanted.path).await;
        match &joined {
            Err(EngineError::ContentCorrupt { reason, .. }) => {
                let finding = Finding { reason: Some(reason.clone()), revision: None };
                self.damaged.note(wanted.digest, spot, finding, self.outside.clock.now());
            }
            Ok(_) => self.damaged.clear(wanted.digest, spot),
            Err(_) => {}
        }
        joined
    }

    /// The same bytes out of the view, if they stand there.
    async fn fetch_plain(&self, wanted: &Wanted) -> Result<Option<Content>, EngineError> {
        let place = RemotePath::from(&wanted.path);
        let Ok(Some(file)) = self.backend.stat(&place).await else { return Ok(None) };
        if file.size != wanted.size {
            return Ok(None);
        }
        // One byte more than it should have says that it has changed.
        let range = ByteRange { start: 0, len: Some(wanted.size + 1) };
        let read = match self.download(&place, range).await {
            Ok(Some(read)) => self.verified(read, wanted.digest, &wanted.path).await,
            Err(error @ EngineError::Cancelled) => Err(error),
            Ok(None) | Err(_) => return Ok(None),
        };
        match read {
            Err(EngineError::ContentCorrupt { .. }) => Ok(None),
            read => {
                tracing::info!(path = %wanted.path, "a content is read from the plain files");
                read.map(Some)
            }
        }
    }

    pub(super) fn refuse_when_cancelled(&self) -> Result<(), EngineError> {
        match self.outside.interrupt.is_cancelled() {
            true => Err(EngineError::Cancelled),
            false => Ok(()),
        }
    }

    pub(super) async fn scratch(&self) -> io::Result<Box<dyn Scratch>> {
        let disk = self.disk.clone();
        self.outside.offload(move || disk.scratch()).await
    }

    pub(super) async fn verified(
        &self,
        scratch: Box<dyn Scratch>,
        digest: Digest,
        path: &RelPath,
    ) -> Result<Content, EngineError> {
        let interrupt = self.outside.interrupt.clone();
        let (found, scratch) = self
            .outside
            .offload(move || {
                let reader = scratch.reopen().map(|reader| interrupt.guard(reader));
                let found = reader.and_then(|mut reader| digest_of(&mut reader));
                (found, scratch)
            })
            .await;
        self.refuse_when_cancelled()?;
        if found?.0 == digest {
            Ok(Content::Scratch(scratch))
        } else {
            Err(corrupt(path, "its bytes are not those that were stored"))
        }
    }
}

pub(super) fn corrupt(path: &RelPath, reason: &str) -> EngineError {
    EngineError::ContentCorrupt { path: path.clone(), reason: reason.to_owned() }
}
