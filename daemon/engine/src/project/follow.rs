//! What a project tells by itself, and what makes it look: rounds and hints. Commits are
//! told as they are read, oldest first.

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};

use super::Project;
use super::mailbox::Message;
use super::query::log::summary_of;
use super::worker::status::Status;
use crate::api::{CommitSummary, EngineResult, Happening, Occurrence, ProjectEvent, Witness};
use crate::error::EngineError;
use crate::outside::Dirt;

/// Commits that may wait for a slow reader.
const BACKLOG: usize = 64;

/// Says that something may be new, and never what: several are one.
#[derive(Debug)]
pub struct Hints {
    events: broadcast::Receiver<ProjectEvent>,
    status: watch::Receiver<Status>,
}

impl Hints {
    /// Waits for the next one; `false` once nothing more will be new.
    pub async fn next(&mut self) -> bool {
        let is_over = tokio::select! {
            event = self.events.recv() => matches!(
                event,
                Ok(ProjectEvent { happening: Happening::Closed, .. }) | Err(RecvError::Closed)
            ),
            changed = self.status.changed() => changed.is_err(),
        };
        !is_over && !self.status.borrow_and_update().is_closed
    }
}

impl Project {
    /// Hints of what happens in the project from now on.
    pub fn events(&self) -> broadcast::Receiver<ProjectEvent> {
        self.events.subscribe()
    }

    /// What a watcher has not been told, from what is known now; it is noted as told.
    /// Whoever is told nothing has been told all.
    pub async fn occurrences(&self, told: &mut Witness) -> EngineResult<Vec<Occurrence>> {
        let mut next = told.clone();
        let all = self.reader()?.occurrences(&mut next).await?;
        *told = next;
        Ok(all)
    }

    /// What says when to look for more of them, from now on.
    pub fn hints(&self) -> Hints {
        Hints { events: self.events(), status: self.status.clone() }
    }

    /// Commits as they are seen, oldest first, after `after` (`None`: the head).
    /// The events only say when to read on: nobody who is slow misses one.
    pub fn follow(&self, after: Option<u64>) -> EngineResult<mpsc::Receiver<CommitSummary>> {
        let (mut events, published) = (self.events(), self.published.clone());
        if self.status.borrow().is_closed {
            return Err(EngineError::Closed);
        }
        let head = published.get().ok_or(EngineError::Closed)?.log().head();
        let mut next = after.map_or(head, |after| after.min(head)) + 1;
        let (follower, commits) = mpsc::channel(BACKLOG);
        tokio::spawn(async move {
            loop {
                let Some(reading) = published.get() else { return };
                while next <= reading.log().head() {
                    let Ok(entry) = reading.log().entry(next).await.inspect_err(|error| {
                        // Better to end what they follow than to leave a gap in it.
                        tracing::warn!(seq = next, %error, "an entry could not be told");
                    }) else {
                        return;
                    };
                    if follower.send(summary_of(&entry)).await.is_err() {
                        return;
                    }
                    next += 1;
                }
                drop(reading);
                let hint = tokio::select! {
                    hint = events.recv() => hint,
                    () = follower.closed() => return,
                };
                match hint {
                    Ok(ProjectEvent { happening: Happening::Closed, .. })
                    | Err(RecvError::Closed) => return,
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                }
            }
        });
        Ok(commits)
    }

    /// Looks at the head, and writes what the view still lacks. For the
    /// daemon's own round; tells whether something new was read.
    pub async fn poll(&self) -> EngineResult<bool> {
        self.ask(|reply| Message::Poll { log_alone: false, reply }).await
    }

    /// Reads the log to its head, for whoever was told that it may have grown. What else
    /// a round does waits for the round.
    pub async fn read_on(&self) -> EngineResult<bool> {
        self.ask(|reply| Message::Poll { log_alone: true, reply }).await
    }

    /// Returns once the project has ended.
    pub async fn ended(&self) {
        let mut status = self.status.clone();
        // Without its worker, nobody changes it any more.
        drop(status.wait_for(|status| status.is_closed).await);
    }

    /// Whether file-system events arrive.
    pub fn is_watched(&self) -> bool {
        self.watch.is_live()
    }

    /// Tells `wake` of each change that events tell of from now on, at once. Only the
    /// first call of this counts.
    pub fn on_change(&self, wake: impl Fn(&Dirt) + Send + Sync + 'static) {
        self.watch.on_change(Box::new(wake));
    }
}
