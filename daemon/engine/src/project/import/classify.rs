//! What an edit of the view means for the log, as it stands now.

use bytes::Bytes;
use mirror_core::merge::Merged;
use mirror_core::path::Names;
use mirror_core::{Entry, History, Kind, RelPath, merge};

use crate::api::{ConflictKind, EngineResult};
use crate::planted;
use crate::planted::Rule;
use crate::project::commit::draft::ContentSource;
use crate::project::worker::Worker;
use crate::state::SeenVersion;
use crate::view::{Found, Known, Meaning};

/// What a content of the view means for the log, as it stands now.
pub(crate) enum Fate {
    /// The log has it already.
    Known,
    /// It is the next version of its path.
    Taken,
    /// It and the head together are.
    Merged(Bytes),
    /// The head says all that it says; its bytes alone are news.
    Contained,
    /// It waits for a person.
    Waits(ConflictKind),
    /// It is none of the project's.
    Left,
}

/// Which paths may come into being, as the names stand (L6).
#[derive(Default)]
pub(crate) struct NewNames(Option<Names>);

impl NewNames {
    fn fits(&mut self, path: &RelPath, history: &History) -> bool {
        let names = self.0.get_or_insert_with(|| {
            let mut names = Names::new();
            for path in history.manifest().keys() {
                names.insert(path).expect("names of the head stand side by side");
            }
            names
        });
        names.insert(path).is_ok()
    }
}

impl Worker {
    pub(crate) async fn fate_of(
        &mut self,
        found: &Found,
        known: Known,
        content: &ContentSource,
        names: &mut NewNames,
    ) -> EngineResult<Fate> {
        let projection = self.projection(&found.path, known);
        let seen = self.state.seen(&found.path);
        let is_news = match Meaning::of(found.seen.digest, &projection, seen) {
            Meaning::Shown | Meaning::Stale => false,
            Meaning::Reverted => self.view.takes_reverts() && !found.is_aside(),
            Meaning::Unknown => true,
        };
        let placed = self.log.history().manifest().get(&found.path);
        let head = placed.map(|placed| placed.entry.clone());
        Ok(match (head, found.base) {
            _ if !is_news => Fate::Known,
            (None, _) if names.fits(&found.path, self.log.history()) => Fate::Taken,
            (None, _) => Fate::Waits(ConflictKind::NameClash),
            (Some(head), _) if head.kind == Kind::Link => Fate::Waits(ConflictKind::Type),
            (Some(_), _) if !planted::stands(Rule::V2) => Fate::Taken,
            (Some(head), Some(base)) if head.sha256 == base.digest => Fate::Taken,
            (Some(head), Some(base)) => self.merge_outside(found, base, &head, content).await?,
            (Some(_), None) => Fate::Waits(ConflictKind::UnknownBase),
        })
    }

    /// Merges an edit of the view with the head. A base that is gone makes a
    /// conflict, never a two-way merge (M3).
    async fn merge_outside(
        &mut self,
        found: &Found,
        base: SeenVersion,
        head: &Entry,
        content: &ContentSource,
    ) -> EngineResult<Fate> {
        let waits = Ok(Fate::Waits(ConflictKind::EditEdit));
        let Some(ours) = self.held_text(content).await else { return waits };
        let Some(base) = self.text_of(&found.path, base.digest).await? else { return waits };
        let Some(theirs) = self.text_of(&found.path, head.sha256).await? else { return waits };
        let Some(merger) = self.merger(&found.path) else { return waits };
        let theirs_too = theirs.clone();
        let merge = move || merge::merge(merger, Some(&base), [&ours, &theirs_too]);
        Ok(match self.parts.outside.offload(merge).await {
            Merged::Clean(bytes) if bytes == theirs => Fate::Contained,
            Merged::Clean(bytes) => Fate::Merged(bytes.into()),
            Merged::Overlapping | Merged::NotText | Merged::TooDifferent => {
                Fate::Waits(ConflictKind::EditEdit)
            }
        })
    }
}
