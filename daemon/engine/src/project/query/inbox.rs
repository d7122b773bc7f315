//! What others did since a reader last looked, and what waits for somebody.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use mirror_core::plan::Root;
use mirror_core::readers::Read;

use super::look::Look;
use crate::api::{CommitSummary, EngineResult, Inbox, Notice};
use crate::project::worker::Worker;

/// So many commits are listed at once, and so many notices.
const MOST: usize = 100;

/// So many commits are looked at for that and for the number of the rest; those beyond
/// them are counted unseen.
const MOST_LOOKS: usize = 2_000;

/// An answer, and where its reader begins if it was not known.
pub(crate) struct Unread {
    pub(crate) inbox: Inbox,
    pub(crate) begins: Option<Read>,
}

impl Worker {
    /// What `reader` has not dealt with, oldest first, and no more than fits.
    pub(crate) async fn inbox(
        &mut self,
        reader: String,
        read: Option<Read>,
        look: Look,
    ) -> EngineResult<Unread> {
        let fault = self.learn(look).await;
        let (root, _) = self.observe_disk().await?;
        let facts = if root == Root::Missing { BTreeMap::new() } else { self.all_facts() };
        self.drop_settled(root, &facts).await;
        let begins = match read {
            Some(_) => None,
            None => Some(self.first_read(&Read::default(), &self.not_here(&facts)).await?),
        };
        let read = read.or_else(|| begins.clone()).unwrap_or_default();
        let (events, commits) = self.unread_commits(&read).await?;
        let (notices, told) = self.unread_notices(&read).await?;
        let shown = Read { commits: commits.shown, notices: told.shown };
        let mut conflicts: Vec<_> = self.recorded_paths().into_keys().collect();
        conflicts.extend(self.outside_standing().into_iter().map(|record| record.path));
        conflicts.sort();
        conflicts.dedup();
        let unread = commits.left + told.left;
        self.save(false).await?;
        let inbox = Inbox { reader, events, conflicts, notices, unread, shown, fault };
        Ok(Unread { inbox, begins })
    }

    async fn unread_commits(&self, read: &Read) -> EngineResult<(Vec<CommitSummary>, Part)> {
        let (mut events, mut part) = (Vec::new(), Part::default());
        let missing = read.commits.missing_until(self.log.head());
        for (at, seq) in missing.numbers().enumerate() {
            if at >= MOST_LOOKS && events.len() >= MOST {
                part.left += 1;
                continue;
            }
            match self.news_at(seq).await? {
                Some(_) if events.len() >= MOST => part.left += 1,
                Some(commit) => {
                    events.push(commit);
                    part.shown.add(seq, seq);
                }
                None => part.shown.add(seq, seq),
            }
        }
        Ok((events, part))
    }

    async fn unread_notices(&self, read: &Read) -> EngineResult<(Vec<Notice>, Part)> {
        let newest = self.journal.newest().load(Ordering::Relaxed);
        let missing = read.notices.missing_until(newest);
        let kept = self.journal.of(missing.clone()).await?;
        let mut part = Part { left: kept.len().saturating_sub(MOST) as u64, ..Part::default() };
        // Those whose files are gone are never told again.
        let last = kept.get(MOST).map_or(newest, |(number, _)| number - 1);
        for (first, end) in missing.ranges() {
            part.shown.add(first, end.min(last));
        }
        Ok((kept.into_iter().take(MOST).map(|(_, notice)| notice).collect(), part))
    }
}

/// What was taken of the unread.
#[derive(Default)]
struct Part {
    shown: mirror_core::readers::Spans,
    /// So many had no room.
    left: u64,
}
