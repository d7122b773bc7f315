//! What a person, or an agent, decided about one conflict.

use mirror_core::{RelPath, merge};

use crate::api::{EngineResult, FileAction, Resolution};
use crate::error::EngineError;

/// What somebody decided, and about which two versions.
pub(crate) struct Decision {
    pub(crate) path: String,
    pub(crate) resolution: Resolution,
    /// As shown; `None`: both sides as they were recorded last.
    pub(crate) token: Option<String>,
    pub(crate) no_push: bool,
}

pub(crate) fn action_of(resolution: &Resolution) -> FileAction {
    match resolution {
        Resolution::Local => FileAction::Sent,
        Resolution::Remote => FileAction::Fetched,
        // A name has become a side by then.
        Resolution::Merged(_) | Resolution::Side(_) => FileAction::Merged,
    }
}

pub(crate) fn refuse_markers(path: &RelPath, resolution: &Resolution) -> EngineResult<()> {
    match resolution {
        Resolution::Merged(bytes) if merge::is_text(bytes) && merge::has_markers(bytes) => {
            Err(EngineError::MarkersLeft(path.clone()))
        }
        _ => Ok(()),
    }
}
