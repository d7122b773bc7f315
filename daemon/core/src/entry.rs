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

/// Where the pieces of a large content are named: here, or in a content of its
/// own that holds this same JSON array.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Chunks {
    Inline(Vec<Chunk>),
    Listed { list: Digest },
}

impl Chunks {
    /// The contents this names by itself.
    pub fn contents(&self) -> impl Iterator<Item = Digest> + '_ {
        let (inline, list) = match self {
            Self::Inline(chunks) => (chunks.as_slice(), None),
            Self::Listed { list } => (&[][..], Some(*list)),
        };
        inline.iter().map(|chunk| chunk.sha256).chain(list)
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
    /// When the writer's file was last changed; for people, never compared.
    #[serde(default)]
    pub mtime: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunks: Option<Chunks>,
}

impl Entry {
    pub fn state(&self) -> State {
        State { kind: self.kind, digest: self.sha256, exec: self.exec }
    }

    /// The contents that must be readable to rebuild this file: its chunks,
    /// or the whole content when there are none.
    pub fn contents(&self) -> Vec<Digest> {
        match &self.chunks {
            Some(chunks) => chunks.contents().collect(),
            None => vec![self.sha256],
        }
    }
}
