//! What a project tells of by itself.

use mirror_core::RelPath;

use super::FileFault;

/// A hint that something happened: whoever wants to know more asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectEvent {
    /// Name of the backend that it is about.
    pub backend: String,
    pub happening: Happening,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// The log has a commit that this machine had not read, its own included.
    Commit { seq: u64 },
    /// The journal has a notice more.
    Notice { number: u64 },
    /// A path waits for a person that did not.
    Conflict { path: RelPath },
    /// The backend could not be used.
    Fault { fault: FileFault },
    /// Nothing more will be told.
    Closed,
}
