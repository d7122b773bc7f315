//! What is known of this daemon from its start on.

use std::path::PathBuf;

use mirror_core::Timestamp;
use tokio::sync::watch;

/// As `mirrord --version` says it.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) started_at: Timestamp,
    /// Where it listens now: a socket that is taken away is made again.
    pub(crate) socket: watch::Receiver<PathBuf>,
    /// The rights that files of a project don't get.
    pub(crate) umask: u32,
    /// A client started this daemon because none was running.
    pub(crate) on_demand: bool,
}

#[cfg(test)]
impl Facts {
    /// Those of a daemon that listens nowhere.
    pub(crate) fn played(started_at: Timestamp, on_demand: bool) -> Self {
        let (_, socket) = watch::channel(PathBuf::new());
        Self { started_at, socket, umask: 0o022, on_demand }
    }
}
