//! What others did since a reader last looked.

use mirror_core::RelPath;
use mirror_core::readers::Read;

use super::{CommitSummary, Notice, ProjectFault};

/// What one reader has not dealt with yet, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbox {
    pub reader: String,
    /// Commits of others.
    pub events: Vec<CommitSummary>,
    /// Paths that wait for a person, told of or not.
    pub conflicts: Vec<RelPath>,
    pub notices: Vec<Notice>,
    /// Commits and notices that had no room here.
    pub unread: u64,
    /// What the reader has dealt with once it has read this.
    pub shown: Read,
    /// Why this is what was known before, if so.
    pub fault: Option<ProjectFault>,
}
