//! A set of paths that can all stand on one disk at once, whatever its rules.
//!
//! No two are twins, and none is a file where another needs a folder, also
//! after folding. A path takes one place and a question two, however deep it lies.

use std::ops::Bound;

use super::{Folded, RelPath};
use crate::shared::SharedMap;

/// Paths of which no two get in each other's way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    files: SharedMap<Key, RelPath>,
}

/// A folded path, ordered so that all that lies below it follows it at once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key(Box<str>);

impl Key {
    fn of(folded: &Folded) -> Self {
        // No path has a control character, and all that it has comes after this one.
        Self(folded.as_str().replace('/', "\0").into())
    }

    fn is_below(&self, folder: &Self) -> bool {
        self.0.strip_prefix(&*folder.0).is_some_and(|rest| rest.starts_with('\0'))
    }
}

/// Why a path can't be added: another one is in the way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Clash {
    #[error("{path} and {other} are one name on some disks")]
    Twin { path: RelPath, other: RelPath },
    #[error("{path} would lie below {file}, which is a file")]
    BelowFile { path: RelPath, file: RelPath },
    #[error("{path} would be a file where others need a folder")]
    IsFolder { path: RelPath },
}

impl Clash {
    /// The path that could not be added.
    pub fn path(&self) -> &RelPath {
        match self {
            Self::Twin { path, .. } | Self::BelowFile { path, .. } | Self::IsFolder { path } => {
                path
            }
        }
    }
}

impl Names {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a path; one that is there already, spelt alike, stays as it is.
    ///
    /// On a clash nothing changes. Whoever renames removes the old name first.
    pub fn insert(&mut self, path: &RelPath) -> Result<(), Clash> {
        let key = Key::of(&path.folded());
        if self.files.get(&key) == Some(path) {
            return Ok(());
        }
        self.check(path, &key)?;
        self.files.insert(key, path.clone());
        Ok(())
    }

    /// Takes a path out; `false` when it wasn't in, spelt exactly so.
    pub fn remove(&mut self, path: &RelPath) -> bool {
        let key = Key::of(&path.folded());
        self.files.get(&key) == Some(path) && self.files.remove(&key).is_some()
    }

    /// The path that stands here, perhaps spelt otherwise.
    pub fn holder(&self, folded: &Folded) -> Option<&RelPath> {
        self.files.get(&Key::of(folded))
    }

    /// A file above `path` would be the last before it, and one below it the next.
    fn check(&self, path: &RelPath, key: &Key) -> Result<(), Clash> {
        let (before, after) = (Bound::Unbounded, Bound::Included(key));
        if let Some((at, other)) = self.files.range((before, after)).next_back() {
            if at == key {
                return Err(Clash::Twin { path: path.clone(), other: other.clone() });
            }
            if key.is_below(at) {
                return Err(Clash::BelowFile { path: path.clone(), file: other.clone() });
            }
        }
        let (before, after) = (Bound::Excluded(key), Bound::Unbounded);
        match self.files.range((before, after)).next() {
            Some((at, _)) if at.is_below(key) => Err(Clash::IsFolder { path: path.clone() }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    fn names(paths: &[&str]) -> Names {
        let mut names = Names::new();
        for text in paths {
            names.insert(&path(text)).unwrap();
        }
        names
    }

    #[track_caller]
    fn clashes(present: &[&str], added: &str) -> Clash {
        names(present).insert(&path(added)).unwrap_err()
    }

    #[test]
    fn twins_clash() {
        let (path, other) = (path("A/x.md"), path("a/X.md"));
        assert_eq!(clashes(&["a/X.md"], "A/x.md"), Clash::Twin { path, other });
    }

    #[test]
    fn folders_may_differ_in_case_when_their_files_differ_in_more() {
        names(&["A/x", "a/y", "a/b/c", "A/B/d"]);
    }

    #[test]
    fn file_clashes_with_a_folder_of_that_name() {
        let below = Clash::BelowFile { path: path("A/b/c"), file: path("a") };
        assert_eq!(clashes(&["a"], "A/b/c"), below);
        assert_eq!(clashes(&["a/b/c"], "A/B"), Clash::IsFolder { path: path("A/B") });
    }

    #[test]
    fn name_is_free_again_once_removed() {
        let mut names = names(&["a/b/c", "a/d"]);

        assert!(names.remove(&path("a/b/c")));
        names.insert(&path("A/b")).unwrap();
        assert!(names.remove(&path("a/d")));
        assert!(names.remove(&path("A/b")));
        names.insert(&path("a")).unwrap();
    }

    #[test]
    fn only_the_exact_spelling_is_removed() {
        let mut names = names(&["a.md"]);

        assert!(!names.remove(&path("A.md")));
        assert_eq!(names.holder(&path("A.md").folded()), Some(&path("a.md")));
    }

    #[test]
    fn adding_a_path_again_changes_nothing() {
        let mut names = names(&["a/b", "a/b"]);

        assert!(names.remove(&path("a/b")));
        names.insert(&path("a")).unwrap();
    }

    #[test]
    fn clash_changes_nothing() {
        let mut names = names(&["a/b/c"]);

        names.insert(&path("a/b/c/d")).unwrap_err();
        names.insert(&path("A/B/C")).unwrap_err();
        assert!(names.remove(&path("a/b/c")));
        assert!(names.files.is_empty());
    }

    #[test]
    fn neighbours_in_the_order_of_bytes_are_no_clash() {
        names(&["a", "a!/b", "a.md", "a0/b", "a b"]);
        let below = Clash::BelowFile { path: path("a/b"), file: path("a") };
        assert_eq!(clashes(&["a", "a!/b", "a.md"], "a/b"), below);
        assert_eq!(clashes(&["a!", "a/b", "a0"], "a"), Clash::IsFolder { path: path("a") });
    }

    #[test]
    fn path_takes_one_place_however_deep_it_lies() {
        let mut names = Names::new();
        for number in 0..1_000 {
            let deep = format!("{}{number}", "a/".repeat(500));
            names.insert(&path(&deep)).unwrap();
        }
        assert_eq!(names.files.len(), 1_000);
    }
}
