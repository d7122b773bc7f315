//! Ignore files together: the one of the project, and those of git where the
//! project goes by them, each for the folder that it lies in.

use std::collections::BTreeMap;

use super::gitignore::{Rule, Rules, costs_of};
use crate::path::RelPath;

/// The name of git's ignore files.
pub const GIT_IGNORE_FILE: &str = ".gitignore";

/// More than anybody writes; ignore files come from other machines, too.
const MAX_RULES: usize = 100_000;

/// So many wildcards and bytes beside them are compared one by one with a path.
const MAX_PIECES: usize = 10_000;

/// So much of either all ignore files of one project have together.
const MOST_RULES: usize = 1_000_000;
const MOST_PIECES: usize = 200_000;

/// What ignore files cost whoever goes by them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IgnoreCost {
    rules: usize,
    pieces: usize,
}

impl IgnoreCost {
    /// Adds a file's rules, or says why they are too many to go by.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let (mut rules, mut pieces) = (0, 0);
        for cost in costs_of(text) {
            (rules, pieces) = (rules + 1, pieces + cost);
            if rules > MAX_RULES {
                return Err(format!("it has more than {MAX_RULES} rules"));
            }
            if pieces > MAX_PIECES {
                return Err(format!("its wildcards have more than {MAX_PIECES} pieces"));
            }
        }
        let all = Self { rules: self.rules + rules, pieces: self.pieces + pieces };
        if all.rules > MOST_RULES || all.pieces > MOST_PIECES {
            return Err("there are too many rules with those of the other files".to_owned());
        }
        *self = all;
        Ok(())
    }
}

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

    pub(super) fn insert(&mut self, folder: String, text: &str) {
        self.0.insert(folder, Rules::new(text));
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
    fn last_rule_decides_with_a_wildcard_or_without() {
        let texts = [("", "*.md\n!a.md\nb\n!?\nb/\n/c/d\n!*e\nc/d\n")];
        check(&texts, "x.md", Some(("", 1)));
        check(&texts, "a.md", None);
        check(&texts, "b", None);
        check(&texts, "b/x", Some(("", 5)));
        check(&texts, "c/d", Some(("", 8)));
        check(&texts, "d", None);
    }

    #[test]
    fn rules_without_a_wildcard_are_looked_up() {
        let rules: Vec<String> = (0..MAX_RULES).map(|number| format!("n{number}")).collect();
        let text = rules.join("\n");
        let ignores = Ignores::new([("", text.as_str())]);
        for number in 0..MAX_RULES {
            let path = RelPath::new(&format!("a/b/n{number}")).unwrap();
            assert_eq!(ignores.drop_file(&path).map(|it| it.rule.line), Some(number + 1));
        }
    }

    #[test]
    fn rules_of_other_machines_are_bounded() {
        let cost = |text: &str| IgnoreCost::default().add(text);
        assert_eq!(cost(&"a\n".repeat(MAX_RULES)), Ok(()));
        assert_eq!(cost(&"# a\n\n".repeat(MAX_RULES + 1)), Ok(()));
        assert!(cost(&"a\n".repeat(MAX_RULES + 1)).unwrap_err().contains("rules"));
        assert_eq!(cost(&"*.a\n".repeat(MAX_PIECES)), Ok(()));
        assert!(cost(&"*?\n".repeat(MAX_PIECES)).unwrap_err().contains("wildcards"));
        let mut all = IgnoreCost::default();
        for _ in 0..MOST_RULES / MAX_RULES {
            all.add(&"a\n".repeat(MAX_RULES)).unwrap();
        }
        assert!(all.add("a").unwrap_err().contains("other files"));
        assert_eq!(all.add("# none"), Ok(()));
        let mut all = IgnoreCost::default();
        for _ in 0..MOST_PIECES / MAX_PIECES {
            all.add(&"*\n".repeat(MAX_PIECES)).unwrap();
        }
        assert!(all.add("*").is_err());
    }

    #[test]
    fn nothing_comes_back_below_a_dropped_folder() {
        let texts = [("", "build/\n"), ("build", "!*\n")];
        check(&texts, "build/keep.md", Some(("", 1)));
        check(&texts, "build", None);
    }
}
