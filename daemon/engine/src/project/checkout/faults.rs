//! What a step that stashed something says of it.

use mirror_core::RelPath;
use mirror_storage::FaultClass;

use crate::api::FileFault;
use crate::data::stash::Stash;

/// Tells of an edit that made its way to the stash, if one did.
pub(crate) fn fault_of_stash(path: &RelPath, stash: &Stash) -> Option<FileFault> {
    let kept = stash.kept()?;
    Some(FileFault {
        path: path.as_str().to_owned(),
        class: FaultClass::Conflict,
        message: format!("{path} was written here while another version took its place; {kept}"),
        hint: None,
    })
}
