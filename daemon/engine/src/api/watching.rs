//! What somebody who watches a project is told, each of it once.

use std::collections::BTreeSet;

use mirror_core::RelPath;

use super::{CommitSummary, Notice};

/// What a watcher has been told of: what comes after it is news.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witness {
    /// The newest commit; `None` begins with those to come.
    pub commit: Option<u64>,
    /// The number of the newest notice; the same.
    pub notice: Option<u64>,
    /// Paths that wait for a person.
    pub conflicts: BTreeSet<RelPath>,
    /// Paths that wait until somebody here agrees to them (B16).
    pub held: BTreeSet<RelPath>,
    /// The head by which `held` was found.
    pub held_at: Option<u64>,
    /// Deletions wait for a person, as of now: no occurrence of its own.
    pub waits_for_consent: bool,
}

/// Something that a watcher had not been told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occurrence {
    Commit(CommitSummary),
    Notice {
        number: u64,
        notice: Notice,
    },
    /// It waits for a person, or waits no more.
    Conflict {
        path: RelPath,
        is_over: bool,
    },
    /// The same of what is held.
    Held {
        path: RelPath,
        is_over: bool,
    },
}
