//! What a step that stashed something says of it.

use mirror_core::{RelPath, Timestamp};
use mirror_storage::FaultClass;

use crate::api::{FileFault, Notice};
use crate::data::stash::Stash;
use crate::project::worker::outcome::FileOutcome;
use crate::project::worker::reporter::stashed_notice;

/// Tells of the edits that made their way to the stash: that the step did not go as it
/// should, and where each is.
pub(crate) fn told_of_stash(path: &RelPath, stash: &Stash, now: Timestamp) -> Vec<FileOutcome> {
    if stash.ids().is_empty() {
        return Vec::new();
    }
    let ids: Vec<String> = stash.ids().iter().map(ToString::to_string).collect();
    let why = format!("{path} was written here while another version took its place");
    let message = format!("{why}; your version was kept in the stash as {}", ids.join(" and "));
    let (class, hint) = (FaultClass::Conflict, None);
    let fault = FileFault { path: path.as_str().to_owned(), class, message, hint };
    let notices = notices_of_stash(path, stash, now, &why).into_iter().map(FileOutcome::Told);
    std::iter::once(FileOutcome::Failed(fault)).chain(notices).collect()
}

pub(crate) fn notices_of_stash(
    path: &RelPath,
    stash: &Stash,
    now: Timestamp,
    why: &str,
) -> Vec<Notice> {
    stash.ids().iter().map(|id| stashed_notice(path, *id, now, why)).collect()
}
