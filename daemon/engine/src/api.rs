//! What a daemon asks of a project and what it hears back, in plain values.
//!
//! No protobuf, no wording for people beyond one sentence an error, no colours.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mirror_core::commit::Action;
use mirror_core::patterns::Patterns;
use mirror_core::reconcile::FileState;
use mirror_core::{Digest, RelPath, Timestamp, Ulid};
use mirror_storage::{Backend, FaultClass};
use serde::{Deserialize, Serialize};

use crate::error::EngineError;
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

/// What every machine of a project shares; stands in commit 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedSettings {
    pub name: String,
    pub patterns: Patterns,
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
        settings: SharedSettings,
    },
}

/// Which files a job is about: names, folders or globs relative to the
/// project; empty means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    pub names: Vec<String>,
}

/// One trip through the cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    Push {
        scope: Scope,
        message: Option<String>,
        force_local: bool,
        no_wait: bool,
    },
    Pull {
        scope: Scope,
    },
    Sync {
        scope: Scope,
        message: Option<String>,
        settle: Settle,
    },
    /// Removes files here and at the head in one commit; `keep_local` keeps
    /// them here and ignores them from then on.
    Delete {
        scope: Scope,
        keep_local: bool,
        message: Option<String>,
    },
    /// Changes what all machines share.
    ChangeSettings {
        settings: SharedSettings,
    },
    /// Settles one conflict. Refused when a side is no longer what was shown.
    Resolve {
        path: String,
        resolution: Resolution,
        /// As shown; `None`: both sides as they were recorded last.
        token: Option<String>,
        /// Leaves the commit to the next push.
        no_push: bool,
    },
    /// Writes the files of the head below a folder that is not the project.
    Export {
        scope: Scope,
        output: Arc<OutputTree>,
    },
    /// Writes the files of a commit (`None`: the head) over those here, or
    /// below a folder that is not the project.
    Restore {
        scope: Scope,
        from: Option<u64>,
        output: Option<Arc<OutputTree>>,
    },
    /// Writes a version of the stash back to its path.
    RestoreStash {
        id: Ulid,
    },
}

/// Where [`Job::Export`] and [`Job::Restore`] write.
pub struct OutputTree(pub Arc<dyn Tree>);

impl std::fmt::Debug for OutputTree {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("OutputTree")
    }
}

impl PartialEq for OutputTree {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for OutputTree {}

/// A job with what holds for any job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRequest {
    pub job: Job,
    pub dry_run: bool,
    /// A person agreed to the deletions this job brings.
    pub consent: bool,
}

/// What becomes of files that changed on both sides and don't merge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Settle {
    /// They wait for a person.
    #[default]
    Wait,
    KeepLocal,
    KeepRemote,
}

/// How a person or an agent settles one conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// These very bytes are the result.
    Merged(Bytes),
    Local,
    Remote,
}

/// What makes it a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    EditEdit,
    AddAdd,
    /// A file on one side, a link on the other.
    Type,
    NameClash,
    UnknownBase,
}

/// Who made a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedBy {
    pub user: String,
    pub machine: String,
    pub seq: u64,
    pub time: Timestamp,
}

/// A path that changed on both sides, doesn't merge by itself, and waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub path: RelPath,
    pub kind: ConflictKind,
    /// One side at least is no text.
    pub binary: bool,
    pub base: Option<Digest>,
    pub local: Option<Digest>,
    pub remote: Option<Digest>,
    pub remote_by: Option<ChangedBy>,
    pub since: Timestamp,
    /// Names both sides as they are now.
    pub token: String,
    /// The local side was written on the backend, not in the working tree.
    pub outside: bool,
}

/// A conflict with all that is needed to settle it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConflictDetail {
    pub conflict: Conflict,
    pub base: Option<Bytes>,
    pub local: Option<Bytes>,
    pub remote: Option<Bytes>,
    /// The merge, when both sides merge without overlap after all.
    pub merged: Option<Bytes>,
    /// The file with conflict markers in it; `None` when binary.
    pub marked: Option<Bytes>,
    /// Unified, from the head to this machine; empty when binary.
    pub unified: String,
}

/// One version that a path has had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileVersion {
    pub seq: u64,
    pub time: Timestamp,
    pub user: String,
    pub machine: String,
    /// `None` where the commit deleted the file.
    pub sha256: Option<Digest>,
    pub size: u64,
    /// The path that the file had then.
    pub path: RelPath,
}

/// A local version that lost its place and is kept for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stashed {
    pub id: Ulid,
    pub path: RelPath,
    pub sha256: Digest,
    pub size: u64,
    pub time: Timestamp,
    pub reason: String,
}

/// How far a job has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub step: &'static str,
    pub done_files: u64,
    pub total_files: u64,
    pub done_bytes: u64,
    pub total_bytes: u64,
}

/// What a caller hears while a job runs.
#[derive(Clone, Debug)]
pub enum JobEvent {
    Progress(Progress),
    /// The commit stands: it is safe and visible to other machines.
    Committed {
        seq: u64,
        id: Ulid,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileAction {
    Sent,
    Fetched,
    Merged,
    DeletedRemote,
    DeletedLocal,
    Adopted,
    Renamed,
    Restored,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    pub path: RelPath,
    pub action: FileAction,
    pub from: Option<RelPath>,
}

/// Why one file could not be dealt with, while the others were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFault {
    pub path: String,
    pub class: FaultClass,
    pub message: String,
    pub hint: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    EditBeatDeletion,
    ViewReverted,
    ViewUnsettled,
    AlteredContent,
    KeptUnknown,
    VoidEntry,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub kind: NoticeKind,
    pub path: Option<RelPath>,
    pub message: String,
    pub time: Timestamp,
}

/// How a job ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The last commit that this job made.
    pub commit: Option<(u64, Ulid)>,
    pub files: Vec<FileReport>,
    /// Paths that wait for a person.
    pub conflicts: Vec<RelPath>,
    pub failed: Vec<FileFault>,
    /// True when the push waits for its backend: its contents are spooled.
    pub queued: bool,
    /// True when the view still lags behind the commit.
    pub view_pending: bool,
    pub dry_run: bool,
    pub notices: Vec<Notice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    NotUtf8,
    NameNotAllowed,
    Unreadable,
    SymlinkOutside,
    NameClash,
    SpecialFile,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    pub path: String,
    pub reason: SkipReason,
}

impl PartialOrd for SkipReason {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SkipReason {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (*self as u8).cmp(&(*other as u8))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStatus {
    pub path: RelPath,
    pub state: FileState,
    pub base: Option<Digest>,
    pub local: Option<Digest>,
    pub remote: Option<Digest>,
    pub size: u64,
}

/// What kind of work waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueuedKind {
    /// Contents that a push has spooled (B8).
    Push,
    View,
}

/// Work of an earlier job that is still to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedWork {
    pub kind: QueuedKind,
    pub since: Timestamp,
    pub attempts: u32,
    pub next_at: Timestamp,
    pub fault: FileFault,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReport {
    pub head: u64,
    /// The newest commit whose changes all stand in the working tree.
    pub read_up_to: u64,
    pub checked_at: Option<Timestamp>,
    pub offline: bool,
    pub phase: Phase,
    pub bytes_up: u64,
    pub bytes_down: u64,
    pub files: Vec<FileStatus>,
    pub queue: Vec<QueuedWork>,
    pub skipped: Vec<Skipped>,
}

/// What a project is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    Idle,
    /// The verb of the job that runs.
    Busy(&'static str),
    /// Fork, unknown format, another project: nothing is written until a
    /// person has looked.
    Stopped {
        reason: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDiff {
    pub path: RelPath,
    pub state: FileState,
    pub binary: bool,
    /// Unified, from the head to this machine.
    pub unified: String,
}

/// Which commits to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogQuery {
    pub limit: usize,
    /// Only commits before this one; `None` starts at the head.
    pub before: Option<u64>,
    pub path: Option<String>,
    pub user: Option<String>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Added,
    Modified,
    Deleted,
    Renamed,
    /// Only the executable bit or the kind.
    Mode,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSummary {
    pub path: String,
    pub kind: ChangeKind,
    pub from: Option<String>,
    pub sha256: Option<Digest>,
    pub size: Option<u64>,
}

/// One entry of the log for people. Texts are as their writers wrote them:
/// escape before showing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitSummary {
    pub seq: u64,
    /// `None` when the entry could not be read as a commit.
    pub id: Option<Ulid>,
    pub time: Option<Timestamp>,
    pub user: String,
    pub machine: String,
    pub action: Option<Action>,
    pub tag: Option<String>,
    pub message: Option<String>,
    pub changes: Vec<ChangeSummary>,
    /// Path and strategy of each conflict that the commit settled.
    pub resolved: Vec<(String, String)>,
    pub void: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPage {
    /// Newest first.
    pub commits: Vec<CommitSummary>,
    pub next_before: Option<u64>,
}

/// The result of a call on a project.
pub type EngineResult<T> = Result<T, EngineError>;
