//! Where a place really lies, seen from a root.

use std::path::{Path, PathBuf};

use mirror_core::RelPath;

pub(super) fn spelled(root: &Path, place: &Path) -> Option<RelPath> {
    RelPath::new(place.strip_prefix(root).ok()?.to_str()?).ok()
}

/// The path below `root` of what an absolute path leads to, once all links above
/// it are followed; it need not be there.
pub(in crate::real::tree) fn below(root: &Path, absolute: &Path) -> Option<RelPath> {
    spelled(&root.canonicalize().ok()?, &real(absolute)?)
}

/// What an absolute path leads to, once all links above it are followed.
pub(super) fn real(absolute: &Path) -> Option<PathBuf> {
    let there = absolute.ancestors().find_map(|above| {
        let real = above.canonicalize().ok()?;
        Some(real.join(absolute.strip_prefix(above).ok()?))
    })?;
    // An empty rest leaves a slash behind.
    Some(there.components().collect())
}
