//! Reads a file, several parts at once.
//!
//! One open file gives one version, whatever happens to its name meanwhile. A
//! part that comes short is asked for again from where it ended.

use std::collections::VecDeque;

use bytes::Bytes;
use futures::stream::{StreamExt, iter, try_unfold};
use tokio::sync::OwnedSemaphorePermit;

use super::paths::{Parents, Root};
use super::stat::{BODY, Entry, FileStat};
use super::wire::{Answer, Handle};
use crate::{ByteRange, ByteStream, RemotePath, StorageError};

/// How many parts of one file are on their way at once.
const PARTS: usize = 8;

pub(super) async fn open(
    root: &Root,
    path: &RemotePath,
    range: ByteRange,
) -> Result<Option<ByteStream>, StorageError> {
    let at = root.at(path);
    // A server that opens a pipe waits for its other end, and answers nobody
    // meanwhile. Whoever uses the server can put one anywhere.
    let (body, seen) = match root.entry_at(path).await? {
        (Parents::Folders, Entry::File(seen)) => (at, seen),
        (Parents::Folders, Entry::BodyInFolder(seen)) => (format!("{at}/{BODY}"), seen),
        _ => return Ok(None),
    };
    let file = Handle::open(&root.session, |session| session.open(&body)).await;
    match file {
        Ok(file) => Parts::start(root.clone(), path.clone(), file, (range, seen)).await.map(Some),
        Err(failure) if failure.is_missing() => Ok(None),
        Err(failure) => Err(root.error(path)(failure)),
    }
}

/// A part under way: where it begins, how long it should be, and what room it
/// takes beyond the one part that every reader may have.
struct Part {
    start: u64,
    len: u32,
    bytes: Answer<Option<Bytes>>,
    room: Option<OwnedSemaphorePermit>,
}

struct Parts {
    root: Root,
    path: RemotePath,
    file: Handle,
    under_way: VecDeque<Part>,
    /// What was not asked for yet.
    from: u64,
    to: u64,
}

impl Parts {
    /// Asks for the first parts, which for most files are all, together with
    /// the size of what was opened: it may be younger than what was looked at.
    async fn start(
        root: Root,
        path: RemotePath,
        file: Handle,
        (range, seen): (ByteRange, FileStat),
    ) -> Result<ByteStream, StorageError> {
        let asked = range.len.map_or(u64::MAX, |len| range.start.saturating_add(len));
        let described = root.session.describe(&file.id);
        let mut parts = Self {
            root,
            path,
            file,
            under_way: VecDeque::new(),
            from: range.start,
            to: asked.min(seen.size),
        };
        parts.ask();
        let opened = described.await.map_err(parts.root.error(&parts.path))?;
        let size = FileStat::of(&opened).size;
        if size != seen.size {
            parts.under_way.clear();
            (parts.from, parts.to) = (range.start, asked.min(size));
            parts.ask();
        }
        let first = parts.next().await?;
        if parts.is_done() {
            return Ok(iter(first.map(Ok)).boxed());
        }
        let further = try_unfold(parts, async |mut parts| {
            Ok(parts.next().await?.map(|bytes| (bytes, parts)))
        });
        Ok(iter(first.map(Ok)).chain(further).boxed())
    }

    fn is_done(&self) -> bool {
        self.under_way.is_empty() && self.from >= self.to
    }

    fn ask(&mut self) {
        while self.under_way.len() < PARTS && self.from < self.to {
            let len = (self.to - self.from).min(u64::from(self.root.session.read_len()));
            let len = u32::try_from(len).expect("as the server takes it");
            let room = self.root.session.room_now(len);
            if room.is_none() && !self.under_way.is_empty() {
                return;
            }
            self.under_way.push_back(self.part((self.from, len), room));
            self.from += u64::from(len);
        }
    }

    fn part(&self, (start, len): (u64, u32), room: Option<OwnedSemaphorePermit>) -> Part {
        let bytes = self.root.session.read(&self.file.id, (start, len));
        Part { start, len, bytes, room }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, StorageError> {
        self.ask();
        let Some(Part { start, len, bytes, room }) = self.under_way.pop_front() else {
            return Ok(None);
        };
        let bytes = bytes.await.map_err(self.root.error(&self.path))?.unwrap_or_default();
        let got = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        if got == 0 || got > len {
            // Cut short in place; a later try sees one state or the other.
            return Err(StorageError::Unreachable("the file was cut short while read".into()));
        }
        if got < len {
            let rest = self.part((start + u64::from(got), len - got), room);
            self.under_way.push_front(rest);
        }
        Ok(Some(bytes))
    }
}
