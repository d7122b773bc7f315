//! Errors about one file, in the words of a report.

use mirror_core::RelPath;
use mirror_storage::FaultClass;

use crate::api::FileFault;
use crate::error::{EngineError, with_causes};

/// One file's failure, for the report.
pub(crate) fn fault(path: &RelPath, error: &EngineError) -> FileFault {
    FileFault {
        path: path.as_str().to_owned(),
        class: error.class(),
        message: with_causes(error),
        hint: error.hint(),
    }
}
pub(crate) fn changed_meanwhile(path: &RelPath) -> FileFault {
    FileFault {
        path: path.as_str().to_owned(),
        class: FaultClass::Transient,
        message: format!("{path} changed here while it was pulled; it stays as it is here"),
        hint: Some("run it again to look at both versions".to_owned()),
    }
}

/// Whether the backend can't be reached now, and may be later. A full one is
/// there: its owner has to make room, or push less.
pub(crate) fn is_away(error: &EngineError) -> bool {
    let EngineError::Storage(error) = error else { return false };
    error.class() == FaultClass::Transient
}

/// What to do about a stop: what caused it, and what ends it then.
pub(crate) fn hint_of_stop(hint: Option<&str>) -> String {
    const RELOAD: &str = "mirrorctl reload";
    match hint {
        Some(hint) if hint.contains(RELOAD) => hint.to_owned(),
        Some(hint) => format!("{hint}; once that is put right, run `{RELOAD}`"),
        None => format!("once that is put right, run `{RELOAD}`"),
    }
}
