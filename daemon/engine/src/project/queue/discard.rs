//! Gives queued pushes up because a person says so. Their versions go to the
//! stash first: whatever ends in between, each is in one place at least.

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::{RelPath, Ulid};

use super::send::StashCopy;
use crate::api::{DroppedPushes, EngineResult, QueueReport, WaitingPush};
use crate::data::queue::{QueuedPush, Records};
use crate::error::EngineError;
use crate::project::worker::Worker;

impl Worker {
    /// All that waits, as the data folder has it: a reader sees the same.
    pub(crate) async fn queue_report(&self) -> EngineResult<QueueReport> {
        let data = self.parts.data.clone();
        let records = self.parts.outside.offload(move || Records::read(data.as_ref())).await?;
        let work = match self.refuse_when_stopped() {
            Ok(()) => self.queue.work.iter().chain(&self.queued_view).cloned().collect(),
            // Nothing is tried.
            Err(_) => Vec::new(),
        };
        Ok(QueueReport { pushes: records.pushes.iter().map(QueuedPush::told).collect(), work })
    }

    /// Takes a push, or all of them, out of the queue; `typed` may be the
    /// beginning of an id. What stands in the working tree stays an edit.
    pub(crate) async fn drop_queued(&mut self, typed: Option<&str>) -> EngineResult<DroppedPushes> {
        let ids = match typed {
            Some(typed) => vec![self.queued_id(typed)?],
            None => self.queue.pushes().iter().map(|push| push.id).collect(),
        };
        // Who is stopped may never be answered again.
        let is_asked = self.refuse_when_stopped().is_ok();
        if is_asked {
            self.ask_for_sent(&ids).await?;
        }
        let (mut dropped, mut kept) = (DroppedPushes::default(), self.kept().await?);
        for id in ids {
            dropped.committed.extend(self.take_committed(id).await?);
            let Some(push) = self.queue.get(id).cloned() else { continue };
            for change in &push.changes {
                let Some(entry) = &change.to else { continue };
                match self.stash_copy(&mut kept, &change.path, entry).await? {
                    StashCopy::Stashed(stashed) | StashCopy::Known(stashed) => {
                        dropped.stashed.push(stashed);
                    }
                    StashCopy::Gone => dropped.gone.push(change.path.clone()),
                }
            }
            if !is_asked && self.may_have_arrived(&push) {
                dropped.unanswered.push(id);
            }
            // In the same batch that lets the push go: from here on nothing sends it.
            if self.is_open(&push) {
                self.state.give_up_attempt();
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

    /// A push that was sent and never answered may stand in the log (L5). It is not
    /// sent again to find that out: what is dropped is never committed by that.
    async fn ask_for_sent(&mut self, ids: &[Ulid]) -> EngineResult<()> {
        let mut pushes = ids.iter().filter_map(|id| self.queue.get(*id));
        if !pushes.any(|push| self.may_have_arrived(push)) {
            return Ok(());
        }
        let asked = match self.state.attempt() {
            Some(_) => self.ask_for_attempt().await,
            None => self.catch_up().await.map(drop),
        };
        asked.map_err(|cause| match cause {
            EngineError::Storage(_) => EngineError::SentUnanswered,
            cause => cause,
        })
    }

    /// Whether it was sent, and nobody knows yet what came of it.
    fn may_have_arrived(&self, push: &QueuedPush) -> bool {
        let head = self.log.head();
        self.is_open(push) || push.attempt.as_ref().is_some_and(|tried| tried.seq > head)
    }

    /// Whether the open attempt brings any of a push.
    fn is_open(&self, push: &QueuedPush) -> bool {
        self.state.attempt().is_some_and(|open| {
            push.id == open.id || push.attempt.as_ref().is_some_and(|tried| tried.id == open.id)
        })
    }

    /// Takes out of a push what the log has of it, and names the commit.
    async fn take_committed(&mut self, id: Ulid) -> EngineResult<Option<(WaitingPush, u64)>> {
        let Some(mut push) = self.queue.get(id).cloned() else { return Ok(None) };
        let Some(seq) = self.drop_known_changes(id).await? else { return Ok(None) };
        let left = self.queue.get(id).map_or(&[][..], |left| &left.changes);
        let left: BTreeSet<&RelPath> = left.iter().map(|change| &change.path).collect();
        push.changes.retain(|one| !left.contains(&one.path));
        Ok((!push.changes.is_empty()).then(|| (push.told(), seq)))
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
