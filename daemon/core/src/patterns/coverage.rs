//! All rules on what is mirrored, applied together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Patterns;
use super::globs::{Globs, PatternError};
use super::ignore::{Dropped, GIT_IGNORE_FILE, Ignores};
use super::never::{is_own_temporary, is_temporary};
use crate::path::RelPath;

/// The file at the root whose text says what isn't mirrored; itself always is.
pub const IGNORE_FILE: &str = ".mirrorignore";

/// What a coverage is made of. Kept beside the base, so that a path that has
/// left the patterns since is seen to have left (B7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CoverageSource {
    pub project: Patterns,
    /// This machine's own, which only ever takes away.
    pub narrowing: Option<Patterns>,
    /// The text of `.mirrorignore`, empty when there is none.
    pub ignore: String,
    /// Where `.mirrorignore` leads to, when it is a link: mirrored as it is.
    pub ignore_through: Vec<RelPath>,
    /// The texts of all `.gitignore` files by their folder (the root's is `""`);
    /// `None` where the project doesn't go by them.
    pub gitignore: Option<BTreeMap<String, String>>,
    /// Folders and files of our own that lie in this tree.
    pub own: Vec<RelPath>,
}

/// Says of any path whether it is mirrored here.
///
/// Two are equal when their sources are, text for text.
#[derive(Clone, Debug)]
pub struct Coverage {
    source: CoverageSource,
    project: Globs,
    narrowing: Option<Globs>,
    rules: Ignores,
    git_rules: Ignores,
}

/// Why a path is not mirrored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// A program writes it at the moment.
    Temporary,
    /// It is ours.
    Own,
    NoPattern {
        include: Vec<String>,
    },
    Excluded {
        glob: String,
    },
    /// By the patterns of this machine alone.
    Narrowed,
    Ignored {
        file: String,
        line: usize,
        rule: String,
    },
}

impl Coverage {
    pub fn new(source: CoverageSource) -> Result<Self, PatternError> {
        let git = source.gitignore.iter().flatten();
        let git_rules = Ignores::new(git.map(|(folder, text)| (folder.as_str(), text.as_str())));
        let ignore = (!source.ignore.is_empty()).then_some(("", source.ignore.as_str()));
        Ok(Self {
            project: Globs::new(&source.project)?,
            narrowing: source.narrowing.as_ref().map(Globs::new).transpose()?,
            rules: Ignores::new(ignore),
            git_rules,
            source,
        })
    }

    /// Lets the rules of one more `.gitignore` hold.
    pub fn add_git_rules(&mut self, folder: String, text: String) {
        self.git_rules.insert(folder.clone(), &text);
        self.source.gitignore.get_or_insert_default().insert(folder, text);
    }

    pub fn into_source(self) -> CoverageSource {
        self.source
    }

    pub fn source(&self) -> &CoverageSource {
        &self.source
    }

    /// Whether the file at `path` is mirrored.
    pub fn covers(&self, path: &RelPath) -> bool {
        self.holds_rules(path)
            || (!self.is_ours(path)
                && !is_temporary(path.name())
                && self.globs().all(|globs| globs.take(path))
                && self.dropped_file(path).is_none())
    }

    /// Whether a covered file may lie somewhere below `folder`. `false` is
    /// certain, so whoever walks the tree needn't enter.
    pub fn may_hold(&self, folder: &RelPath) -> bool {
        let holds_rules = |rules: &RelPath| rules.is_within(folder.as_str());
        !self.is_ours(folder)
            && (self.source.ignore_through.iter().any(holds_rules)
                || (self.globs().all(|globs| globs.may_take_below(folder))
                    && !self.ignores(folder)))
    }

    /// Whether an ignore file leaves out a folder at `path`, or one above it.
    /// Unlike patterns it is the same on every machine and speaks of folders.
    pub fn ignores(&self, path: &RelPath) -> bool {
        self.rules.drop_folder(path).is_some() || self.git_rules.drop_folder(path).is_some()
    }

    /// Whether `path` lies in a folder of our own, or is a temporary one of ours.
    pub fn is_ours(&self, path: &RelPath) -> bool {
        path.segments().any(is_own_temporary)
            || self.source.own.iter().any(|own| own == path || path.is_within(own.as_str()))
    }

    /// Why `path` isn't mirrored; `None` when it is.
    pub fn why_not(&self, path: &RelPath) -> Option<Left> {
        if self.covers(path) {
            return None;
        }
        if self.is_ours(path) {
            return Some(Left::Own);
        }
        if is_temporary(path.name()) {
            return Some(Left::Temporary);
        }
        if let Some(glob) = self.project.leaving_out(path, &self.source.project.exclude) {
            return Some(Left::Excluded { glob });
        }
        if !self.project.take(path) {
            return Some(Left::NoPattern { include: self.source.project.include.clone() });
        }
        Some(self.dropping(path).unwrap_or(Left::Narrowed))
    }

    /// The rule that drops `path`, with the line that it is.
    fn dropping(&self, path: &RelPath) -> Option<Left> {
        let ignored = |name: &str, text: &str, Dropped { folder, rule }: Dropped<'_>| {
            let file = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            let line = text.split('\n').nth(rule.line - 1).unwrap_or_default();
            Left::Ignored { file, line: rule.line, rule: line.trim_end().to_owned() }
        };
        if let Some(dropped) = self.rules.drop_file(path) {
            return Some(ignored(IGNORE_FILE, &self.source.ignore, dropped));
        }
        let dropped = self.git_rules.drop_file(path)?;
        let text = self.source.gitignore.as_ref().and_then(|texts| texts.get(dropped.folder));
        Some(ignored(GIT_IGNORE_FILE, text.map_or("", String::as_str), dropped))
    }

    fn dropped_file(&self, path: &RelPath) -> Option<Dropped<'_>> {
        self.rules.drop_file(path).or_else(|| self.git_rules.drop_file(path))
    }

    /// Whether the file at `path` says what is mirrored. Such files go wherever what
    /// they are about goes, whatever they say of themselves: else machines would
    /// not agree. What is our own goes nowhere, be it called rules or not (B7).
    pub fn holds_rules(&self, path: &RelPath) -> bool {
        !self.is_ours(path)
            && (path.as_str() == IGNORE_FILE
                || self.source.ignore_through.contains(path)
                || self.is_git_rules(path))
    }

    fn is_git_rules(&self, path: &RelPath) -> bool {
        self.source.gitignore.is_some()
            && path.name() == GIT_IGNORE_FILE
            && path.parent().is_none_or(|folder| self.may_hold(&folder))
    }

    fn globs(&self) -> impl Iterator<Item = &Globs> {
        std::iter::once(&self.project).chain(&self.narrowing)
    }
}

impl PartialEq for Coverage {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Coverage {}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    fn everything() -> Patterns {
        Patterns { include: vec!["**/*".into()], exclude: vec![] }
    }

    fn ignoring(ignore: &str) -> Coverage {
        let source = CoverageSource {
            project: everything(),
            ignore: ignore.into(),
            ..CoverageSource::default()
        };
        Coverage::new(source).unwrap()
    }

    fn by_git(texts: &[(&str, &str)]) -> Coverage {
        let owned = |(folder, text): &(&str, &str)| ((*folder).to_owned(), (*text).to_owned());
        let source = CoverageSource {
            gitignore: Some(texts.iter().map(owned).collect()),
            ..CoverageSource::default()
        };
        Coverage::new(source).unwrap()
    }

    #[track_caller]
    fn check(coverage: &Coverage, text: &str, expected: bool) {
        let path = path(text);
        assert_eq!(coverage.covers(&path), expected, "{text:?}");
        // Whatever is covered lies in folders that a walk enters.
        if expected && text != IGNORE_FILE {
            let mut above = path.parent();
            while let Some(folder) = above {
                assert!(coverage.may_hold(&folder), "{folder} of {text:?}");
                above = folder.parent();
            }
        }
    }

    #[test]
    fn markdown_is_mirrored_by_default() {
        let coverage = Coverage::new(CoverageSource::default()).unwrap();
        check(&coverage, "CLAUDE.md", true);
        check(&coverage, "notes/a.md", true);
        check(&coverage, "a.txt", false);
    }

    #[test]
    fn machine_can_only_narrow() {
        let narrowing =
            Patterns { include: vec!["docs/**".into()], exclude: vec!["docs/old".into()] };
        let project = Patterns::default();
        let narrowing = Some(narrowing);
        let source = CoverageSource { project, narrowing, ..CoverageSource::default() };
        let coverage = Coverage::new(source).unwrap();

        check(&coverage, "docs/a.md", true);
        check(&coverage, "docs/a.txt", false);
        check(&coverage, "a.md", false);
        check(&coverage, "docs/old/a.md", false);
        assert!(!coverage.may_hold(&path("src")));
        assert!(!coverage.may_hold(&path("docs/old")));
    }

    #[test]
    fn ignored_folder_is_pruned_with_all_below() {
        let coverage = ignoring("build/\n!build/keep.md\n*.log\n!important.log\n");
        check(&coverage, "build/a.md", false);
        check(&coverage, "build/keep.md", false);
        check(&coverage, "a/b.log", false);
        check(&coverage, "a/important.log", true);
        check(&coverage, "build", true);
        assert!(!coverage.may_hold(&path("build")));
        assert!(!coverage.may_hold(&path("build/deep")));
        assert!(coverage.may_hold(&path("a")));
        assert!(coverage.ignores(&path("build")) && coverage.ignores(&path("build/keep.md")));
        assert!(!coverage.ignores(&path("a")));
    }

    #[test]
    fn ignore_file_is_mirrored_whatever_the_rules() {
        let coverage = ignoring("*\n.mirrorignore\n");
        check(&coverage, ".mirrorignore", true);
        check(&coverage, "a/.mirrorignore", false);
        let markdown = Coverage::new(CoverageSource::default()).unwrap();
        check(&markdown, ".mirrorignore", true);
    }

    #[test]
    fn left_overs_are_never_mirrored_nor_what_lies_in_them() {
        let coverage = ignoring("!*\n");
        check(&coverage, "a.md~", false);
        check(&coverage, "notes/.a.md.swp", false);
        check(&coverage, ".mirrord-01J/a", false);
        assert!(!coverage.may_hold(&path(".mirrord-01J")));
    }

    #[test]
    fn folder_that_is_named_like_an_editors_file_is_a_folder() {
        let coverage = ignoring("");
        for folder in ["a~", ".#x", "#a#", "4913", ".a.swp", "~$x", ".~lock.a#"] {
            check(&coverage, &format!("{folder}/a.md"), true);
            check(&coverage, folder, false);
        }
    }

    #[test]
    fn own_folders_are_never_covered_nor_what_lies_in_them() {
        let source = CoverageSource {
            project: everything(),
            own: vec![path(".config/mirrord")],
            ..CoverageSource::default()
        };
        let coverage = Coverage::new(source).unwrap();
        check(&coverage, ".config/mirrord/machine_id", false);
        check(&coverage, ".config/mirrord", false);
        check(&coverage, ".config/mirrord.toml", true);
        assert!(!coverage.may_hold(&path(".config/mirrord")));
        assert!(!coverage.may_hold(&path(".config/mirrord/projects")));
        assert!(coverage.may_hold(&path(".config")));
    }

    #[test]
    fn what_the_ignore_file_leads_to_is_mirrored_with_it() {
        let source = CoverageSource {
            ignore: "rules/\n".into(),
            ignore_through: vec![path("rules/shared.txt")],
            ..CoverageSource::default()
        };
        let coverage = Coverage::new(source).unwrap();
        check(&coverage, "rules/shared.txt", true);
        check(&coverage, "rules/a.md", false);
    }

    #[test]
    fn ignore_file_that_leads_to_what_is_ours_takes_none_of_it_along() {
        let source = CoverageSource {
            project: everything(),
            ignore_through: vec![path(".config/mirrord/machine_id"), path("rules.txt")],
            gitignore: Some([(".config/mirrord".to_owned(), String::new())].into()),
            own: vec![path(".config/mirrord")],
            ..CoverageSource::default()
        };
        let coverage = Coverage::new(source).unwrap();
        for own in [".config/mirrord/machine_id", ".config/mirrord/.gitignore"] {
            check(&coverage, own, false);
            assert!(!coverage.holds_rules(&path(own)));
            assert_eq!(coverage.why_not(&path(own)), Some(Left::Own));
        }
        assert!(!coverage.may_hold(&path(".config/mirrord")));
        check(&coverage, "rules.txt", true);
    }

    #[test]
    fn files_of_git_rules_are_mirrored_where_what_they_are_about_is() {
        let coverage = by_git(&[("", "*.secret.md\ntmp/\n.gitignore\n"), ("a", "!b.secret.md\n")]);
        check(&coverage, ".gitignore", true);
        check(&coverage, "a/.gitignore", true);
        check(&coverage, "tmp/.gitignore", false);
        check(&coverage, "x.secret.md", false);
        check(&coverage, "a/b.secret.md", true);
        let markdown = Coverage::new(CoverageSource::default()).unwrap();
        check(&markdown, ".gitignore", false);
    }

    #[test]
    fn rules_that_are_added_hold_as_if_they_had_been_there() {
        let texts = [("", "*.secret.md\ntmp/\n"), ("a", "!b.secret.md\n")];
        let mut coverage = by_git(&[]);
        for (folder, text) in texts {
            coverage.add_git_rules(folder.to_owned(), text.to_owned());
        }
        check(&coverage, "x.secret.md", false);
        check(&coverage, "a/b.secret.md", true);
        assert_eq!(coverage, by_git(&texts));
        assert_eq!(&coverage.clone().into_source(), coverage.source());
    }

    #[test]
    fn why_not_names_the_rule_that_leaves_a_path_out() {
        let source = CoverageSource {
            project: Patterns {
                include: vec!["**/*.md".into()],
                exclude: vec!["old.md".into(), "**/node_modules/**".into()],
            },
            narrowing: Some(Patterns { include: vec!["**/*".into()], exclude: vec!["x".into()] }),
            ignore: "# secrets\nsecret*\r\n".into(),
            gitignore: Some([("a".to_owned(), "\n/b.md\n".to_owned())].into()),
            own: vec![path("own")],
            ..CoverageSource::default()
        };
        let coverage = Coverage::new(source).unwrap();
        let why = |text: &str| coverage.why_not(&path(text));
        let ignored = |file: &str, line, rule: &str| {
            Some(Left::Ignored { file: file.into(), line, rule: rule.into() })
        };
        assert_eq!(why("a.md"), None);
        assert_eq!(why("a.txt"), Some(Left::NoPattern { include: vec!["**/*.md".into()] }));
        assert_eq!(why("secret.md"), ignored(".mirrorignore", 2, "secret*"));
        assert_eq!(why("a/b.md"), ignored("a/.gitignore", 2, "/b.md"));
        assert_eq!(why("own/a.md"), Some(Left::Own));
        assert_eq!(why("a.md~"), Some(Left::Temporary));
        assert_eq!(why("x/a.md"), Some(Left::Narrowed));
        assert_eq!(why("old.md"), Some(Left::Excluded { glob: "old.md".into() }));
        let modules = Some(Left::Excluded { glob: "**/node_modules/**".into() });
        assert_eq!(why("a/node_modules/b.md"), modules);
    }

    #[test]
    fn coverage_read_back_is_equal_and_other_text_is_not() {
        let coverage = ignoring("*.log\n");
        let json = serde_json::to_string(coverage.source()).unwrap();
        let read: CoverageSource = serde_json::from_str(&json).unwrap();

        assert_eq!(Coverage::new(read).unwrap(), coverage);
        assert_ne!(ignoring("*.log"), coverage);
    }
}
