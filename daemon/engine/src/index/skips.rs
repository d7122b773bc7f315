//! What stands in a tree but can't be mirrored, kept by the shown path.

use std::collections::BTreeSet;
use std::ops::Bound;

use mirror_core::path::PathError;
use mirror_core::patterns::Coverage;
use mirror_core::{RelPath, State};

use crate::api::{SkipReason, Skipped};
use crate::outside::DirEntry;

/// Whether the very thing at `path` is skipped.
pub(super) fn stands_in(skipped: &BTreeSet<Skipped>, path: &str) -> bool {
    first_in(skipped, path).is_some()
}

pub(super) fn first_in<'a>(skipped: &'a BTreeSet<Skipped>, path: &str) -> Option<&'a Skipped> {
    skipped.range(first_at(path)..).next().filter(|skip| skip.path == path)
}

/// Whether it is, for this reason.
pub(super) fn is_for(skipped: &BTreeSet<Skipped>, path: &str, reason: SkipReason) -> bool {
    skipped.contains(&Skipped { path: path.to_owned(), reason })
}

/// Forgets what is skipped at `path` and below it.
pub(super) fn forget(skipped: &mut BTreeSet<Skipped>, path: &str) {
    let below = (
        Bound::Included(first_at(&format!("{path}/"))),
        // `0` is the byte after `/`.
        Bound::Excluded(first_at(&format!("{path}0"))),
    );
    let at = skipped.range(first_at(path)..).take_while(|skip| skip.path == path);
    let gone: Vec<Skipped> = at.chain(skipped.range(below)).cloned().collect();
    for skip in &gone {
        skipped.remove(skip);
    }
}

fn first_at(path: &str) -> Skipped {
    Skipped { path: path.to_owned(), reason: SkipReason::NotUtf8 }
}

/// Why a name that makes no mirrored path is skipped; `None` when nobody would
/// expect it to be mirrored.
pub(super) fn reason_for_name(
    shown: &str,
    error: Option<PathError>,
    entry: &DirEntry,
    coverage: &Coverage,
) -> Option<SkipReason> {
    let name = shown.rsplit('/').next().unwrap_or_default();
    let reason = match error {
        Some(PathError::Git | PathError::Mirror) if matches!(name, ".git" | "_mirror") => {
            return None;
        }
        Some(_) => SkipReason::NameNotAllowed,
        None => SkipReason::NotUtf8,
    };
    would_cover(shown, entry, coverage).then_some(reason)
}

/// Asks the patterns about the nearest name that they can be asked about.
fn would_cover(shown: &str, entry: &DirEntry, coverage: &Coverage) -> bool {
    let is_wild = |letter: char| letter.is_control() || "\\:".contains(letter);
    let nearest = shown.replace(is_wild, "_");
    match (RelPath::new(&nearest), entry) {
        (Err(_), _) => true,
        (Ok(path), DirEntry::Folder) => coverage.may_hold(&path),
        (Ok(path), DirEntry::File(_) | DirEntry::Special) => coverage.covers(&path),
        (Ok(path), DirEntry::Unreadable) => coverage.covers(&path) || coverage.may_hold(&path),
    }
}

/// A link's state, whose content is its target's text.
pub(super) fn link_state(target: &[u8]) -> State {
    State { kind: mirror_core::Kind::Link, digest: mirror_core::Digest::of(target), exec: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgetting_a_folder_leaves_its_neighbours() {
        let names = ["a", "a.md", "a/b", "a/b/c", "a0", "b"];
        let mut skipped: BTreeSet<_> = names.map(first_at).into();

        forget(&mut skipped, "a");

        let left: Vec<_> = skipped.iter().map(|skip| skip.path.as_str()).collect();
        assert_eq!(left, ["a.md", "a0", "b"]);
    }
}
