//! Which commit somebody means.

use mirror_core::History;

use crate::api::EngineResult;
use crate::error::EngineError;

/// The commit of that number, `None` for the head; refuses what never was the
/// state of the project.
pub(crate) fn find(history: &History, seq: Option<u64>) -> EngineResult<u64> {
    let head = history.head();
    match seq.unwrap_or(head) {
        found if found == 0 || found > head => {
            Err(EngineError::NotFound(format!("there is no commit #{found}: the head is #{head}")))
        }
        found if seq.is_some() && history.is_void(found) => {
            Err(EngineError::Usage(format!("commit #{found} is void: it changed nothing")))
        }
        found => Ok(found),
    }
}
