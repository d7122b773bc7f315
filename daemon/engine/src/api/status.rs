//! How things stand: each file, what waits, and what is left out.

use mirror_core::reconcile::FileState;
use mirror_core::{Digest, RelPath, Timestamp};

use super::reports::{FileFault, ProjectFault};
use super::{JobProgress, Scope, VersionName};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    NotUtf8,
    NameNotAllowed,
    Unreadable,
    SymlinkOutside,
    NameClash,
    SpecialFile,
    /// The ignore file is nothing that rules can be read from.
    RulesUnusable,
    /// A folder of our own.
    Own,
    /// Another file system is mounted there than before, or none.
    NotMounted,
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
    /// The head's version waits until somebody here agrees to it (B16).
    pub held: bool,
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
    /// When this was last known to be the head, in this run or an earlier one.
    pub checked_at: Option<Timestamp>,
    pub offline: bool,
    /// What is wrong: why it is offline without being asked to, or why nothing is
    /// said of files.
    pub fault: Option<ProjectFault>,
    /// `false` while the working tree can't be looked at: `files` says nothing then.
    pub files_known: bool,
    pub phase: Phase,
    /// The job that runs meanwhile.
    pub job: Option<JobProgress>,
    pub bytes_up: u64,
    pub bytes_down: u64,
    pub files: Vec<FileStatus>,
    pub queue: Vec<QueuedWork>,
    pub skipped: Vec<Skipped>,
    /// Paths whose loss waits for a person, as a job without one left it (B12), sorted.
    pub waiting_deletions: Vec<RelPath>,
}

/// How many files differ between here and the newest commit that was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub local: u64,
    pub remote: u64,
    pub conflicts: u64,
    /// Those that nobody here has decided about (B16).
    pub held: u64,
    /// Deletions that a job without a person left undone are still some (B12).
    pub waits_for_consent: bool,
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
        hint: Option<String>,
    },
}

/// An answer, and why it may be an old one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known<T> {
    pub answer: T,
    /// Why it goes by what was read before, if it does.
    pub fault: Option<ProjectFault>,
}

/// What is compared with what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiffQuery {
    pub scope: Scope,
    /// Equal lines around each change.
    pub context_lines: usize,
    /// `None`: the head.
    pub from: Option<VersionName>,
    /// `None`: this folder.
    pub to: Option<VersionName>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDiff {
    pub path: RelPath,
    pub state: FileState,
    pub binary: bool,
    /// Unified, from one end to the other.
    pub unified: String,
    /// What is compared: `head`, `local`, `#12`, or the beginning of a SHA-256.
    pub from: String,
    pub to: String,
    /// Why it can't be shown now, while others can.
    pub fault: Option<FileFault>,
}
