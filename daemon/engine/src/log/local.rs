//! The copy of the log that this machine keeps in its data folder (L7): the
//! bytes of recent entries, and the history at a checkpoint to start from.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use mirror_core::commit::{CheckpointRef, Commit, entry_name};
use mirror_core::{Digest, History, SharedMap, checkpoint};

use super::entry::{RawEntry, parse};
use super::{Log, LogEntry, read_entry};
use crate::error::EngineError;
use crate::outside::Disk;

/// So many entries are kept, and all since the last checkpoint but one.
const KEPT_ENTRIES: u64 = 1_000;

const CHECKPOINTS: &str = "checkpoints";

/// Void entries by number: the digest of their bytes, and why they are void.
const VOIDS: &str = "voids";

impl Log {
    /// Keeps an entry's bytes; failing to is no reason to stop reading.
    ///
    /// That an entry is void is kept first: its bytes alone could as well be a
    /// damaged copy, and a machine that forgot what came after them would not
    /// see a log that was cut off (L7).
    pub(super) async fn keep_bytes(&self, entry: &LogEntry, raw: &RawEntry) {
        let (data, bytes, seq) = (self.data.clone(), raw.bytes.clone(), entry.seq);
        let note = entry.void.as_ref().map(|reason| format!("{}\n{reason}", raw.digest));
        let kept = self
            .outside
            .offload(move || {
                if let Some(note) = note {
                    data.write(&void_name(seq), &mut note.as_bytes(), false)?;
                }
                data.write(&entry_name(seq), &mut bytes.as_ref(), false)
            })
            .await;
        if let Err(error) = kept {
            tracing::warn!(seq, %error, "an entry of the log could not be kept here");
        }
    }

    /// Reads on from what the data folder holds; stops at the first gap.
    pub(super) async fn load_local(&mut self) -> Result<(), EngineError> {
        let data = self.data.clone();
        let kept = self.outside.offload(move || newest_history(data.as_ref())).await;
        if let Some((history, made)) = kept {
            (self.history, self.made) = (history, Some(made));
        }
        let (data, head) = (self.data.clone(), self.head());
        self.voids = self.outside.offload(move || voids_until(data.as_ref(), head)).await;
        loop {
            let (data, seq) = (self.data.clone(), self.head() + 1);
            let bytes = self.outside.offload(move || data.read(&entry_name(seq))).await;
            let Ok(Some(bytes)) = bytes else { return Ok(()) };
            let raw = RawEntry {
                digest: Digest::of(&bytes),
                len: bytes.len() as u64,
                bytes: bytes.into(),
            };
            let parsed = parse(seq, &raw)?;
            let follows =
                |commit: &Commit| commit.seq == seq && commit.parent == self.history.head_digest();
            // A damaged copy here is no statement about the log: read it there.
            if !parsed.as_ref().is_ok_and(follows) && !self.was_void(seq, raw.digest).await {
                return Ok(());
            }
            self.grown += raw.len;
            self.apply(seq, raw.digest, parsed);
        }
    }

    /// Whether these are the bytes of an entry that was void when it was read.
    async fn was_void(&self, seq: u64, digest: Digest) -> bool {
        let data = self.data.clone();
        let note = self.outside.offload(move || void_note(data.as_ref(), seq)).await;
        note.is_some_and(|(noted, _)| noted == digest.to_string())
    }

    /// One entry that has been read before, from here or from the backend.
    pub async fn entry(&self, seq: u64) -> Result<LogEntry, EngineError> {
        let raw = match self.bytes_here(seq).await {
            Ok(Some(raw)) => raw,
            Ok(None) | Err(_) => read_entry(self.backend.as_ref(), seq)
                .await?
                .ok_or_else(|| super::fork(&format!("entry {seq} is gone")))?,
        };
        self.entry_of(seq, &raw)
    }

    /// The same without asking the backend; `None` when it is not kept here.
    pub(crate) async fn entry_here(&self, seq: u64) -> Result<Option<LogEntry>, EngineError> {
        let raw = self.bytes_here(seq).await?;
        raw.map(|raw| self.entry_of(seq, &raw)).transpose()
    }

    async fn bytes_here(&self, seq: u64) -> io::Result<Option<RawEntry>> {
        let data = self.data.clone();
        let kept = self.outside.offload(move || data.read(&entry_name(seq))).await?;
        let Some(bytes) = kept else { return Ok(None) };
        // A damaged copy here is no statement about the log.
        let is_whole = self.void_reason(seq).is_some() || Commit::parse(&bytes).is_ok();
        Ok(is_whole.then(|| RawEntry {
            digest: Digest::of(&bytes),
            len: bytes.len() as u64,
            bytes: bytes.into(),
        }))
    }

    fn entry_of(&self, seq: u64, raw: &RawEntry) -> Result<LogEntry, EngineError> {
        let commit = parse(seq, raw)?.ok().map(std::sync::Arc::new);
        let void = self.void_reason(seq).map(str::to_owned);
        let unreadable = || "it cannot be read as a commit".to_owned();
        let void = void.or_else(|| commit.is_none().then(unreadable));
        Ok(LogEntry { seq, digest: raw.digest, commit, void })
    }

    /// Keeps the history at the head here, and lets go of what is older than
    /// recovery needs.
    pub(super) async fn keep_history(&self, json: Vec<u8>) {
        let (data, seq) = (self.data.clone(), self.head());
        let name = local_name(seq, &Digest::of(&json));
        self.outside
            .offload(move || {
                let kept = compress(&json)
                    .and_then(|bytes| data.write(&name, &mut bytes.as_slice(), false));
                match kept {
                    Ok(()) => tidy(data.as_ref(), seq),
                    Err(error) => tracing::warn!(%error, "a checkpoint could not be kept here"),
                }
            })
            .await;
    }
}

/// Whose entries a data folder keeps; `None` when it has read none.
pub fn local_project(data: &dyn Disk) -> std::io::Result<Option<Digest>> {
    let first = data.read(&entry_name(1))?.map(|bytes| Digest::of(&bytes));
    // Old entries go once a checkpoint holds what they came to.
    Ok(first.or_else(|| newest_history(data)?.0.project()))
}

/// The digest in its name tells a whole file from a damaged one.
fn local_name(seq: u64, digest: &Digest) -> String {
    format!("{CHECKPOINTS}/{seq:010}-{digest}.json.gz")
}

fn void_name(seq: u64) -> String {
    format!("{VOIDS}/{seq:010}")
}

fn void_note(data: &dyn Disk, seq: u64) -> Option<(String, String)> {
    let note = String::from_utf8(data.read(&void_name(seq)).ok()??).ok()?;
    note.split_once('\n').map(|(digest, reason)| (digest.to_owned(), reason.to_owned()))
}

/// Why entries up to `head` are void, by number.
fn voids_until(data: &dyn Disk, head: u64) -> SharedMap<u64, String> {
    let files = data.list(VOIDS).unwrap_or_default();
    let seqs = files.iter().filter_map(|file| file.name.parse().ok());
    let reason = |seq| Some((seq, void_note(data, seq)?.1));
    seqs.filter(|seq| *seq <= head).filter_map(reason).collect()
}

fn newest_history(data: &dyn Disk) -> Option<(History, CheckpointRef)> {
    let files = data.list(CHECKPOINTS).ok()?;
    files.iter().rev().find_map(|file| {
        let bytes = data.read(&format!("{CHECKPOINTS}/{}", file.name)).ok()??;
        let json = inflate(&bytes, u64::MAX)?;
        let seq: u64 = file.name.get(..10)?.parse().ok()?;
        let made = CheckpointRef { seq, sha256: Digest::of(&json) };
        let named = local_name(seq, &made.sha256).ends_with(&file.name);
        let history = checkpoint::from_bytes(&json).ok()?;
        (named && history.head() == seq).then_some((history, made))
    })
}

/// Removes checkpoints but the last two, and entries that nothing needs.
fn tidy(data: &dyn Disk, head: u64) {
    let Ok(files) = data.list(CHECKPOINTS) else { return };
    let Some(old) = files.len().checked_sub(2) else { return };
    for file in &files[..old] {
        let _ = data.remove(&format!("{CHECKPOINTS}/{}", file.name));
    }
    let since = files[old].name.get(..10).and_then(|seq| seq.parse().ok()).unwrap_or(0);
    let keep_from = head.saturating_sub(KEPT_ENTRIES).min(since);
    let shard_of = |seq: u64| entry_name(seq).rsplit_once('/').map(|(folder, _)| folder.to_owned());
    // Only whole thousands are looked through, so that this stays cheap.
    let Some(last) = keep_from.checked_sub(1_000) else { return };
    let Some(folder) = shard_of(last) else { return };
    for file in data.list(&folder).unwrap_or_default() {
        let _ = data.remove(&format!("{folder}/{}", file.name));
    }
}

pub(super) fn compress(json: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(json)?;
    encoder.finish()
}

/// `None` when it is damaged or longer than `limit`.
pub(super) fn inflate(bytes: &[u8], limit: u64) -> Option<Vec<u8>> {
    let mut json = Vec::new();
    GzDecoder::new(bytes).take(limit).read_to_end(&mut json).ok()?;
    (json.len() as u64 != limit).then_some(json)
}
