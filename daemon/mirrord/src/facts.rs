//! What is known of this daemon from its start on.

use mirror_core::Timestamp;

/// As `mirrord --version` says it.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) started_at: Timestamp,
    pub(crate) socket: String,
    /// A client started this daemon because none was running.
    pub(crate) on_demand: bool,
}
