//! Where a mirrored link may point to (B9): one rule for sending and landing.
//!
//! Below the root, also through other links, as long as each of them stays
//! there; not at or through `.git`, `_mirror`, what an ignore file leaves out, a
//! folder of our own, or the link itself. It may point to nothing.

use std::collections::VecDeque;

use mirror_core::RelPath;
use mirror_core::patterns::Coverage;

/// What Linux can hold.
pub(crate) const MAX_TARGET_BYTES: usize = 4_095;

/// What Linux follows before it calls links a circle.
const MAX_LINKS: usize = 40;

/// Where a link leads to, below the root all the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// Every place from the link's folder to the end, in order.
    pub(crate) places: Vec<RelPath>,
    /// Those of them at which another link stands.
    pub(crate) links: Vec<RelPath>,
    /// Where it ends, whether or not anything is there.
    pub(crate) end: RelPath,
}

/// The way of a link at `path`; `None` when no link there may have this target.
/// `link_at` reads the target of another link, where one stands on the way.
pub(crate) fn follow<E>(
    path: &RelPath,
    target: &[u8],
    mut link_at: impl FnMut(&RelPath) -> Result<Option<Vec<u8>>, E>,
) -> Result<Option<Way>, E> {
    let Some(mut left) = components(target) else { return Ok(None) };
    let mut here = path.parent();
    let (mut places, mut links) = (Vec::new(), Vec::new());
    while let Some(component) = left.pop_front() {
        if component == ".." {
            let Some(folder) = here else { return Ok(None) };
            here = folder.parent();
            continue;
        }
        let place = match &here {
            Some(folder) => folder.join(&component),
            None => RelPath::new(&component),
        };
        let Some(place) = place.ok().filter(|place| place != path) else { return Ok(None) };
        places.push(place.clone());
        let Some(target) = link_at(&place)? else {
            here = Some(place);
            continue;
        };
        links.push(place);
        let Some(more) = components(&target).filter(|_| links.len() < MAX_LINKS) else {
            return Ok(None);
        };
        left = more.into_iter().chain(left).collect();
    }
    // The root holds the link, so that the way would go through it again.
    Ok(here.map(|end| Way { places, links, end }))
}

/// The parts of a target that say anything, unless it can be none of ours.
fn components(target: &[u8]) -> Option<VecDeque<String>> {
    let text = std::str::from_utf8(target).ok()?;
    let is_sound = !text.is_empty()
        && !text.starts_with('/')
        && text.len() <= MAX_TARGET_BYTES
        && !text.contains('\0');
    let parts = text.split('/').filter(|part| !matches!(*part, "" | "."));
    is_sound.then(|| parts.map(str::to_owned).collect())
}

/// Whether an ignore file leaves out what the way of a link leads to, it is ours, or
/// lies elsewhere on each machine: no other one has that there.
pub(crate) fn is_ignored(way: &Way, coverage: &Coverage) -> bool {
    let is_none_of_all = |place: &RelPath| {
        coverage.ignores(place) || coverage.is_ours(place) || coverage.is_memory(place)
    };
    way.places.iter().any(is_none_of_all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_core::patterns::CoverageSource;

    /// Follows a link where these others stand, as `link target`.
    fn way_among(others: &[&str], link: &str, target: &[u8]) -> Option<Way> {
        let others: Vec<_> = others.iter().map(|line| line.split_once(' ').unwrap()).collect();
        let link_at = |place: &RelPath| {
            let found = others.iter().find(|(at, _)| *at == place.as_str());
            Ok::<_, ()>(found.map(|(_, target)| target.as_bytes().to_vec()))
        };
        follow(&RelPath::new(link).unwrap(), target, link_at).unwrap()
    }

    #[track_caller]
    fn check(link: &str, target: &str, may: bool) {
        check_among(&[], link, target, may);
    }

    #[track_caller]
    fn check_among(others: &[&str], link: &str, target: &str, may: bool) {
        let way = way_among(others, link, target.as_bytes());
        assert_eq!(way.is_some(), may, "{link} -> {target} among {others:?}");
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
        assert_eq!(way_among(&[], "a", b"\xff"), None);
    }

    #[test]
    fn chain_of_links_that_stays_inside_is_inside() {
        check_among(&["b c.md"], "a", "b", true);
        check_among(&["b c", "c d/e", "d x"], "a", "b/f.md", true);
        check_among(&["x/up .."], "x/a", "up/b.md", true);
        let way = way_among(&["b x/c", "x/c ../d.md"], "a", b"b").unwrap();
        assert_eq!(way.end.as_str(), "d.md");
        assert_eq!(way.links, ["b", "x/c"].map(|link| RelPath::new(link).unwrap()));
    }

    #[test]
    fn chain_of_links_that_leads_out_or_round_is_not() {
        check_among(&["b /etc"], "a", "b", false);
        check_among(&["b ../out"], "a", "b", false);
        check_among(&["x/up ../.."], "x/a", "up/b.md", false);
        check_among(&["b a"], "a", "b", false);
        check_among(&["b c", "c b"], "a", "b", false);
        check_among(&["b .git"], "a", "b", false);
    }

    #[test]
    fn link_to_what_is_ignored_is_seen() {
        let ignore = "build/\n".to_owned();
        let coverage = Coverage::new(CoverageSource { ignore, ..CoverageSource::default() });
        let is_ignored = |target: &str| {
            let way = way_among(&["short build/deep"], "a", target.as_bytes()).unwrap();
            is_ignored(&way, coverage.as_ref().unwrap())
        };
        assert!(is_ignored("build"));
        assert!(is_ignored("build/deep/x.md"));
        assert!(is_ignored("build/../x.md"));
        assert!(is_ignored("short/x.md"));
        assert!(!is_ignored("src/x.rs"), "patterns are no rules on targets");
    }
}
