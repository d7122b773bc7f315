//! What waits for a person, and what is kept for one.

use bytes::Bytes;
use mirror_core::{Digest, Kind, RelPath, Timestamp, Ulid};
use serde::{Deserialize, Serialize};

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
    /// `None` where somebody wrote it on the backend.
    pub remote_by: Option<ChangedBy>,
    /// The commit that has the remote side, if one has.
    pub remote_commit: Option<u64>,
    /// The backend that the remote side was written on, if it was.
    pub place: Option<String>,
    /// Who made the local side, where a commit has it.
    pub local_by: Option<ChangedBy>,
    /// The local side is the project's, and this folder has another version.
    pub is_elsewhere: bool,
    pub other: OtherSide,
    pub since: Timestamp,
    /// Names both sides as they are now.
    pub token: String,
    /// The remote side stands on the backend alone, and is in no commit.
    pub outside: bool,
}

/// What the side is called that is not this folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherSide {
    /// `#45 by ann on desktop`, or `primary, edited there`.
    pub name: String,
    /// The word by which [`Resolution::Side`](super::Resolution::Side) takes it.
    pub word: String,
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
    /// Unified, from the other side to this folder; empty when binary.
    pub unified: String,
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
    /// `None` where nobody said what it was.
    #[serde(default)]
    pub kind: Option<Kind>,
    #[serde(default)]
    pub exec: Option<bool>,
    /// Whether it was for its owner alone (B14).
    #[serde(default)]
    pub private: Option<bool>,
}
