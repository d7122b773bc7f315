//! Reading new entries (L3, L4, L6).

use futures::FutureExt;
use mirror_core::Digest;
use mirror_core::commit::entry_name;
use mirror_storage::ByteRange;

use super::entry::{RawEntry, SmallEntry, parse, read_entry, read_small_entry};
use super::{Log, LogEntry, another_project, fork, nothing_there, own_path};
use crate::error::EngineError;
use crate::planted::{self, Rule};

/// How many entries are asked for at once when many are behind.
pub(super) const MOST_AT_ONCE: u64 = 32;

/// An entry that is larger is read by itself, so that memory stays bounded.
pub(super) const SMALL_BYTES: u64 = 256 << 10;

/// How often an entry that was there is looked for before it counts as gone.
const LOOKS_BEFORE_MISSING: usize = 3;

/// Every so many looks at an unchanged head its entry is compared again (L3).
const LOOKS_PER_COMPARISON: u32 = 20;

/// Where reading several entries ended.
enum Read {
    /// All that were asked for.
    All,
    /// Before one that is to be read by itself.
    UntilLarge,
    ToHead,
}

impl Log {
    /// Reads all entries after the head, in order, until one is absent (L4).
    ///
    /// One request when nothing is new; many at once when much is. Gives their
    /// number: nobody needs them all, and there may be many.
    pub async fn catch_up(&mut self) -> Result<u64, EngineError> {
        let (before, mut width) = (self.head(), 1);
        loop {
            width = match self.read_some(width).await? {
                Read::All => (width * 2).min(MOST_AT_ONCE),
                Read::UntilLarge => 1,
                Read::ToHead => break,
            };
        }
        self.at_head().await?;
        Ok(self.head() - before)
    }

    async fn read_some(&mut self, width: u64) -> Result<Read, EngineError> {
        let (backend, first) = (self.backend.clone(), self.head() + 1);
        if width == 1 {
            let Some(raw) = read_entry(backend.as_ref(), first).await? else {
                return Ok(Read::ToHead);
            };
            self.take(first, raw).await?;
            return Ok(Read::All);
        }
        let read = |seq| read_small_entry(backend.as_ref(), seq, SMALL_BYTES).boxed();
        let reads: Vec<_> = (first..first + width).map(read).collect();
        for (seq, entry) in (first..).zip(futures::future::join_all(reads).await) {
            match entry? {
                SmallEntry::Whole(raw) => drop(self.take(seq, raw).await?),
                SmallEntry::Larger => return Ok(Read::UntilLarge),
                SmallEntry::Absent => return Ok(Read::ToHead),
            }
        }
        Ok(Read::All)
    }

    /// Whether an entry stands after the newest that was read; it is not read.
    pub(crate) async fn is_behind(&self) -> Result<bool, EngineError> {
        let next = own_path(&entry_name(self.head() + 1));
        Ok(self.backend.read(&next, ByteRange { start: 0, len: Some(1) }).await?.is_some())
    }

    pub(super) async fn at_head(&mut self) -> Result<(), EngineError> {
        self.checked_at = Some(self.outside.clock.now());
        self.compare_owed().await?;
        self.pending += 1;
        if self.pending >= LOOKS_PER_COMPARISON {
            self.confirm_head().await?;
        }
        Ok(())
    }

    /// Reads the head's entry again and compares it with what was read (L3), and
    /// with what the log is held to (L7).
    pub async fn confirm_head(&mut self) -> Result<(), EngineError> {
        self.compare_owed().await?;
        self.confirm(self.head(), self.history.head_digest()).await?;
        self.pending = 0;
        Ok(())
    }

    /// What [`Log::confirm_head`] does, for use beside other calls.
    pub(crate) async fn confirm(
        &self,
        seq: u64,
        digest: Option<Digest>,
    ) -> Result<(), EngineError> {
        if seq == 0 || !planted::stands(Rule::L3) {
            return Ok(());
        }
        let backend = self.backend.as_ref();
        let mut found = None;
        // "Missing" is concluded only after looking again (S4).
        for _ in 0..LOOKS_BEFORE_MISSING {
            found = read_entry(backend, seq).await?.map(|raw| raw.digest);
            if found.is_some() {
                break;
            }
        }
        if found.is_some() && found == digest {
            return Ok(());
        }
        // A mismatch further on may only be the sign of another first entry, or
        // of none: then nothing of the project is there.
        match read_entry(backend, 1).await?.map(|raw| raw.digest) {
            None => return Err(nothing_there(backend.label())),
            first if first != self.history.project() => return Err(another_project()),
            Some(_) => {}
        }
        Err(fork(&match found {
            Some(_) => format!("entry {seq} is not the one that this machine has read"),
            None => format!("entry {seq}, which this machine has read, is gone"),
        }))
    }

    /// Compares what the log is held to with what stands there.
    pub(super) async fn compare_owed(&mut self) -> Result<(), EngineError> {
        let Some((seq, digest)) = self.owed else { return Ok(()) };
        let is_read = seq <= self.head();
        if !is_read || self.entry(seq).await?.digest != digest {
            self.confirm(seq, Some(digest)).await?;
        }
        self.owed = self.owed.filter(|_| !is_read);
        Ok(())
    }

    /// Takes in the next entry: keeps its bytes and applies it.
    pub(super) async fn take(&mut self, seq: u64, raw: RawEntry) -> Result<LogEntry, EngineError> {
        let parsed = parse(seq, &raw)?;
        if self.owed.is_some_and(|owed| owed.0 == seq && owed.1 != raw.digest) {
            // Before it counts as read: what is stored from now on would rely on it.
            self.compare_owed().await?;
        }
        if let Ok(commit) = &parsed
            && commit.seq == seq
            && commit.parent != self.history.head_digest()
        {
            // Another parent: if our head still stands there, this one is void.
            let head = self.head();
            self.confirm(head, self.history.head_digest()).await?;
        }
        self.grown += raw.len;
        let entry = self.apply(seq, raw.digest, parsed);
        self.keep_bytes(&entry, &raw).await;
        Ok(entry)
    }
}
