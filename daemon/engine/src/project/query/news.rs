//! What others did, by what is kept here: nobody is asked for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use mirror_core::RelPath;
use mirror_core::commit::{Action, Commit};
use mirror_core::history;
use mirror_core::readers::{Read, Spans};

use super::log::summary_of;
use crate::api::{CommitSummary, EngineResult};
use crate::project::worker::Worker;

/// A reader that comes new is told of so many commits and notices that were before.
const FIRST: usize = 20;

/// So far back they are looked for.
const LOOK_BACK: u64 = 500;

impl Worker {
    /// The commit as readers hear of it; `None` for what this machine did itself, and
    /// for what can't be known here any more.
    pub(crate) async fn news_at(&self, seq: u64) -> EngineResult<Option<CommitSummary>> {
        if let Some(entry) = self.log.entry_here(seq).await? {
            let is_news = entry.commit.as_deref().is_some_and(|commit| self.is_of_others(commit));
            return Ok(is_news.then(|| summary_of(&entry)));
        }
        // A clone has no entries from before its checkpoint.
        let snapshot = self.log.history().snapshots().get(&seq);
        let others = snapshot.filter(|snapshot| snapshot.machine != self.spec.author.machine);
        Ok(others.map(|snapshot| summary_by(seq, snapshot)))
    }

    /// What somebody wrote into the plain files is this machine's commit, and yet
    /// nobody's here.
    fn is_of_others(&self, commit: &Commit) -> bool {
        commit.machine_id != self.spec.author.machine_id || commit.action == Action::External
    }

    /// Where a reader begins that comes new: all is dealt with but the newest of what
    /// came after `since`, and what has not come into this tree yet (S7).
    pub(crate) async fn first_read(
        &self,
        since: &Read,
        not_here: &BTreeMap<RelPath, u64>,
    ) -> EngineResult<Read> {
        let (head, mut news) = (self.log.head(), BTreeSet::new());
        let recent = since.commits.missing_until(head);
        let back = usize::try_from(LOOK_BACK).unwrap_or(usize::MAX);
        for seq in recent.numbers().rev().take(back) {
            if news.len() >= FIRST {
                break;
            }
            if self.news_at(seq).await?.is_some() {
                news.insert(seq);
            }
        }
        news.extend(not_here.values().copied());
        let newest = self.journal.newest().load(Ordering::Relaxed);
        let told = since.notices.missing_until(newest);
        let mut notices: Vec<u64> = told.numbers().rev().take(FIRST).collect();
        notices.reverse();
        Ok(Read { commits: Spans::all_but(head, news), notices: Spans::all_but(newest, notices) })
    }
}

/// What the history says of a commit whose entry is not kept here.
fn summary_by(seq: u64, snapshot: &history::Snapshot) -> CommitSummary {
    let history::Snapshot { id, time, user, machine, action, tag, message, .. } = snapshot.clone();
    CommitSummary {
        seq,
        id: Some(id),
        time: Some(time),
        user,
        machine,
        action: Some(action),
        tag,
        message,
        changes: Vec::new(),
        resolved: Vec::new(),
        void: None,
    }
}
