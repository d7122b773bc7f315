//! One commit as a tree whose files can be read.

use std::collections::BTreeMap;

use mirror_core::history::PastVersion;
use mirror_core::{Entry, History, RelPath};

use super::find;
use crate::api::EngineResult;
use crate::packs::{Content, Fetcher, Wanted};

/// The files of one commit; clones share it.
#[derive(Clone, Debug)]
pub struct Snapshot {
    history: History,
    seq: u64,
    contents: Fetcher,
}

impl Snapshot {
    /// The commit of that number, `None` for the head.
    pub(crate) fn of(
        history: &History,
        seq: Option<u64>,
        contents: &Fetcher,
    ) -> EngineResult<Self> {
        let seq = find(history, seq)?;
        Ok(Self { history: history.clone(), seq, contents: contents.clone() })
    }

    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Its files, by path.
    pub fn files(&self) -> BTreeMap<&RelPath, &Entry> {
        self.history.manifest_at(self.seq)
    }

    pub fn file(&self, path: &RelPath) -> Option<&Entry> {
        let placed = self.history.manifest().get(path).filter(|placed| placed.seq <= self.seq);
        let past = || {
            let stood = |past: &&PastVersion| past.since <= self.seq && self.seq < past.until;
            self.history.past_of(path).find(stood)
        };
        placed.map(|placed| &placed.entry).or_else(|| past().map(|past| &past.entry))
    }

    /// The content of one file, whole and verified; `None` when it has no such file.
    pub async fn read(&self, path: &RelPath) -> EngineResult<Option<Content>> {
        let Some(entry) = self.file(path) else { return Ok(None) };
        self.contents.fetch(&Wanted::of(path, entry), &self.history).await.map(Some)
    }
}
