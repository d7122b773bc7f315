//! Tells those who follow the log of every entry that is read, once each.

use mirror_core::commit::{Change, Commit};
use tokio::sync::mpsc;

use super::Worker;
use crate::api::{ChangeKind, ChangeSummary, CommitSummary, EngineResult};
use crate::log::LogEntry;

/// Commits that may wait for a slow reader before it is let go.
const FOLLOWER_BACKLOG: usize = 1_024;

impl Worker {
    /// Sends every commit after `after` as it is seen.
    pub(crate) async fn follow(
        &mut self,
        after: Option<u64>,
    ) -> EngineResult<mpsc::Receiver<CommitSummary>> {
        let (follower, commits) = mpsc::channel(FOLLOWER_BACKLOG);
        let first = after.map_or(self.log.head(), |after| after.min(self.log.head())) + 1;
        for seq in first..=self.log.head() {
            let entry = self.log.entry(seq).await?;
            if follower.try_send(summary_of(&entry)).is_err() {
                break;
            }
        }
        self.followers.push(follower);
        Ok(commits)
    }

    /// Tells of every entry read since the last time, once each, however it
    /// was read. Followers that have gone, or can't keep up, are let go.
    pub(crate) async fn tell_followers(&mut self) {
        let news = self.told + 1..=self.log.head();
        self.told = self.log.head();
        for seq in news {
            if self.followers.is_empty() {
                return;
            }
            match self.log.entry(seq).await {
                Ok(entry) => {
                    let summary = summary_of(&entry);
                    self.followers.retain(|follower| follower.try_send(summary.clone()).is_ok());
                }
                // Better to end what they follow than to leave a gap in it.
                Err(error) => {
                    tracing::warn!(seq, %error, "an entry could not be told to followers");
                    self.followers.clear();
                }
            }
        }
    }
}

pub(crate) fn summary_of(entry: &LogEntry) -> CommitSummary {
    let LogEntry { seq, commit, void, .. } = entry;
    let void = void.clone();
    let Some(commit) = commit else {
        return CommitSummary {
            seq: *seq,
            id: None,
            time: None,
            user: String::new(),
            machine: String::new(),
            action: None,
            tag: None,
            message: None,
            changes: Vec::new(),
            resolved: Vec::new(),
            void,
        };
    };
    let Commit { id, time, user, machine, action, tag, message, .. } = commit.as_ref().clone();
    CommitSummary {
        seq: *seq,
        id: Some(id),
        time: Some(time),
        user,
        machine,
        action: Some(action),
        tag,
        message,
        changes: commit.changes.iter().map(summary_of_change).collect(),
        resolved: commit
            .resolved
            .iter()
            .map(|resolved| {
                (resolved.path.as_str().to_owned(), resolved.strategy.word().to_owned())
            })
            .collect(),
        void,
    }
}

fn summary_of_change(change: &Change) -> ChangeSummary {
    let kind = match (&change.from, &change.to, &change.renamed_from) {
        (_, None, _) => ChangeKind::Deleted,
        (_, Some(_), Some(_)) => ChangeKind::Renamed,
        (None, Some(_), None) => ChangeKind::Added,
        (Some(from), Some(to), None) if *from == to.sha256 => ChangeKind::Mode,
        (Some(_), Some(_), None) => ChangeKind::Modified,
    };
    ChangeSummary {
        path: change.path.as_str().to_owned(),
        kind,
        from: change.renamed_from.as_ref().map(|from| from.as_str().to_owned()),
        sha256: change.to.as_ref().map(|entry| entry.sha256),
        size: change.to.as_ref().map(|entry| entry.size),
    }
}
