//! How a job ended, file by file.

use mirror_core::{RelPath, Timestamp, Ulid};
use mirror_storage::FaultClass;
use serde::{Deserialize, Serialize};

use crate::error::{EngineError, with_causes};

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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileFault {
    pub path: String,
    pub class: FaultClass,
    pub message: String,
    pub hint: Option<String>,
}

/// What is wrong with a project as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectFault {
    pub class: FaultClass,
    pub message: String,
    pub hint: Option<String>,
    /// Whether the backend is what failed.
    pub of_backend: bool,
}

impl ProjectFault {
    pub(crate) fn of(error: &EngineError) -> Self {
        Self {
            class: error.class(),
            message: with_causes(error),
            hint: error.hint(),
            of_backend: matches!(error, EngineError::Storage(_)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    EditBeatDeletion,
    ViewReverted,
    ViewUnsettled,
    AlteredContent,
    KeptUnknown,
    VoidEntry,
    /// A content was damaged on the backend, and this machine gave it again.
    ContentGivenAgain,
    /// A push that a person dropped before it was answered is a commit after all.
    DroppedPushArrived,
    /// A queued version could not be sent, and is no longer to be had.
    NotSent,
    /// A link of the head may not stand on this machine.
    LinkLeftOut,
    /// Something in the view can't be read, and is passed over.
    ViewUnreadable,
    /// A version that was never pushed made way, and is in the stash.
    Stashed,
    /// Of a dry run: without it, a person is asked first.
    ConsentNeeded,
    /// Deletions that a job without a person left undone.
    DeletionsWait,
    /// Two machines change the file in turn, by themselves.
    LeftAlone,
    /// An index was merged to more than is read of it.
    IndexOverlong,
    /// A change that an agent may run waits until somebody here agrees to it.
    Held,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub kind: NoticeKind,
    pub path: Option<RelPath>,
    pub message: String,
    pub time: Timestamp,
    /// Where the stash keeps the version that this is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stash: Option<Ulid>,
}

/// How a job ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Report {
    /// The last commit that this job made.
    pub commit: Option<(u64, Ulid)>,
    pub files: Vec<FileReport>,
    /// Paths that wait for a person.
    pub conflicts: Vec<RelPath>,
    /// Paths that this job would have brought, and whose version waits for somebody
    /// here to agree to it (B16).
    pub held: Vec<RelPath>,
    pub failed: Vec<FileFault>,
    /// True when the push waits for its backend: its contents are spooled.
    pub queued: bool,
    /// True when the view still lags behind the commit.
    pub view_pending: bool,
    /// True when the working tree gets the commit's files with the next pull.
    pub pull_pending: bool,
    pub dry_run: bool,
    /// True when its caller ended the job early; what it had done stands.
    pub cancelled: bool,
    /// True when something was left alone that time alone makes ready (B17).
    pub left_for_later: bool,
    pub notices: Vec<Notice>,
    /// Pushes that wait for their backend, whichever job queued them.
    pub waiting_count: usize,
    /// Files that patterns cover and that are not mirrored.
    pub skipped_count: usize,
}
