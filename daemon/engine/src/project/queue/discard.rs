//! Gives queued pushes up because a person says so. Their versions go to the
//! stash first: whatever ends in between, each is in one place at least.

use std::collections::BTreeMap;

use mirror_core::Ulid;

use super::send::StashCopy;
use crate::api::{DroppedPushes, EngineResult, QueueReport};
use crate::data::queue::{QueuedPush, Records};
use crate::error::EngineError;
use crate::project::worker::Worker;

impl Worker {
    /// All that waits, as the data folder has it: a reader sees the same.
    pub(crate) async fn queue_report(&self) -> EngineResult<QueueReport> {
        let data = self.parts.data.clone();
        let records = self.parts.outside.offload(move || Records::read(data.as_ref())).await?;
        let work = self.queue.work.iter().chain(&self.queued_view).cloned().collect();
        Ok(QueueReport { pushes: records.pushes.iter().map(QueuedPush::told).collect(), work })
    }

    /// Takes a push, or all of them, out of the queue; `typed` may be the
    /// beginning of an id. What stands in the working tree stays an edit.
    pub(crate) async fn drop_queued(&mut self, typed: Option<&str>) -> EngineResult<DroppedPushes> {
        let ids = match typed {
            Some(typed) => vec![self.queued_id(typed)?],
            None => self.queue.pushes().iter().map(|push| push.id).collect(),
        };
        self.refuse_open(&ids).await?;
        let mut dropped = DroppedPushes::default();
        for id in ids {
            // Settling what was sent may have found it in the log.
            let Some(push) = self.queue.get(id).cloned() else { continue };
            for change in &push.changes {
                let Some(entry) = &change.to else { continue };
                match self.stash_copy(&change.path, entry).await? {
                    StashCopy::Stashed(stashed) | StashCopy::Known(stashed) => {
                        dropped.stashed.push(stashed);
                    }
                    StashCopy::Gone => dropped.gone.push(change.path.clone()),
                }
            }
            let paths: BTreeMap<_, _> =
                push.changes.iter().map(|change| (change.path.clone(), None)).collect();
            self.take_from_queue(id, &paths).await?;
            dropped.pushes.push(push.told());
        }
        if self.queue.pushes().is_empty() {
            (self.queue.work, self.queue.is_away) = (None, false);
        }
        self.publish();
        Ok(dropped)
    }

    /// A push that was sent and never answered may stand in the log, and what is
    /// sent again at its place are the same bytes (L5): it is settled first.
    async fn refuse_open(&mut self, ids: &[Ulid]) -> EngineResult<()> {
        let Some(open) = self.state.attempt().map(|attempt| attempt.id) else { return Ok(()) };
        let is_open = |push: &QueuedPush| {
            push.id == open || push.attempt.as_ref().is_some_and(|tried| tried.id == open)
        };
        if !ids.iter().filter_map(|id| self.queue.get(*id)).any(is_open) {
            return Ok(());
        }
        self.recover_attempt(None).await.map_err(|cause| match cause {
            EngineError::Storage(_) => EngineError::SentUnanswered,
            cause => cause,
        })?;
        for id in ids {
            self.drop_known_changes(*id).await?;
        }
        Ok(())
    }

    fn queued_id(&self, typed: &str) -> EngineResult<Ulid> {
        let wanted = typed.to_ascii_uppercase();
        let begins = |id: &Ulid| !wanted.is_empty() && id.to_string().starts_with(&wanted);
        let ids: Vec<Ulid> =
            self.queue.pushes().iter().map(|push| push.id).filter(begins).collect();
        match ids[..] {
            [id] => Ok(id),
            [] => Err(EngineError::NotQueued(typed.to_owned())),
            _ => Err(EngineError::AmbiguousId {
                typed: typed.to_owned(),
                candidates: ids.iter().map(Ulid::to_string).collect(),
            }),
        }
    }
}
