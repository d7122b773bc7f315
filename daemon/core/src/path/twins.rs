//! Paths that the most forgiving file system takes for one.

use std::collections::BTreeMap;

use super::{Folded, RelPath};

/// Paths whose whole folded paths are equal, each group and all groups by bytes.
///
/// `A/x` and `a/y` are no twins: where they share a folder, both still fit.
pub fn twins<'a>(paths: impl Iterator<Item = &'a RelPath>) -> Vec<Vec<&'a RelPath>> {
    let mut groups: BTreeMap<Folded, Vec<&RelPath>> = BTreeMap::new();
    for path in paths {
        groups.entry(path.folded()).or_default().push(path);
    }
    let mut groups: Vec<_> = groups.into_values().filter(|group| group.len() > 1).collect();
    for group in &mut groups {
        group.sort();
    }
    groups.sort();
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twins_are_found_in_groups() {
        let paths = ["b", "a/X", "A/x", "a/y", "e\u{301}", "\u{e9}", "a/x"];
        let paths = paths.map(|text| RelPath::new(text).unwrap());

        let groups = twins(paths.iter());

        let texts: Vec<Vec<&str>> =
            groups.iter().map(|group| group.iter().map(|path| path.as_str()).collect()).collect();
        assert_eq!(texts, [vec!["A/x", "a/X", "a/x"], vec!["e\u{301}", "\u{e9}"]]);
    }
}
