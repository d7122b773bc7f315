//! The reasons for which an entry counts for nothing (L6).

use crate::path::Clash;
use crate::{Digest, RelPath, Ulid};

/// Why an entry changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Void {
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    #[error("it says it is entry {said}, but stands at {stands}")]
    WrongSeq { said: u64, stands: u64 },
    #[error("it does not follow the entry before it")]
    WrongParent,
    #[error("the log has moved to another backend")]
    AfterMoved,
    #[error("{path}: {what}")]
    Path { path: RelPath, what: &'static str },
    #[error(transparent)]
    Clash(#[from] Clash),
    #[error("pack {name}: {what}")]
    Pack { name: Ulid, what: &'static str },
    #[error("content {content}: {what}")]
    Content { content: Digest, what: &'static str },
    #[error("the tag {0:?} is not allowed")]
    Tag(String),
    #[error("snapshot #{0} is not listed")]
    NoSnapshot(u64),
    #[error("{0}")]
    Shape(&'static str),
}
