//! A look at the log for a question (L3, L4): is the head still the head, and what
//! comes after it. Keeps nothing and changes nothing.

use futures::FutureExt;
use futures::future::{join, join_all};
use mirror_storage::StorageError;

use super::Log;
use super::entry::{RawEntry, SmallEntry, read_small_entry};
use super::read::{MOST_AT_ONCE, SMALL_BYTES};
use crate::error::EngineError;

/// So much news is held at once; what comes after it is read as it is taken in.
const MOST_BYTES: u64 = 8 << 20;

/// Entries after the one that was the head.
#[derive(Clone, Debug, Default)]
pub(crate) struct News {
    entries: Vec<(u64, RawEntry)>,
    /// There is more, or something else to compare (L7).
    is_partial: bool,
}

impl Log {
    /// Says what comes after the head, once it is sure that the head still stands.
    pub(crate) async fn look(&self) -> Result<News, EngineError> {
        let mut news = News { entries: Vec::new(), is_partial: self.owed.is_some() };
        let (mut first, mut width, mut total) = (self.head() + 1, 1, 0);
        let (confirmed, mut read) =
            join(self.confirm_by_a_glance(), self.read_small(first, width)).await;
        confirmed?;
        loop {
            for (seq, entry) in (first..).zip(read) {
                match entry? {
                    SmallEntry::Absent => return Ok(news),
                    SmallEntry::Whole(raw) => {
                        total += raw.len;
                        news.entries.push((seq, raw));
                    }
                    SmallEntry::Larger => return Ok(News { is_partial: true, ..news }),
                }
            }
            if total > MOST_BYTES {
                return Ok(News { is_partial: true, ..news });
            }
            (first, width) = (first + width, (width * 2).min(MOST_AT_ONCE));
            read = self.read_small(first, width).await;
        }
    }

    async fn read_small(&self, first: u64, width: u64) -> Vec<Result<SmallEntry, StorageError>> {
        let backend = self.backend.as_ref();
        let read = |seq| read_small_entry(backend, seq, SMALL_BYTES).boxed();
        join_all((first..first + width).map(read).collect::<Vec<_>>()).await
    }

    /// Takes in what a look found, as far as it is not known by now, and reads on
    /// where the look did not come to the end. Gives the number of new entries.
    pub(crate) async fn take_news(&mut self, news: News) -> Result<u64, EngineError> {
        let before = self.head();
        for (seq, raw) in news.entries {
            if seq == self.head() + 1 {
                self.take(seq, raw).await?;
            }
        }
        if news.is_partial {
            self.catch_up().await?;
        } else {
            self.checked_at = Some(self.outside.clock.now());
        }
        Ok(self.head() - before)
    }

    /// One short read where all is well; what is not is looked at closely. Of a large
    /// entry it is seen that it is there: [`Log::confirm_head`] compares it.
    async fn confirm_by_a_glance(&self) -> Result<(), EngineError> {
        let (seq, digest) = (self.head(), self.history.head_digest());
        match read_small_entry(self.backend.as_ref(), seq, SMALL_BYTES).await? {
            SmallEntry::Larger => Ok(()),
            SmallEntry::Whole(found) if Some(found.digest) == digest => Ok(()),
            SmallEntry::Whole(_) | SmallEntry::Absent => self.confirm(seq, digest).await,
        }
    }
}
