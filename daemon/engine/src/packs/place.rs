//! One content, read from wherever the log says that it lies.
//!
//! The newest place comes first. One where it was found damaged is read again only
//! when the pack is another version by now, or after a while (P8).

use std::io::{self, Read, Write};

use bytes::{Bytes, BytesMut};
use flate2::read::DeflateDecoder;
use futures::StreamExt;
use mirror_core::commit::{Method, pack_name};
use mirror_core::entry::Chunk;
use mirror_core::history::Place;
use mirror_core::{Digest, History, RelPath, Ulid};
use mirror_storage::{ByteRange, RemotePath};

use super::damage::{Finding, spot_of};
use super::fetch::{Content, Fetcher, corrupt};
use super::{SMALL_BYTES, unpack};
use crate::error::EngineError;
use crate::log::own_path;
use crate::outside::Scratch;
use crate::state::Damage;

impl Fetcher {
    pub(super) async fn fetch_part(
        &self,
        path: &RelPath,
        part: Chunk,
        history: &History,
    ) -> Result<Content, EngineError> {
        let mut failure = EngineError::ContentMissing { path: path.clone() };
        if history.place(part.sha256).is_none() {
            return Err(failure);
        }
        if part.size <= SMALL_BYTES
            && let Some(bytes) = self.cache.get(part.sha256).await
        {
            return Ok(Content::Bytes(bytes));
        }
        for place in history.places(part.sha256) {
            self.refuse_when_cancelled()?;
            match self.fetch_at(path, part.sha256, *place).await {
                // Damaged says more than missing.
                Err(error) if error.is_of_content() => {
                    if !matches!(failure, EngineError::ContentCorrupt { .. }) {
                        failure = error;
                    }
                }
                Ok(Content::Bytes(bytes)) => {
                    self.cache.keep(vec![(part.sha256, bytes.clone())]).await;
                    return Ok(Content::Bytes(bytes));
                }
                fetched => return fetched,
            }
        }
        Err(failure)
    }

    /// Reads a content at one place, and remembers what was found there.
    pub(super) async fn fetch_at(
        &self,
        path: &RelPath,
        content: Digest,
        place: Place,
    ) -> Result<Content, EngineError> {
        let spot = spot_of(&place);
        let now = self.outside.clock.now();
        if let Some(damage) = self.damaged.at(content, spot) {
            let is_as_it_was = self.revision_of(place.pack).await? == damage.revision;
            if is_as_it_was && !damage.is_due(now) {
                return Err(damage.error(path));
            }
        }
        let read = self.read_at(path, content, place).await;
        match &read {
            Ok(_) => self.damaged.clear(content, spot),
            Err(error) if error.is_of_content() => {
                if let Ok(revision) = self.revision_of(place.pack).await {
                    self.note_damage(content, &place, revision, error);
                }
            }
            Err(_) => {}
        }
        read
    }

    /// Notes that a content isn't at its place as it was stored, in this version of
    /// its pack.
    pub(super) fn note_damage(
        &self,
        content: Digest,
        place: &Place,
        revision: Option<String>,
        error: &EngineError,
    ) {
        let reason = match error {
            EngineError::ContentCorrupt { reason, .. } => Some(reason.clone()),
            _ => None,
        };
        let finding = Finding { reason, revision };
        self.damaged.note(content, spot_of(place), finding, self.outside.clock.now());
    }

    /// Which version of a pack stands there; `None` when there is none.
    pub(super) async fn revision_of(&self, pack: Ulid) -> Result<Option<String>, EngineError> {
        let found = self.backend.stat(&own_path(&pack_name(pack))).await?;
        Ok(found.map(|found| found.revision.0))
    }

    async fn read_at(
        &self,
        path: &RelPath,
        content: Digest,
        place: Place,
    ) -> Result<Content, EngineError> {
        let missing = || EngineError::ContentMissing { path: path.clone() };
        let range = ByteRange { start: place.offset, len: Some(place.stored_size) };
        if place.size <= SMALL_BYTES {
            let stored = self.read_bytes(place.pack, range).await?.ok_or_else(missing)?;
            let read = self.outside.offload(move || unpack(&stored, &place)).await;
            let read = read.filter(|read| Digest::of(read) == content);
            let read = read.ok_or_else(|| corrupt(path, "its bytes in the pack are damaged"))?;
            return Ok(Content::Bytes(Bytes::from(read)));
        }
        let pack = own_path(&pack_name(place.pack));
        let stored = self.download(&pack, range).await?.ok_or_else(missing)?;
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
                Ok(()) if is_of_bytes(&error) => corrupt(path, &error.to_string()),
                // This machine's disk says nothing of the pack.
                Ok(()) => error.into(),
            })?;
        self.verified(unpacked, content, path).await
    }

    pub(super) async fn read_bytes(
        &self,
        pack: Ulid,
        range: ByteRange,
    ) -> Result<Option<Bytes>, EngineError> {
        let path = own_path(&pack_name(pack));
        let Some(mut stream) = self.backend.read(&path, range).await? else { return Ok(None) };
        let mut bytes = BytesMut::new();
        while let Some(piece) = stream.next().await {
            bytes.extend_from_slice(&piece?);
        }
        Ok(Some(bytes.freeze()))
    }

    pub(super) async fn download(
        &self,
        place: &RemotePath,
        range: ByteRange,
    ) -> Result<Option<Box<dyn Scratch>>, EngineError> {
        let Some(mut stream) = self.backend.read(place, range).await? else { return Ok(None) };
        let mut scratch = self.scratch().await?;
        while let Some(piece) = stream.next().await {
            let piece = piece?;
            self.refuse_when_cancelled()?;
            scratch =
                self.outside.offload(move || scratch.write_all(&piece).map(|()| scratch)).await?;
        }
        Ok(Some(scratch))
    }
}

/// Whether bytes that were there could not be inflated.
fn is_of_bytes(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
}

impl Damage {
    /// What to say of it instead of another look.
    pub(super) fn error(&self, path: &RelPath) -> EngineError {
        match &self.reason {
            Some(reason) => corrupt(path, reason),
            None => EngineError::ContentMissing { path: path.clone() },
        }
    }
}
