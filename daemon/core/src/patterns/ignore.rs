//! Ignore files together: the one of the project, and those of git where the
//! project goes by them, each for the folder that it lies in.

use std::collections::BTreeMap;

use super::gitignore::{Rule, Rules};
use crate::path::RelPath;

/// The name of git's ignore files.
pub const GIT_IGNORE_FILE: &str = ".gitignore";

/// Rules by the folder that they are for; the root's is `""`.
#[derive(Clone, Debug, Default)]
pub(super) struct Ignores(BTreeMap<String, Rules>);

/// The rule that drops a path, and the folder of its file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dropped<'a> {
    pub(super) folder: &'a str,
    pub(super) rule: &'a Rule,
}

impl Ignores {
    pub(super) fn new<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let rules = |(folder, text): (&str, &str)| (folder.to_owned(), Rules::new(text));
        Self(texts.into_iter().map(rules).collect())
    }

    pub(super) fn drop_file(&self, path: &RelPath) -> Option<Dropped<'_>> {
        self.drop_above(path).or_else(|| self.drop(path.as_str(), false))
    }

    pub(super) fn drop_folder(&self, folder: &RelPath) -> Option<Dropped<'_>> {
        self.drop_above(folder).or_else(|| self.drop(folder.as_str(), true))
    }

    /// From the root down: nothing below a dropped folder comes back.
    pub(super) fn drop_above(&self, path: &RelPath) -> Option<Dropped<'_>> {
        if self.0.is_empty() {
            return None;
        }
        path.ancestors().find_map(|folder| self.drop(folder, true))
    }

    /// The file nearest to `path` that says anything of it decides.
    fn drop(&self, path: &str, is_folder: bool) -> Option<Dropped<'_>> {
        let mut folder = path;
        loop {
            folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
            if let Some((folder, rules)) = self.0.get_key_value(folder) {
                let below = path[folder.len()..].trim_start_matches('/');
                if let Some(rule) = rules.deciding(below, is_folder) {
                    return (!rule.takes_back).then_some(Dropped { folder, rule });
                }
            }
            if folder.is_empty() {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(texts: &[(&str, &str)], path: &str, dropped_by: Option<(&str, usize)>) {
        let ignores = Ignores::new(texts.iter().copied());
        let path = RelPath::new(path).unwrap();
        let found = ignores.drop_file(&path).map(|dropped| (dropped.folder, dropped.rule.line));
        assert_eq!(found, dropped_by, "{path}");
    }

    #[test]
    fn nearest_file_decides() {
        let texts = [("", "*.log\n/top\n"), ("a", "# mine\n!keep.log\n/only"), ("a/b", "*.log")];
        check(&texts, "x.log", Some(("", 1)));
        check(&texts, "a/x.log", Some(("", 1)));
        check(&texts, "a/keep.log", None);
        check(&texts, "a/b/keep.log", Some(("a/b", 1)));
        check(&texts, "a/only", Some(("a", 3)));
        check(&texts, "only", None);
        check(&texts, "a/c/only", None);
        check(&texts, "a/top", None);
        check(&texts, "ab/keep.log", Some(("", 1)));
    }

    #[test]
    fn nothing_comes_back_below_a_dropped_folder() {
        let texts = [("", "build/\n"), ("build", "!*\n")];
        check(&texts, "build/keep.md", Some(("", 1)));
        check(&texts, "build", None);
    }
}
