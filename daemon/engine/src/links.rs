//! Where a mirrored link may point to (B9): one rule for sending and landing.
//!
//! Below the root, not at or through `.git`, `_mirror`, what `.mirrorignore`
//! leaves out, the link itself, or another link. It may point to nothing.

use mirror_core::RelPath;
use mirror_core::patterns::Coverage;

/// What Linux can hold.
pub(crate) const MAX_TARGET_BYTES: usize = 4_095;

/// Every place on the way from a link's folder to its target, in order; `None`
/// when no link at `path` may have this target. Whether another link stands at
/// one of the places is for the disk to say.
pub(crate) fn way(path: &RelPath, target: &[u8]) -> Option<Vec<RelPath>> {
    let text = std::str::from_utf8(target).ok()?;
    if text.is_empty()
        || text.starts_with('/')
        || text.len() > MAX_TARGET_BYTES
        || text.contains('\0')
    {
        return None;
    }
    let mut here = path.parent();
    let mut places = Vec::new();
    for component in text.split('/') {
        here = match (component, here) {
            ("" | ".", here) => here,
            ("..", here) => here?.parent(),
            (name, Some(here)) => Some(here.join(name).ok()?),
            (name, None) => Some(RelPath::new(name).ok()?),
        };
        places.extend(here.clone());
    }
    // The root holds the link, so that the way would go through it again.
    here?;
    (!places.contains(path)).then_some(places)
}

/// Whether `.mirrorignore` leaves out what the way of a link leads to: no other
/// machine has that.
pub(crate) fn is_ignored(way: &[RelPath], coverage: &Coverage) -> bool {
    way.iter().any(|place| coverage.ignores(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_core::patterns::CoverageSource;

    #[track_caller]
    fn check(link: &str, target: &str, may: bool) {
        let path = RelPath::new(link).unwrap();
        assert_eq!(way(&path, target.as_bytes()).is_some(), may, "{link} -> {target}");
    }

    #[test]
    fn link_within_the_project_is_mirrored() {
        check("a", "b.md", true);
        check("a/b", "../c", true);
        check("a/b", "./x//y", true);
        check("a/b/c", "../../d", true);
    }

    #[test]
    fn link_out_of_the_project_is_not() {
        check("a", "/etc/passwd", false);
        check("a", "../b", false);
        check("a/b", "../../c", false);
        check("a/b", "../../project/c", false);
        check("a/b", "..", false);
    }

    #[test]
    fn link_into_or_through_git_or_our_own_folder_is_not() {
        check("a", ".git/config", false);
        check("a/b", "../_mirror/FORMAT", false);
        check("a", "x/.git/../b", false);
    }

    #[test]
    fn link_at_or_through_itself_is_not() {
        check("loop.md", "loop.md", false);
        check("a/b", "../a/b/c", false);
        check("a", "a/../b", false);
    }

    #[test]
    fn target_that_no_link_can_have_is_refused() {
        check("a/b", "", false);
        check("a", "b\0c", false);
        check("a", &"x/".repeat(2_048), false);
        assert_eq!(way(&RelPath::new("a").unwrap(), b"\xff"), None);
    }

    #[test]
    fn link_to_what_is_ignored_is_seen() {
        let ignore = "build/\n".to_owned();
        let coverage = Coverage::new(CoverageSource { ignore, ..CoverageSource::default() });
        let is_ignored = |target: &str| {
            let way = way(&RelPath::new("a").unwrap(), target.as_bytes()).unwrap();
            is_ignored(&way, coverage.as_ref().unwrap())
        };
        assert!(is_ignored("build"));
        assert!(is_ignored("build/deep/x.md"));
        assert!(is_ignored("build/../x.md"));
        assert!(!is_ignored("src/x.rs"), "patterns are no rules on targets");
    }
}
