//! A set of paths that can all stand on one disk at once, whatever its rules.
//!
//! No two are twins, and none is a file where another needs a folder, also
//! after folding. Answers in time that depends on a path's depth alone.

use rpds::HashTrieMapSync;

use super::{Folded, RelPath};

/// Paths of which no two get in each other's way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    places: HashTrieMapSync<Folded, Place>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    File(RelPath),
    /// A folder, for as long as this many paths lie below it.
    Folder(usize),
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
        let folded = path.folded();
        if self.holder(&folded) == Some(path) {
            return Ok(());
        }
        self.check(path, &folded)?;
        for folder in folded.ancestors() {
            if let Some(Place::Folder(count)) = self.places.get_mut(folder) {
                *count += 1;
            } else {
                self.places.insert_mut(Folded::of(folder), Place::Folder(1));
            }
        }
        self.places.insert_mut(folded, Place::File(path.clone()));
        Ok(())
    }

    /// Takes a path out; `false` when it wasn't in, spelt exactly so.
    pub fn remove(&mut self, path: &RelPath) -> bool {
        let folded = path.folded();
        if self.holder(&folded) != Some(path) {
            return false;
        }
        for folder in folded.ancestors() {
            if let Some(Place::Folder(count)) = self.places.get_mut(folder) {
                *count -= 1;
                if *count == 0 {
                    self.places.remove_mut(folder);
                }
            }
        }
        self.places.remove_mut(&folded);
        true
    }

    /// The path that stands here, perhaps spelt otherwise.
    pub fn holder(&self, folded: &Folded) -> Option<&RelPath> {
        match self.places.get(folded) {
            Some(Place::File(path)) => Some(path),
            Some(Place::Folder(_)) | None => None,
        }
    }

    fn check(&self, path: &RelPath, folded: &Folded) -> Result<(), Clash> {
        for folder in folded.ancestors() {
            if let Some(Place::File(file)) = self.places.get(folder) {
                return Err(Clash::BelowFile { path: path.clone(), file: file.clone() });
            }
        }
        match self.places.get(folded) {
            None => Ok(()),
            Some(Place::File(other)) => {
                Err(Clash::Twin { path: path.clone(), other: other.clone() })
            }
            Some(Place::Folder(_)) => Err(Clash::IsFolder { path: path.clone() }),
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
        assert!(names.places.is_empty());
    }
}
