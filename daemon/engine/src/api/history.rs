//! The log, told to people.

use mirror_core::commit::Action;
use mirror_core::{Digest, RelPath, Timestamp, Ulid};

/// What a version of a file is to its project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionRole {
    /// It was the project's, from its commit on.
    Committed,
    /// It went into a merge or a settled conflict, and the commit keeps it (M2).
    Input,
    /// It was never pushed; this machine's stash keeps it.
    Stash,
    /// It waits on this machine for its push to be sent.
    Queued,
    /// It is a side of a conflict that waits on this machine, and in no commit.
    Conflict,
}

/// One version that a path has had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileVersion {
    /// The commit that brought it; `None` for one that only this machine has.
    pub seq: Option<u64>,
    pub time: Timestamp,
    /// Empty where nobody knows who it was.
    pub user: String,
    /// For an edit that was found on a backend, the backend's name.
    pub machine: String,
    /// `None` where the commit deleted the file.
    pub sha256: Option<Digest>,
    pub size: u64,
    /// The path that the file had then.
    pub path: RelPath,
    pub role: VersionRole,
    /// Its id in the stash, for one that is there.
    pub stash: Option<Ulid>,
    /// The push that brings it, for one that waits.
    pub push: Option<Ulid>,
}

/// Which version of a file somebody means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionName {
    /// The head's.
    Latest,
    /// The one that this commit has.
    Commit(u64),
    /// The one whose SHA-256 begins so: 8 hexadecimal digits at least.
    Digest(String),
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
