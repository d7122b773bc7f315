//! Hints that something happened in a project, for everybody who listens.
//!
//! A hint says where to look again and is no record: who comes late or is slow
//! reads the log, the journal of notices or the status.

use std::sync::atomic::{AtomicU64, Ordering};

use mirror_core::RelPath;
use tokio::sync::broadcast;

use crate::api::{FileFault, Happening, ProjectEvent};

/// Hints that may wait for a slow listener; then it hears that it missed some.
const BACKLOG: usize = 256;

/// Where a project says what happened.
pub(crate) struct Events {
    sender: broadcast::Sender<ProjectEvent>,
    backend: String,
    /// The newest commit that was told of.
    told: AtomicU64,
}

impl Events {
    /// Tells of what comes after commit `head`.
    pub(crate) fn after(head: u64, backend: &str) -> Self {
        let (sender, _) = broadcast::channel(BACKLOG);
        Self { sender, backend: backend.to_owned(), told: AtomicU64::new(head) }
    }

    pub(crate) fn sender(&self) -> broadcast::Sender<ProjectEvent> {
        self.sender.clone()
    }

    /// Tells of every commit up to `head`, once each.
    pub(crate) fn commits_until(&self, head: u64) {
        let told = self.told.fetch_max(head, Ordering::Relaxed);
        for seq in told + 1..=head {
            self.tell(Happening::Commit { seq });
        }
    }

    pub(crate) fn notice(&self, number: u64) {
        self.tell(Happening::Notice { number });
    }

    pub(crate) fn conflict(&self, path: &RelPath) {
        self.tell(Happening::Conflict { path: path.clone() });
    }

    pub(crate) fn fault(&self, fault: FileFault) {
        self.tell(Happening::Fault { fault });
    }

    pub(crate) fn closed(&self) {
        self.tell(Happening::Closed);
    }

    /// The same said by somebody who outlives the project.
    pub(crate) fn farewell(&self) -> impl FnOnce() + use<> {
        let (sender, backend) = (self.sender.clone(), self.backend.clone());
        move || drop(sender.send(ProjectEvent { backend, happening: Happening::Closed }))
    }

    /// Nobody listens, most of the time.
    fn tell(&self, happening: Happening) {
        drop(self.sender.send(ProjectEvent { backend: self.backend.clone(), happening }));
    }
}
