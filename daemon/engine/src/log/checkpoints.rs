//! Writing checkpoints and starting from one (L8).

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use mirror_core::checkpoint::{self, INTERVAL};
use mirror_core::commit::{CheckpointRef, checkpoint_name};
use mirror_core::history::Applied;
use mirror_core::{Digest, History};
use mirror_storage::{Backend, ByteRange, Expect};

use super::local::{compress, inflate};
use super::{Log, own_path};
use crate::error::EngineError;

/// A checkpoint may not inflate beyond this.
const MAX_CHECKPOINT_BYTES: u64 = 1 << 30;

/// How many times its own size a checkpoint may grow to, beyond what is no harm.
const MOST_INFLATED: u64 = 64;
const SLACK_BYTES: u64 = 64 << 20;

/// About what one file takes in a checkpoint.
const BYTES_PER_FILE: u64 = 512;

/// A log of this size needs no checkpoint, however few files there are.
const FEW_BYTES: u64 = 4 << 20;

/// How many checkpoints a clone tries, newest first, before it reads the log
/// from entry 1.
const TRIED: usize = 4;

impl Log {
    /// Whether the head is a place for a checkpoint: after so many entries, or
    /// when reading them takes more than reading the manifest would.
    pub fn is_checkpoint_due(&self) -> bool {
        let files = self.history.manifest().len() as u64;
        let outgrown = self.grown > (files * BYTES_PER_FILE).max(FEW_BYTES);
        self.head() > 0 && (self.head().is_multiple_of(INTERVAL) || outgrown)
    }

    /// Makes the checkpoint of the head: kept here by every machine, written
    /// to the backend by the one that made the commit (`ours`). Gives what a
    /// later commit may vouch for. Nothing depends on it being written.
    pub async fn make_checkpoint(&mut self, ours: bool) -> Option<CheckpointRef> {
        let history = self.history.clone();
        let json = self.outside.offload(move || checkpoint::to_bytes(&history)).await;
        let made = CheckpointRef { seq: self.head(), sha256: Digest::of(&json) };
        if ours {
            self.store_checkpoint(&json).await;
        }
        self.keep_history(json).await;
        self.grown = 0;
        Some(made)
    }

    async fn store_checkpoint(&self, json: &[u8]) {
        let Ok(bytes) = compress(json) else { return };
        let path = own_path(&checkpoint_name(self.head()));
        let body = Bytes::from(bytes).into();
        if let Err(error) = self.backend.write(&path, body, Expect::Absent).await {
            tracing::warn!(%error, "a checkpoint could not be written");
        }
    }

    /// Starts from the newest checkpoint that a later commit vouches for;
    /// leaves the history empty when there is none.
    pub(super) async fn start_from_checkpoint(&mut self) -> Result<(), EngineError> {
        let folder = own_path("checkpoints");
        let files: Vec<_> = self.backend.list(&folder).try_collect().await?;
        let mut seqs: Vec<u64> =
            files.iter().filter_map(|file| file.path.name().get(..10)?.parse().ok()).collect();
        seqs.sort_unstable_by(|left, right| right.cmp(left));
        for seq in seqs.into_iter().take(TRIED) {
            let Some(json) = read_checkpoint(self.backend.as_ref(), seq).await? else { continue };
            if let Some(history) = self.vouched(seq, &json).await? {
                self.history = history;
                self.keep_history(json).await;
                self.grown = 0;
                return Ok(());
            }
        }
        Ok(())
    }

    /// The history of a checkpoint, if entry `seq` is the one it names and a
    /// later entry, chained to that one, names its digest.
    async fn vouched(&self, seq: u64, json: &[u8]) -> Result<Option<History>, EngineError> {
        let Ok(history) = checkpoint::from_bytes(json) else { return Ok(None) };
        if history.head() != seq || history.project().is_none() {
            return Ok(None);
        }
        let backend = self.backend.as_ref();
        let same = |raw: &super::entry::RawEntry| Some(raw.digest) == history.head_digest();
        if !super::read_entry(backend, seq).await?.as_ref().is_some_and(same) {
            return Ok(None);
        }
        // The first entry names the project that the checkpoint claims to be of.
        let first = super::read_entry(backend, 1).await?.map(|raw| raw.digest);
        if first != history.project() {
            return Ok(None);
        }
        let wanted = CheckpointRef { seq, sha256: Digest::of(json) };
        let mut later = history.clone();
        while let Some(raw) = super::read_entry(backend, later.head() + 1).await? {
            let next = later.head() + 1;
            let parsed = super::entry::parse(next, &raw)?;
            let applied = later.apply(next, raw.digest, parsed.as_ref().map_err(Clone::clone));
            // Only an entry that counts can vouch.
            let vouches = parsed.is_ok_and(|commit| commit.checkpoint == Some(wanted));
            if vouches && applied == Applied::Counted {
                return Ok(Some(history));
            }
        }
        Ok(None)
    }
}

async fn read_checkpoint(backend: &dyn Backend, seq: u64) -> Result<Option<Vec<u8>>, EngineError> {
    let path = own_path(&checkpoint_name(seq));
    let Some(mut stream) = backend.read(&path, ByteRange::ALL).await? else { return Ok(None) };
    let mut bytes = Vec::new();
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece?);
        if bytes.len() as u64 > MAX_CHECKPOINT_BYTES {
            return Ok(None);
        }
    }
    Ok(inflated(&bytes))
}

/// `None` where a few bytes claim to be many: half of a history is digests, of which
/// nobody has vouched for any yet.
fn inflated(bytes: &[u8]) -> Option<Vec<u8>> {
    let most = (bytes.len() as u64).saturating_mul(MOST_INFLATED) + SLACK_BYTES;
    inflate(bytes, most.min(MAX_CHECKPOINT_BYTES))
}

#[cfg(test)]
mod tests {
    use super::super::local::compress;
    use super::*;

    #[test]
    fn checkpoint_that_grows_out_of_a_few_bytes_is_none() {
        let digests = (0..20_000_u32).map(|number| Digest::of(&number.to_be_bytes()).to_string());
        let honest = digests.collect::<Vec<_>>().join("\",\"sha256\":\"").into_bytes();
        assert_eq!(inflated(&compress(&honest).unwrap()), Some(honest));
        let bomb = compress(&vec![b' '; 256 << 20]).unwrap();
        assert!(bomb.len() < 1 << 20);
        assert_eq!(inflated(&bomb), None);
    }
}
