//! What waits for a person, and all that is needed to decide it.

use std::collections::BTreeMap;

use bytes::Bytes;
use mirror_core::merge::{Merged, Merger};
use mirror_core::plan::Root;
use mirror_core::reconcile::Facts;
use mirror_core::{Digest, RelPath, merge};

use super::look::Look;
use super::unified::{Named, unified};
use crate::api::{Conflict, ConflictDetail, ConflictKind, EngineResult, Known, ProjectFault};
use crate::data::conflicts::{Folder, Record};
use crate::outside::TreeError;
use crate::project::worker::Worker;

/// Lines around a difference.
const CONTEXT: usize = 3;

impl Worker {
    /// What waits for a person, by path, as it is now.
    pub(crate) async fn conflicts(&mut self, look: Look) -> EngineResult<Known<Vec<Conflict>>> {
        let (standing, fault) = self.look_at_conflicts(look).await?;
        let mut conflicts = Vec::new();
        for record in standing {
            conflicts.push(self.conflict_of(&record).await?);
        }
        for record in self.outside_standing() {
            conflicts.push(self.conflict_of(&record).await?);
        }
        conflicts.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Known { answer: conflicts, fault })
    }

    pub(crate) async fn conflict(
        &mut self,
        name: &str,
        look: Look,
    ) -> EngineResult<Known<ConflictDetail>> {
        let (standing, fault) = self.look_at_conflicts(look).await?;
        let record = standing.into_iter().find(|record| record.path.as_str() == name);
        let (folder, record) = match record {
            Some(record) => (Folder::of(&record.path, &self.parts.data), record),
            None => self.outside_named(name, fault.is_none()).await?,
        };
        let conflict = self.conflict_of(&record).await?;
        let how = self.merger(&record.path);
        let detail = move || detail_of(&folder, &record, how, conflict);
        let answer = self.parts.outside.offload(detail).await?;
        Ok(Known { answer, fault })
    }

    /// Looks at both sides, so that a token is of now. When the backend is away
    /// the head is what was read before, and nothing is fetched from there. Where the
    /// working tree can't be looked at, they are as they were recorded.
    async fn look_at_conflicts(
        &mut self,
        look: Look,
    ) -> EngineResult<(Vec<Record>, Option<ProjectFault>)> {
        let fault = self.learn(look).await;
        let root = match self.observe_disk().await {
            Ok((Root::Missing, _)) => Err(TreeError::RootMissing.into()),
            Ok((root, _)) => Ok(root),
            Err(error) => Err(error),
        };
        let root = match self.name_root(root) {
            Ok(root) => root,
            Err(error) => {
                let recorded = self.conflicts.values().cloned().collect();
                return Ok((recorded, Some(ProjectFault::of(&error))));
            }
        };
        let facts = self.all_facts();
        self.drop_settled(root, &facts).await;
        if fault.is_none() {
            self.follow_conflicts(&facts).await;
        }
        self.save(false).await?;
        Ok((self.all_standing(&facts), fault))
    }

    fn all_standing(&self, facts: &BTreeMap<RelPath, Facts>) -> Vec<Record> {
        let standing = |(path, clashes): (RelPath, bool)| {
            facts.get(&path).map(|facts| self.conflict_at(&path, facts, clashes))
        };
        self.recorded_paths().into_iter().filter_map(standing).collect()
    }
}

fn detail_of(
    folder: &Folder,
    record: &Record,
    how: Option<Merger>,
    conflict: Conflict,
) -> EngineResult<ConflictDetail> {
    let content = |digest: Option<Digest>| match digest {
        Some(digest) => folder.read(digest, merge::MAX_TEXT_BYTES),
        None => Ok(None),
    };
    let base = content(record.base_digest())?;
    let local = content(record.local_digest())?;
    let remote = content(record.remote_digest())?;
    let texts = local.as_deref().zip(remote.as_deref()).filter(|_| !record.binary);
    let names = ["here", conflict.other.name.as_str()];
    let marked =
        texts.and_then(|(local, remote)| merge::marked(base.as_deref(), [local, remote], names));
    let merged = base.as_deref().zip(texts).filter(|_| record.kind == ConflictKind::EditEdit);
    let merged = merged.zip(how).and_then(|((base, (local, remote)), how)| {
        match merge::merge(how, Some(base), [local, remote]) {
            Merged::Clean(merged) => Some(Bytes::from(merged)),
            Merged::Overlapping | Merged::NotText | Merged::TooDifferent => None,
        }
    });
    let unified = match record.binary {
        true => String::new(),
        false => {
            let name = conflict.place.as_deref().filter(|_| conflict.outside).unwrap_or("head");
            let note = conflict.other.name.as_str();
            let from = Named { name, note, text: text_of(remote.as_deref()) };
            let to = Named { name: "here", note: "", text: text_of(local.as_deref()) };
            unified(&record.path, from, to, CONTEXT)
        }
    };
    let marked = marked.map(Bytes::from);
    Ok(ConflictDetail { conflict, base, local, remote, merged, marked, unified })
}

fn text_of(content: Option<&[u8]>) -> Option<&str> {
    content.and_then(|bytes| std::str::from_utf8(bytes).ok())
}
