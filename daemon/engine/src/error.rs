//! Why the engine could not do what it was asked.

use std::path::PathBuf;

use mirror_core::RelPath;
use mirror_storage::{FaultClass, StorageError};

use crate::outside::TreeError;
use crate::store::StoreError;

/// Why a job or a question ended without its result.
///
/// What concerns single files, while others went through, stands in
/// [`Report::failed`](crate::api::Report::failed) instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    #[error(transparent)]
    Storage(#[from] StorageError),

    #[error(transparent)]
    Tree(#[from] TreeError),

    #[error(transparent)]
    Store(#[from] StoreError),

    #[error("the daemon's own folder could not be used")]
    Disk(#[from] std::io::Error),

    /// The project is stopped: nothing is written until a person has looked.
    #[error("{reason}")]
    Stopped { reason: String, hint: Option<String> },

    /// A person has to agree to these deletions first (B12).
    #[error("{}", .0.message)]
    Consent(Box<Deletions>),

    #[error("no file of the project matches {}", quoted(.0))]
    UnknownPaths(Vec<String>),

    /// A name of something that is here or at the head, and is not mirrored here.
    #[error("{name} is not mirrored here: {why}")]
    LeftOut { name: String, why: String, hint: String },

    /// A name that commits know, but not this one.
    #[error("no file of commit #{seq} matches {name:?}")]
    NotInCommit { name: String, seq: u64, past: RelPath },

    /// A content that this file never had.
    #[error("{path} never had a version {typed}{}", had_by(.elsewhere.as_ref()))]
    NoSuchVersion { path: RelPath, typed: String, elsewhere: Option<RelPath> },

    #[error("{path} has several versions {typed}…: {}", .candidates.join(", "))]
    AmbiguousVersion { path: RelPath, typed: String, candidates: Vec<String> },

    #[error("a version that is named by its digest is of one file: name that file")]
    OneFile,

    #[error("the project's folder {} is missing", .root.display())]
    RootMissing { project: String, root: PathBuf },

    #[error("{path} is missing on the backend")]
    ContentMissing { path: RelPath },

    #[error("{path} on the backend is not what was stored: {reason}")]
    ContentCorrupt { path: RelPath, reason: String },

    #[error("{0} is not in conflict")]
    NoConflict(String),

    #[error("nothing is held of {0}")]
    NotHeld(String),

    #[error("what is held of {0} is another version by now")]
    HeldMoved(RelPath),

    #[error("the conflict of {path} has no side {typed:?}")]
    NoSuchSide { path: RelPath, typed: String, word: String },

    /// Not the two versions that somebody decided about.
    #[error("{0} was changed here or elsewhere since it was shown")]
    ConflictMoved(RelPath),

    #[error("{0} can't stand beside another name, which no content settles")]
    NameClash(RelPath),

    #[error("conflict markers are left in the result for {0}")]
    MarkersLeft(RelPath),

    #[error("{0}")]
    NotFound(String),

    #[error("{0:?} is not an id, nor the beginning of one")]
    NotAnId(String),

    #[error("the stash holds nothing by {0:?}")]
    NotStashed(String),

    #[error("no queued push is called {0:?}")]
    NotQueued(String),

    /// Nobody knows whether its commit stands.
    #[error(
        "nothing was dropped: what waits was sent to the backend and never answered, so that it \
         may be a commit, and the backend can't be asked now"
    )]
    SentUnanswered,

    #[error("{typed:?} is the beginning of several ids: {}", .candidates.join(", "))]
    AmbiguousId { typed: String, candidates: Vec<String> },

    #[error("no project stands at this place")]
    NoProject,

    #[error("{0}")]
    Usage(String),

    /// Nothing was begun: the project's next handle may be asked the same.
    #[error("the project was closed meanwhile")]
    Closed,

    /// The head has moved since this was planned: it is planned anew on top of
    /// the newer one. Never leaves the engine.
    #[error("others committed meanwhile")]
    Stale,

    /// Its caller asked the job to end. Never leaves the engine: the report says so.
    #[error("the job was cancelled")]
    Cancelled,

    /// A bug of ours: the job ended, the project goes on.
    #[error("an internal fault ended this job: {0}")]
    Internal(String),
}

/// What to do about a push of which nobody knows whether it stands.
const SENT_UNANSWERED: &str = "run it again once the backend answers: then it is known; others \
    that wait go before that by their ids, `mirrorctl queue drop ID`";

/// The disk itself, or what its user may have of it.
fn is_full(error: &std::io::Error) -> bool {
    use std::io::{Error, ErrorKind};
    let is_it =
        |error: &Error| matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
    // What writes packs wraps what the disk said.
    let mut cause = error.get_ref().map(|cause| cause as &(dyn std::error::Error + 'static));
    while let Some(found) = cause {
        if found.downcast_ref().is_some_and(is_it) {
            return true;
        }
        cause = found.source();
    }
    is_it(error)
}

/// Deletions that a person is asked to agree to (B12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletions {
    /// Why they are asked about.
    pub message: String,
    pub count: usize,
    /// The first of them, sorted.
    pub first: Vec<RelPath>,
    /// Each folder that loses files of its own, and how many: the fullest first.
    /// The empty name is the project's folder.
    pub folders: Vec<(String, usize)>,
}

/// An error with its causes in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn had_by(elsewhere: Option<&RelPath>) -> String {
    elsewhere.map_or_else(String::new, |path| format!(", but {path} has"))
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    names.join(", ")
}

impl EngineError {
    /// Whether a content can't be had any more, wherever it is asked for. Of any other
    /// trouble nothing follows about what is there (S4).
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self, Self::ContentMissing { .. } | Self::ContentCorrupt { .. })
    }

    /// Says what to do about this error.
    #[must_use]
    pub fn class(&self) -> FaultClass {
        match self {
            Self::Storage(error) => error.class(),
            Self::Tree(TreeError::Full) | Self::Store(StoreError::Full) => FaultClass::Quota,
            Self::Closed | Self::Stale | Self::Cancelled | Self::SentUnanswered => {
                FaultClass::Transient
            }
            Self::Stopped { .. } => FaultClass::Stopped,
            Self::Consent(_) | Self::RootMissing { .. } | Self::Tree(TreeError::RootMissing) => {
                FaultClass::Consent
            }
            Self::Tree(_) => FaultClass::Permission,
            Self::UnknownPaths(_)
            | Self::NotInCommit { .. }
            | Self::NoSuchVersion { .. }
            | Self::NotFound(_)
            | Self::NotStashed(_)
            | Self::NotQueued(_)
            | Self::NoProject
            | Self::NotHeld(_)
            | Self::NoConflict(_) => FaultClass::NotFound,
            Self::ConflictMoved(_) => FaultClass::Conflict,
            Self::LeftOut { .. }
            | Self::HeldMoved(_)
            | Self::NameClash(_)
            | Self::MarkersLeft(_)
            | Self::ContentMissing { .. }
            | Self::ContentCorrupt { .. } => FaultClass::Rejected,
            Self::Usage(_)
            | Self::OneFile
            | Self::NoSuchSide { .. }
            | Self::NotAnId(_)
            | Self::AmbiguousId { .. }
            | Self::AmbiguousVersion { .. } => FaultClass::Usage,
            Self::Disk(error) if is_full(error) => FaultClass::Quota,
            Self::Store(_) | Self::Disk(_) | Self::Internal(_) => FaultClass::Internal,
        }
    }

    /// Whether it concerns more than the one content that was asked for.
    pub(crate) fn ends_the_job(&self) -> bool {
        matches!(self, Self::Storage(_) | Self::Stale | Self::Cancelled)
    }

    /// Whether a content isn't to be had, and nothing else is wrong.
    pub(crate) fn is_of_content(&self) -> bool {
        matches!(self, Self::ContentMissing { .. } | Self::ContentCorrupt { .. })
    }

    /// What the person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Stopped { hint, .. } => return hint.clone(),
            Self::LeftOut { hint, .. } => return Some(hint.clone()),
            Self::Consent(_) => {
                "nothing was done; run it again with --allow-deletes if that is what you want"
            }
            Self::UnknownPaths(_) => "see `mirrorctl status --long` for the files of the project",
            Self::NotInCommit { past, .. } => {
                return Some(format!("`mirrorctl history {past}` lists the commits that have it"));
            }
            Self::NoSuchSide { word, .. } => {
                return Some(format!("take `here`, or `{word}` for the other side"));
            }
            Self::NoSuchVersion { path, elsewhere, .. } => {
                let path = elsewhere.as_ref().unwrap_or(path);
                return Some(format!("`mirrorctl history {path}` lists its versions"));
            }
            Self::AmbiguousVersion { path, .. } => {
                return Some(format!("write more of it; `mirrorctl history {path}` lists them"));
            }
            Self::NotAnId(_) | Self::NotStashed(_) => {
                "see `mirrorctl stash list` for what it holds"
            }
            Self::AmbiguousId { .. } => "write more of the id",
            Self::NotQueued(_) => "see `mirrorctl queue list` for what waits",
            Self::SentUnanswered => SENT_UNANSWERED,
            Self::NoConflict(_) => "see `mirrorctl conflict list` for what waits",
            Self::NotHeld(_) => "see `mirrorctl held list` for what is held",
            Self::HeldMoved(_) => "look again with `mirrorctl held show`",
            Self::ConflictMoved(_) => "look again with `mirrorctl conflict show`",
            Self::NameClash(_) => "rename one of the two files, then sync",
            Self::MarkersLeft(_) => "settle every marked place, then apply it again",
            Self::RootMissing { project, .. } => {
                return Some(format!(
                    "mount or restore the folder; if it was moved, say where it is now: \
                     `mirrorctl --project {project:?} config set root DIR`; nothing was changed"
                ));
            }
            Self::Tree(TreeError::RootMissing) => {
                "mount or restore the folder; nothing was changed"
            }
            Self::Store(StoreError::Full) => {
                "free some space: it goes on by itself, and nothing is lost"
            }
            Self::Disk(error) if is_full(error) => "free some space and run it again",
            Self::Tree(TreeError::Full) => "free some space and run it again; every file is whole",
            Self::Tree(TreeError::IsFolder(_)) => {
                "a file is to come there: move the folder, or what is in it, and run it again"
            }
            Self::Storage(error) => return error.hint(),
            Self::NoProject => "make one with `mirrorctl init`",
            Self::ContentMissing { .. } | Self::ContentCorrupt { .. } => {
                "a machine that has it gives it again by itself: sync there, then here"
            }
            Self::Closed => "run it again",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn full_disk_is_one_of_quota_however_deep_it_is_wrapped() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let wrapped = io::Error::other(zip::result::ZipError::Io(full));
        assert_eq!(EngineError::from(wrapped).class(), FaultClass::Quota);
        let other = io::Error::other(zip::result::ZipError::FileNotFound);
        assert_eq!(EngineError::from(other).class(), FaultClass::Internal);
    }
}
