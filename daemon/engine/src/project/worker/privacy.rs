//! Who may use the file at a path here, and what a version made from it is to
//! say of that (B14).

use mirror_core::RelPath;
use mirror_core::history::Placed;
use mirror_core::reconcile::{BaseFact, Past, Privacy};

use super::Worker;
use crate::index::Indexed;
use crate::state::{BaseAfter, BaseRecord, Target};

impl Worker {
    /// Whether a version that is made from the file here is private (B14).
    pub(crate) fn private_to_send(&self, path: &RelPath) -> bool {
        let (indexed, placed) = (self.index.get(path), self.log.history().manifest().get(path));
        let privacy = privacy_of(self.state.private().contains(path), indexed, placed);
        let base = match self.state.bases().get(path) {
            None => BaseFact::Absent,
            Some(BaseRecord::Known { state, seq }) => BaseFact::Known { state: *state, seq: *seq },
            Some(BaseRecord::Unknown) => BaseFact::Unknown(Past::Other),
        };
        let to_send = privacy.to_send(base, placed.is_some());
        let was_deleted = placed.is_none() && base != BaseFact::Absent;
        let is_news = indexed.is_some() && (was_deleted || to_send != privacy.remote);
        // Asked only where it matters: it is a look at the disk.
        if is_news && self.parts.tree.traits().exec {
            return to_send;
        }
        // Where a disk says nothing, what the log said last holds.
        if was_deleted { self.log.history().is_private(path) } else { privacy.remote }
    }

    /// Whether the file here is for its owner alone, as it was looked at last.
    pub(crate) fn is_private_here(&self, path: &RelPath) -> bool {
        self.index.get(path).is_some_and(|indexed| indexed.stamp.private)
    }

    /// The file here is agreed on as it is: what it has is no change (B14).
    pub(crate) fn agree_on_privacy(&mut self, path: &RelPath) {
        let is_private = self.is_private_here(path);
        let is_known = matches!(self.state.bases().get(path), Some(BaseRecord::Known { .. }));
        self.state.set_private(path, is_private && is_known);
    }

    /// Whether a file that is written to be private is so because the head says it:
    /// an edit may have it from the version that it brings.
    pub(crate) fn is_private_by(&self, path: &RelPath, target: &Target) -> bool {
        let placed = self.log.history().manifest().get(path);
        matches!(target.base, BaseAfter::Written)
            || placed.is_some_and(|placed| placed.entry.private)
    }
}

/// Who may use the file on each side (B14).
pub(crate) fn privacy_of(
    agreed: bool,
    indexed: Option<&Indexed>,
    placed: Option<&Placed>,
) -> Privacy {
    Privacy {
        agreed,
        local: indexed.is_some_and(|indexed| indexed.stamp.private),
        remote: placed.is_some_and(|placed| placed.entry.private),
    }
}
