//! What waits until somebody on this machine agrees to it (B16).

use mirror_core::{Digest, RelPath};

use super::status::FileDiff;

/// A version of the head that an agent may run, and that is not written here yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldFile {
    pub path: RelPath,
    /// The commit that brought it.
    pub seq: u64,
    /// Who made that, as they say.
    pub user: String,
    pub machine: String,
    pub sha256: Digest,
    /// It is a link, and what it says is where it leads to.
    pub is_link: bool,
    /// Somebody here has said no to it.
    pub refused: bool,
}

/// One of them with what it would change here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldDetail {
    pub file: HeldFile,
    /// From what stands here to what waits.
    pub diff: FileDiff,
}
