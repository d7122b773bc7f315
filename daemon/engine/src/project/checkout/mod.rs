//! Writing the working tree from the log (B9), and settling what a crash left of it.

use mirror_core::plan::Fetch;

use crate::packs::Content;
use crate::state::BaseRecord;

pub(crate) mod faults;
mod losses;
pub(crate) mod merged;
mod reached;
pub(crate) mod recover;
pub(crate) mod remove;
pub(crate) mod temp_files;
pub(crate) mod write;

/// A version to write that is none of the head's.
pub(crate) struct Edit {
    pub(crate) fetch: Fetch,
    pub(crate) content: Content,
    /// What it is an edit of.
    pub(crate) base: Option<BaseRecord>,
    /// Whether it is for its owner alone, whatever the head says (B14).
    pub(crate) private: bool,
}
