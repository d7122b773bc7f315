//! What a session of an agent reports, and what it is told.

use std::collections::BTreeSet;

use mirror_core::readers::Event;
use mirror_core::{RelPath, Timestamp};

use super::{ChangedBy, CommitSummary, Notice};

/// For what a session that waits for its user is woken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wake {
    #[default]
    Off,
    /// For what waits for a person.
    Conflict,
    /// For all that others did.
    All,
}

/// Something that happened in a session, as far as it concerns one project.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Heard {
    pub session: String,
    pub event: Event,
    /// Whether the session works in this project, or only with one of its files.
    pub is_here: bool,
    /// The project's files that the event is about.
    pub files: Vec<RelPath>,
    /// Whether a tool wrote them.
    pub is_write: bool,
    /// Whether the project's bell rang.
    pub is_bell: bool,
    /// Whether its user can be shown that something waits.
    pub shows_hints: bool,
    pub wake: Wake,
}

/// What a session is told of one project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// By this number its hook says whether it printed this; `None`: there is nothing.
    pub batch: Option<u64>,
    /// Of others, newest first.
    pub commits: Vec<ToldCommit>,
    /// Commits before those, which only their numbers are told of; ends included.
    pub earlier: Option<(u64, u64)>,
    /// Oldest first.
    pub notices: Vec<Notice>,
    /// What waits for a person since this session was told last.
    pub conflicts: Vec<RelPath>,
    /// What is to be known of the very files that the event is about.
    pub files: Vec<ToldFile>,
    /// The session waits for its user, and this is to wake it.
    pub is_wake: bool,
    /// So much is new for a session that waits and is not woken; said once.
    pub waiting: usize,
    /// The bell is to ring again then: what is new could not be told now.
    pub ring_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldCommit {
    pub commit: CommitSummary,
    /// Its files whose version is not in this tree.
    pub not_here: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldFile {
    pub path: RelPath,
    pub what: FileNews,
    /// Who made the version that it is about.
    pub by: Option<ChangedBy>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileNews {
    /// The head has another version than this tree.
    Behind,
    /// The head has none any more.
    DeletedThere,
    /// It waits for a person.
    Conflict,
    /// A write took away lines that others had brought.
    Replaced,
}
