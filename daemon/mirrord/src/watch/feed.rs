//! Looks at a backend as soon as it hints at a change, where it gives hints.
//!
//! The rounds go on beside it: a hint that never came costs one poll interval.

use std::sync::Arc;
use std::time::Duration;

use mirror_storage::{ChangeFeed, Changes, Hint, OUR_FOLDER, RemotePath};

use super::turn::spread;
use crate::projects::{Open, Registry};

/// Between two watches of one folder, should they end as soon as they begin.
const RESPITE: Duration = Duration::from_millis(200);

/// What comes within this time after a hint is looked at once: nobody who touches files
/// keeps the project busy, and an entry that somebody copies into the log is whole.
const TOGETHER: Duration = Duration::from_millis(100);

impl Registry {
    /// Has an open project read on at each hint of its backend, until it ends.
    pub(super) async fn heed(self: Arc<Self>, name: String, open: Open) {
        let adapter = open.account.adapter();
        let Some(feed) = adapter.change_feed() else { return };
        let mut stopping = self.stopping();
        tokio::select! {
            () = self.heed_all(&name, &open, feed) => {}
            () = open.project.ended() => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
        open.set_told(false);
    }

    /// Watches anew what could not be watched, and what is watched no more.
    async fn heed_all(&self, name: &str, open: &Open, feed: &dyn ChangeFeed) {
        let poll = open.config.poll(&self.settings());
        loop {
            match feed.watch(&log_folder()).await {
                Ok(Some(changes)) => {
                    tracing::debug!(project = name, "its backend hints at changes");
                    open.set_told(true);
                    self.heed_until_over(open, changes, poll).await;
                    open.set_told(false);
                    tokio::time::sleep(RESPITE).await;
                }
                Ok(None) | Err(_) => {
                    let bits = self.outside.entropy.bits();
                    tokio::time::sleep(spread(poll, bits)).await;
                }
            }
        }
    }

    async fn heed_until_over(&self, open: &Open, mut changes: Box<dyn Changes>, poll: Duration) {
        // What came before it was watched.
        read_on(open).await;
        loop {
            tokio::select! {
                hint = changes.next() => match hint {
                    Hint::Changed => {
                        tokio::time::sleep(TOGETHER).await;
                        read_on(open).await;
                    }
                    Hint::Over => return,
                },
                () = tokio::time::sleep(poll) => if !changes.holds().await {
                    return;
                },
            }
        }
    }
}

async fn read_on(open: &Open) {
    if let Err(error) = open.project.read_on().await {
        // The next round tries again, and says more.
        tracing::debug!(project = open.config.name, %error, "a hint was of no use");
    }
}

fn log_folder() -> RemotePath {
    RemotePath::new(format!("{OUR_FOLDER}/log")).expect("our own names are normal")
}
