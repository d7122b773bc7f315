//! Contents that a commit names and the log has already.
//!
//! One that was found damaged where it lies is not known: the commit brings it
//! again, if its bytes are here (P8).

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::{Digest, RelPath};

use super::append::CommitProgress;
use super::draft::{ContentSource, Draft, Outgoing};
use crate::api::EngineResult;
use crate::packs::{Checked, Item, Rest};
use crate::project::worker::Worker;

/// What is to be packed again, and where its bytes are if not in the file that
/// the commit names.
#[derive(Default)]
pub(super) struct Again {
    pub(super) items: Vec<Item>,
    pub(super) sources: BTreeMap<Digest, ContentSource>,
}

/// The contents that a draft says something about.
pub(super) fn named_by(draft: &Draft) -> impl Iterator<Item = Item> {
    let sent = draft.outgoing.iter().filter_map(|Outgoing { send, size, .. }| {
        Some(Item { digest: send.to?.digest, size: *size, path: send.path.clone() })
    });
    let merged = draft.resolved.iter().flat_map(|resolved| {
        let inputs = resolved.inputs.iter().filter(|input| input.chunks.is_none());
        let path = &resolved.path;
        inputs.map(|one| Item { digest: one.sha256, size: one.size, path: path.clone() })
    });
    sent.chain(merged)
}

impl Worker {
    /// Reads back, once a commit, what the draft names and the log has.
    pub(super) async fn contents_again(
        &mut self,
        draft: &Draft,
        progress: &mut CommitProgress,
    ) -> EngineResult<Again> {
        let mut again = Again { items: draft.given.clone(), sources: BTreeMap::new() };
        let brought = progress.brought();
        let history = self.log.history();
        let is_new = |item: &Item| {
            history.place(item.digest).is_some()
                && !brought.contains(&item.digest)
                && !progress.checked.contains(&item.digest)
        };
        let named: Vec<Item> = named_by(draft).filter(is_new).collect();
        let Checked { damaged, .. } = self.fetcher.check(&named, history, Rest::Trusted).await?;
        progress.checked.extend(named.iter().map(|item| item.digest));
        progress.checked.retain(|digest| !damaged.contains(digest));
        let here = self.files_with(&damaged);
        for item in named.into_iter().filter(|item| damaged.contains(&item.digest)) {
            if draft.held.contains_key(&item.digest) || self.is_content_of(&item.path, item.digest)
            {
                again.items.push(item);
                continue;
            }
            match self.bytes_at_hand(item.digest, &here).await {
                Some(Source::File(path)) => again.items.push(Item { path, ..item }),
                Some(Source::Held(source)) => {
                    again.sources.insert(item.digest, source);
                    again.items.push(item);
                }
                None => tracing::warn!(path = %item.path, "it is damaged, and not to be had here"),
            }
        }
        Ok(again)
    }

    fn is_content_of(&self, path: &RelPath, content: Digest) -> bool {
        self.index.get(path).is_some_and(|indexed| indexed.state.digest == content)
    }

    /// For each of these contents the first file of the working tree that has it.
    pub(crate) fn files_with(&self, contents: &BTreeSet<Digest>) -> BTreeMap<Digest, RelPath> {
        let mut files = BTreeMap::new();
        if !contents.is_empty() {
            for (path, indexed) in self.index.entries().iter() {
                let content = indexed.state.digest;
                if contents.contains(&content) && !files.contains_key(&content) {
                    files.insert(content, path.clone());
                }
            }
        }
        files
    }

    /// Where this machine has a content outside of the backend: in a file of the
    /// working tree, or in the cache.
    pub(crate) async fn bytes_at_hand(
        &self,
        content: Digest,
        files: &BTreeMap<Digest, RelPath>,
    ) -> Option<Source> {
        if let Some(path) = files.get(&content) {
            return Some(Source::File(path.clone()));
        }
        let bytes = self.fetcher.cache.get(content).await?;
        Some(Source::Held(ContentSource::Bytes(bytes)))
    }
}

/// Where a content is to be had on this machine.
pub(crate) enum Source {
    File(RelPath),
    Held(ContentSource),
}
