//! What is told of a file that could not be dealt with, while the others were.

use mirror_core::RelPath;
use mirror_storage::FaultClass;

use super::stash::Stash;
use crate::api::FileFault;
use crate::error::EngineError;

/// Tells of an edit that made its way to the stash, if one did.
pub(super) fn stashed(path: &RelPath, stash: &Stash) -> Option<FileFault> {
    let kept = stash.kept()?;
    Some(FileFault {
        path: path.as_str().to_owned(),
        class: FaultClass::Conflict,
        message: format!("{path} was written here while another version took its place; {kept}"),
        hint: None,
    })
}

/// One file's failure, for the report.
pub(super) fn fault(path: &RelPath, error: &EngineError) -> FileFault {
    FileFault {
        path: path.as_str().to_owned(),
        class: error.class(),
        message: with_causes(error),
        hint: error.hint(),
    }
}

pub(super) fn moved_meanwhile(path: &RelPath) -> FileFault {
    FileFault {
        path: path.as_str().to_owned(),
        class: FaultClass::Transient,
        message: format!("{path} was changed elsewhere while it was pulled"),
        hint: Some("pull once more for the newer version".to_owned()),
    }
}

pub(super) fn changed_meanwhile(path: &RelPath) -> FileFault {
    FileFault {
        path: path.as_str().to_owned(),
        class: FaultClass::Transient,
        message: format!("{path} changed here while it was pulled; it stays as it is here"),
        hint: Some("run it again to look at both versions".to_owned()),
    }
}

/// An error with its causes in one line.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
