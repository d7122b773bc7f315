//! What a session has not been told yet.

use std::sync::atomic::Ordering;

use mirror_core::history::Placed;
use mirror_core::readers::{Fact, Read, Session};
use mirror_core::{RelPath, Timestamp};

use crate::api::{CommitSummary, EngineResult, Notice, ToldCommit};
use crate::project::worker::Worker;
use crate::state::BaseRecord;

/// So many commits are told of one by one.
const MOST: usize = 30;

/// So many entries are looked at for them: a hook has no time for more.
const MOST_LOOKS: usize = 300;

/// So many notices are told; older ones are in the inbox.
const MOST_NOTICES: usize = 20;

#[derive(Default)]
pub(super) struct Pending {
    /// Newest first.
    pub(super) commits: Vec<CommitSummary>,
    /// Commits before those, ends included.
    pub(super) earlier: Option<(u64, u64)>,
    pub(super) notices: Vec<Notice>,
    pub(super) conflicts: Vec<(RelPath, Timestamp)>,
    /// All that is dealt with once this is told.
    pub(super) read: Read,
    /// Whether another machine has a part in it.
    pub(super) is_of_others: bool,
}

impl Pending {
    pub(super) async fn of(reader: &Worker, session: &Session) -> EngineResult<Self> {
        let told = session.told();
        let head = reader.log.head();
        let newest = reader.journal.newest().load(Ordering::Relaxed);
        let read = Read {
            commits: told.commits.missing_until(head),
            notices: told.notices.missing_until(newest),
        };
        let mut pending = Self { read, ..Self::default() };
        pending.add_commits(reader).await?;
        let notices = reader.journal.of(pending.read.notices.clone()).await?;
        let skipped = notices.len().saturating_sub(MOST_NOTICES);
        pending.notices = notices.into_iter().skip(skipped).map(|(_, notice)| notice).collect();
        pending.conflicts = reader
            .waiting()
            .filter(|(path, since)| {
                !session.has_said(&Fact::Conflict { path: path.clone(), since: *since })
            })
            .collect();
        pending.is_of_others |= !pending.notices.is_empty();
        Ok(pending)
    }

    async fn add_commits(&mut self, reader: &Worker) -> EngineResult<()> {
        let numbers = self.read.commits.clone();
        for (at, seq) in numbers.numbers().rev().enumerate() {
            if at >= MOST_LOOKS {
                let first = numbers.numbers().next().unwrap_or(seq);
                self.earlier = Some((first, self.earlier.map_or(seq, |(_, last)| last)));
                break;
            }
            let Some(commit) = reader.news_at(seq).await?.filter(changes_something) else {
                continue;
            };
            self.is_of_others |= commit.machine != reader.spec.author.machine;
            match self.commits.len() {
                MOST.. => self.earlier = Some((seq, self.earlier.map_or(seq, |(_, last)| last))),
                _ => self.commits.push(commit),
            }
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count() == 0
    }

    pub(super) fn count(&self) -> usize {
        let earlier = self.earlier.map_or(0, |(first, last)| last - first + 1);
        self.commits.len()
            + self.notices.len()
            + self.conflicts.len()
            + usize::try_from(earlier).unwrap_or(usize::MAX)
    }

    /// Grows with whatever comes new.
    pub(super) fn newest(&self) -> u64 {
        let last = |numbers: &mirror_core::readers::Spans| {
            numbers.ranges().next_back().map_or(0, |(_, last)| last)
        };
        last(&self.read.commits) + last(&self.read.notices) + self.conflicts.len() as u64
    }
}

/// Housekeeping, and what a void entry would have done, is nothing to a model.
fn changes_something(commit: &CommitSummary) -> bool {
    commit.void.is_none() && (!commit.changes.is_empty() || commit.id.is_some() && is_work(commit))
}

/// Of a commit whose files are not known here any more.
fn is_work(commit: &CommitSummary) -> bool {
    use mirror_core::commit::Action;
    matches!(
        commit.action,
        Some(
            Action::Push
                | Action::Sync
                | Action::Delete
                | Action::Restore
                | Action::Import
                | Action::External
        )
    )
}

impl Worker {
    /// What waits for a person, and since when.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (RelPath, Timestamp)> {
        let here = self.conflicts.values();
        let all = here.chain(self.outside_conflicts.values());
        all.map(|record| (record.path.clone(), record.since))
    }

    pub(super) fn told_commit(&self, commit: CommitSummary) -> ToldCommit {
        let is_missing =
            |path: &&String| RelPath::new(path).is_ok_and(|path| self.lacks(&path, commit.seq));
        let paths = commit.changes.iter().map(|change| &change.path);
        let not_here = paths.filter(is_missing).cloned().collect();
        ToldCommit { commit, not_here }
    }

    /// Whether the commit's version of a path, or a later one, has not come here.
    pub(super) fn lacks(&self, path: &RelPath, seq: u64) -> bool {
        let covers = self.coverage.as_ref().is_none_or(|coverage| coverage.covers(path));
        let placed = self.log.history().manifest().get(path);
        let has = match self.state.bases().get(path) {
            Some(BaseRecord::Known { seq: base, .. }) => *base >= seq,
            Some(BaseRecord::Unknown) => true,
            // Nothing here, and nothing there.
            None => placed.is_none(),
        };
        let is_by_now = placed.map(Placed::sighted).is_none_or(|sighted| sighted.seq >= seq);
        covers && is_by_now && !has
    }
}
