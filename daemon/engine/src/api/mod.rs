//! What a daemon asks of a project and what it hears back, in plain values.
//!
//! No protobuf, no wording for people beyond one sentence an error, no colours.

mod agents;
mod conflicts;
mod events;
mod held;
mod history;
mod inbox;
mod jobs;
mod kept;
mod reports;
mod status;
mod watching;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mirror_core::patterns::Patterns;
use mirror_core::{Digest, Timestamp, Ulid};
use mirror_storage::Backend;

pub use mirror_core::commit::Settings as SharedSettings;

pub use agents::{FileNews, Heard, Told, ToldCommit, ToldFile, Wake};
pub use conflicts::{ChangedBy, Conflict, ConflictDetail, ConflictKind, OtherSide, Stashed};
pub use events::{Happening, ProjectEvent};
pub use held::{HeldDetail, HeldFile};
pub use history::{
    ChangeKind, ChangeSummary, CommitSummary, FileVersion, LogPage, LogQuery, VersionName,
    VersionRole,
};
pub use inbox::Inbox;
pub use jobs::{
    Auto, Cancelled, Covered, CoveredFolder, Direction, HeldChoice, Job, JobEvent, JobProgress,
    JobRequest, OutputTree, Overdue, Progress, Resolution, Scope, Settle,
};
pub use kept::{DroppedPushes, Kept, QueueReport, WaitingPush};
pub use reports::{FileAction, FileFault, FileReport, Notice, NoticeKind, ProjectFault, Report};
pub use status::{
    DiffQuery, FileDiff, FileStatus, Known, Phase, QueuedKind, QueuedWork, SkipReason, Skipped,
    StatusReport, Tally,
};
pub use watching::{Occurrence, Witness};

pub use crate::error::Deletions;
use crate::error::EngineError;
pub use crate::outside::Cancel;
use crate::outside::{Disk, Outside, Tree, Watch};
use crate::store::Store;

/// Who writes commits on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    pub user: String,
    pub machine: String,
    pub machine_id: Ulid,
}

/// What a project is on this machine.
#[derive(Clone, Debug)]
pub struct ProjectSpec {
    pub name: String,
    /// For messages; the tree itself is handed in.
    pub root: PathBuf,
    /// The configured name of the backend whose log decides.
    pub backend_name: String,
    /// Narrows what this machine mirrors; `None` mirrors all the project has.
    pub narrowing: Option<Patterns>,
    /// Whether what others may make this machine run waits until it agrees (B16).
    pub hold: bool,
    pub author: Author,
    /// How often the head is looked at without being asked.
    pub poll_interval: Duration,
}

/// What a project runs on.
#[derive(Clone)]
pub struct Parts {
    pub backend: Arc<dyn Backend>,
    pub tree: Arc<dyn Tree>,
    pub watch: Arc<dyn Watch>,
    pub store: Arc<dyn Store>,
    /// Never a cache: recent log entries, conflicts, the stash.
    pub data: Arc<dyn Disk>,
    pub cache: Arc<dyn Disk>,
    pub outside: Outside,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Parts({})", self.backend.label())
    }
}

/// What a backend holds at a root, before any project of this machine uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holding {
    /// Nothing at all.
    Empty,
    /// Plain files, but no project.
    PlainFiles,
    Project {
        project_id: Digest,
        /// The id of its first commit, which whoever makes a project chooses.
        first: Ulid,
        settings: Box<SharedSettings>,
        /// Who made it, and when.
        made_by: Author,
        made_at: Timestamp,
    },
}

/// How far a project has come that stands on a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub head: u64,
    pub files: usize,
}

/// The result of a call on a project.
pub type EngineResult<T> = Result<T, EngineError>;
