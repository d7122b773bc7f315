//! What of a person's the data folder keeps, told in plain values.

use mirror_core::commit::Action;
use mirror_core::{Digest, RelPath, Timestamp, Ulid};

use super::{QueuedWork, Stashed};

/// A push that waits for its backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingPush {
    pub id: Ulid,
    pub since: Timestamp,
    pub action: Action,
    pub message: Option<String>,
    /// Why it could not be sent when it was queued.
    pub why: String,
    /// By path; `None` deletes the file.
    pub files: Vec<(RelPath, Option<Digest>)>,
}

/// All that waits for a backend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueReport {
    /// Oldest first.
    pub pushes: Vec<WaitingPush>,
    /// How the last tries went, of pushes and of the view.
    pub work: Vec<QueuedWork>,
}

/// What became of queued pushes that a person gave up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DroppedPushes {
    /// As far as they still waited.
    pub pushes: Vec<WaitingPush>,
    /// What turned out to stand in the log already, and the commit that brought it.
    pub committed: Vec<(WaitingPush, u64)>,
    /// Those of them that were sent once and never answered: nobody could be asked,
    /// and so they may stand in the log.
    pub unanswered: Vec<Ulid>,
    /// Where the versions of those that were dropped are now.
    pub stashed: Vec<Stashed>,
    /// Paths whose queued version could not be found any more.
    pub gone: Vec<RelPath>,
}

/// What a data folder holds that may be nowhere else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    pub pushes: Vec<WaitingPush>,
    pub stashed: Vec<Stashed>,
    /// Paths that wait for a decision.
    pub conflicts: Vec<RelPath>,
    /// Records of any of these that can't be read, and contents without one.
    pub unreadable: usize,
}

impl Kept {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
