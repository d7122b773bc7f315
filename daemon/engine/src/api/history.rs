//! The log, told to people.

use mirror_core::commit::Action;
use mirror_core::{Digest, RelPath, Timestamp, Ulid};

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
