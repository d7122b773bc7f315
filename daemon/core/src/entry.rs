//! What can stand at a path.

use serde::{Deserialize, Serialize};

use crate::{Digest, Timestamp};

/// What a path holds. A link's content is the text of its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    File,
    Link,
}

impl Kind {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
    pub(crate) fn is_file(&self) -> bool {
        *self == Self::File
    }
}

/// All that makes a difference between two sides of a path (B10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct State {
    pub kind: Kind,
    pub digest: Digest,
    pub exec: bool,
}

/// One piece of a content that is stored in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    pub sha256: Digest,
    pub size: u64,
}

/// The contents that a version is made of: its chunks, or itself when it has
/// none (P5).
pub(crate) fn contents(whole: Digest, chunks: Option<&[Chunk]>) -> Vec<Digest> {
    match chunks {
        Some(chunks) => chunks.iter().map(|chunk| chunk.sha256).collect(),
        None => vec![whole],
    }
}

/// One file or link as a commit records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub kind: Kind,
    pub sha256: Digest,
    pub size: u64,
    #[serde(default)]
    pub exec: bool,
    /// Whether only its owner could read it where it was committed.
    #[serde(default, skip_serializing_if = "is_off")]
    pub private: bool,
    /// When the writer's file was last changed; for people, never compared.
    #[serde(default)]
    pub mtime: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunks: Option<Vec<Chunk>>,
}

impl Entry {
    pub fn state(&self) -> State {
        State { kind: self.kind, digest: self.sha256, exec: self.exec }
    }

    /// The contents that must be readable to rebuild this file.
    pub fn contents(&self) -> Vec<Digest> {
        contents(self.sha256, self.chunks.as_deref())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_off(flag: &bool) -> bool {
    !flag
}
