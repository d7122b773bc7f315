//! Contents of versions that this machine or the log knows.
//!
//! What a pack lacks is looked up again at a fresh head before it counts as
//! missing (P4, S4). Reading for a plan never moves the head that was planned on:
//! it says [`EngineError::Stale`], and the plan is made anew.

use std::io::Read;

use bytes::Bytes;
use mirror_core::history::Place;
use mirror_core::{Digest, Entry, RelPath, merge};

use super::Worker;
use crate::api::EngineResult;
use crate::error::EngineError;
use crate::outside::tree::digest_of;
use crate::packs::{Content, Wanted, spot_of};
use crate::state::Spot;

impl Worker {
    pub(crate) fn wanted_at_head(&self, path: &RelPath) -> Option<Wanted> {
        let Entry { sha256, size, chunks, .. } =
            self.log.history().manifest().get(path)?.entry.clone();
        Some(Wanted { path: path.clone(), digest: sha256, size, chunks })
    }

    /// A content for something that was planned on the head of now.
    pub(crate) async fn fetch(&self, wanted: &Wanted) -> EngineResult<Content> {
        match self.fetcher.fetch(wanted, self.log.history()).await {
            Err(EngineError::ContentMissing { .. } | EngineError::ContentCorrupt { .. }) => {
                match self.log.is_behind().await? {
                    true => Err(EngineError::Stale),
                    false => self.fetcher.fetch(wanted, self.log.history()).await,
                }
            }
            fetched => fetched,
        }
    }

    /// The same where nothing was planned on the head: reads the log on to its
    /// end where that helps.
    pub(crate) async fn fetch_at_newest_head(&mut self, wanted: &Wanted) -> EngineResult<Content> {
        match self.fetch(wanted).await {
            Err(EngineError::Stale) => {
                self.catch_up().await?;
                self.fetcher.fetch(wanted, self.log.history()).await
            }
            fetched => fetched,
        }
    }

    /// Contents that were found damaged where the log gives them last, and where
    /// that is (P8). What was given again since, or is no longer known, is forgotten.
    pub(crate) fn damaged_here(&self) -> Vec<(Digest, Place)> {
        let history = self.log.history();
        self.fetcher.damaged.retain(|content, spot| match spot {
            Spot::Pack { .. } => history.places(content).any(|place| spot_of(place) == spot),
            Spot::Chunks(_) => true,
        });
        let all = self.fetcher.damaged.all().into_iter();
        all.filter_map(|((content, spot), _)| {
            let place = history.place(content).filter(|place| spot_of(place) == spot)?;
            Some((content, *place))
        })
        .collect()
    }

    /// A version of a path that the log knows, if its content is to be had.
    pub(crate) fn wanted_version(&self, path: &RelPath, digest: Digest) -> Option<Wanted> {
        let history = self.log.history();
        let current = history.manifest().get(path).map(|placed| &placed.entry);
        let past = history.past_of(path).map(|version| &version.entry);
        let mut versions = current.into_iter().chain(past);
        let (size, chunks) = match versions.find(|entry| entry.sha256 == digest) {
            Some(entry) => (entry.size, entry.chunks.clone()),
            None => (history.place(digest)?.size, None),
        };
        let readable = chunks.is_some() || history.place(digest).is_some();
        readable.then(|| Wanted { path: path.clone(), digest, size, chunks })
    }

    pub(crate) async fn fetch_bytes(&self, wanted: &Wanted) -> EngineResult<Bytes> {
        let content = self.fetch(wanted).await?;
        let read = move || {
            let mut bytes = Vec::new();
            content.open()?.read_to_end(&mut bytes).map(|_| Bytes::from(bytes))
        };
        Ok(self.parts.outside.offload(read).await?)
    }

    /// A content of the log, if it is short enough to be merged.
    pub(crate) async fn text_of(
        &self,
        path: &RelPath,
        digest: Digest,
    ) -> EngineResult<Option<Bytes>> {
        let Some(place) = self.log.history().place(digest) else { return Ok(None) };
        if place.size > merge::MAX_TEXT_BYTES as u64 {
            return Ok(None);
        }
        let wanted = Wanted { path: path.clone(), digest, size: place.size, chunks: None };
        match self.fetch_bytes(&wanted).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.ends_the_job() => Err(error),
            Err(error) => {
                tracing::warn!(%path, %error, "a version could not be read for a merge");
                Ok(None)
            }
        }
    }

    /// The content of a local file, if it has the digest that is asked for.
    pub(crate) async fn local_content(&self, path: &RelPath, entry: &Entry) -> Option<Content> {
        let indexed = self.index.get(path).map(|indexed| indexed.state.digest);
        if indexed != Some(entry.sha256) {
            return None;
        }
        let (tree, disk) = (self.parts.tree.clone(), self.parts.cache.clone());
        let (path, digest, size) = (path.clone(), entry.sha256, entry.size);
        self.parts
            .outside
            .offload(move || {
                let (_, mut reader) = tree.open(&path).ok()??;
                if size <= crate::packs::SMALL_BYTES {
                    let mut bytes = Vec::new();
                    reader.take(size + 1).read_to_end(&mut bytes).ok()?;
                    return (Digest::of(&bytes) == digest).then(|| Content::Bytes(bytes.into()));
                }
                let mut scratch = disk.scratch().ok()?;
                std::io::copy(&mut reader, &mut scratch).ok()?;
                let (found, _) = digest_of(&mut scratch.reopen().ok()?).ok()?;
                (found == digest).then_some(Content::Scratch(scratch))
            })
            .await
    }
}
