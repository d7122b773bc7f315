//! One entry: its bytes as they stand, and what they do to the history.

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use mirror_core::Digest;
use mirror_core::commit::{Commit, MAX_ENTRY_BYTES, ParseError, entry_name};
use mirror_core::digest::Hasher;
use mirror_core::history::{Applied, Void};
use mirror_storage::{Backend, ByteRange, StorageError};

use super::{Log, LogEntry, needs_later, own_path, share_as_settings_say};
use crate::error::EngineError;

/// An entry's bytes as far as they can be an entry's, and the digest of all.
#[derive(Clone, Debug)]
pub(crate) struct RawEntry {
    pub bytes: Bytes,
    pub digest: Digest,
    pub len: u64,
}

/// Reads one entry; `None` when it is not there.
pub(crate) async fn read_entry(
    backend: &dyn Backend,
    seq: u64,
) -> Result<Option<RawEntry>, StorageError> {
    read_range(backend, seq, ByteRange::ALL).await
}

async fn read_range(
    backend: &dyn Backend,
    seq: u64,
    range: ByteRange,
) -> Result<Option<RawEntry>, StorageError> {
    let path = own_path(&entry_name(seq));
    let Some(mut stream) = backend.read(&path, range).await? else {
        return Ok(None);
    };
    let (mut kept, mut hasher, mut len) = (Vec::new(), Hasher::new(), 0_u64);
    while let Some(piece) = stream.next().await {
        let piece = piece?;
        hasher.update(&piece);
        len += piece.len() as u64;
        // Beyond the limit only the digest counts: the chain goes over all bytes.
        if len <= MAX_ENTRY_BYTES {
            kept.extend_from_slice(&piece);
        }
    }
    Ok(Some(RawEntry { bytes: kept.into(), digest: hasher.finish(), len }))
}

/// What was found of an entry where only a small one is wanted.
pub(crate) enum SmallEntry {
    Whole(RawEntry),
    Larger,
    Absent,
}

/// Reads an entry of no more than `most` bytes.
pub(crate) async fn read_small_entry(
    backend: &dyn Backend,
    seq: u64,
    most: u64,
) -> Result<SmallEntry, StorageError> {
    // One byte more than it may have says that it has more.
    let range = ByteRange { start: 0, len: Some(most + 1) };
    Ok(match read_range(backend, seq, range).await? {
        None => SmallEntry::Absent,
        Some(raw) if raw.len > most => SmallEntry::Larger,
        Some(raw) => SmallEntry::Whole(raw),
    })
}

impl Log {
    /// Applies an entry whose chain has been looked at.
    pub(super) fn apply(
        &mut self,
        seq: u64,
        digest: Digest,
        parsed: Result<Commit, String>,
    ) -> LogEntry {
        let applied = self.history.apply(seq, digest, parsed.as_ref().map_err(Clone::clone));
        if parsed.as_ref().is_ok_and(|commit| commit.settings.is_some()) {
            share_as_settings_say(self.backend.as_ref(), self.history.settings());
        }
        let void = match applied {
            Applied::Counted => None,
            Applied::Void(Void::Unreadable(reason)) => Some(reason),
            Applied::Void(void) => Some(void.to_string()),
        };
        if let Some(reason) = &void {
            tracing::warn!(seq, reason, "the log has a void entry");
            self.voids.insert(seq, reason.clone());
        }
        LogEntry { seq, digest, commit: parsed.ok().map(Arc::new), void }
    }
}

/// Reads a commit from an entry's bytes; only what needs a later version is an
/// error.
pub(super) fn parse(seq: u64, raw: &RawEntry) -> Result<Result<Commit, String>, EngineError> {
    if raw.len > MAX_ENTRY_BYTES {
        return Ok(Err(ParseError::TooLarge(raw.len).to_string()));
    }
    match Commit::parse(&raw.bytes) {
        Ok(commit) => Ok(Ok(commit)),
        Err(ParseError::NeedsLater(later)) => {
            Err(needs_later(&format!("entry {seq} of the log"), &later))
        }
        Err(error) => Ok(Err(error.to_string())),
    }
}
