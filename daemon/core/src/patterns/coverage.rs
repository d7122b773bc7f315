//! All rules on what is mirrored, applied together.

use serde::{Deserialize, Serialize};

use super::Patterns;
use super::gitignore::Rules;
use super::globs::{Globs, PatternError};
use super::never::is_temporary;
use crate::path::RelPath;

/// The file at the root whose text says what isn't mirrored; itself always is.
pub const IGNORE_FILE: &str = ".mirrorignore";

/// What a coverage is made of. Kept beside the base, so that a path that has
/// left the patterns since is seen to have left (B7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageSource {
    pub project: Patterns,
    /// This machine's own, which only ever takes away.
    #[serde(default)]
    pub narrowing: Option<Patterns>,
    /// The text of `.mirrorignore`, empty when there is none.
    #[serde(default)]
    pub ignore: String,
}

/// Says of any path whether it is mirrored here.
///
/// Two are equal when their sources are, text for text.
#[derive(Clone, Debug)]
pub struct Coverage {
    source: CoverageSource,
    project: Globs,
    narrowing: Option<Globs>,
    rules: Rules,
}

impl Coverage {
    pub fn new(source: CoverageSource) -> Result<Self, PatternError> {
        Ok(Self {
            project: Globs::new(&source.project)?,
            narrowing: source.narrowing.as_ref().map(Globs::new).transpose()?,
            rules: Rules::new(&source.ignore),
            source,
        })
    }

    pub fn source(&self) -> &CoverageSource {
        &self.source
    }

    /// Whether the file at `path` is mirrored.
    pub fn covers(&self, path: &RelPath) -> bool {
        path.as_str() == IGNORE_FILE
            || (!path.segments().any(is_temporary)
                && self.globs().all(|globs| globs.take(path))
                && !self.rules.drop_file(path))
    }

    /// Whether a covered file may lie somewhere below `folder`. `false` is
    /// certain, so whoever walks the tree needn't enter.
    pub fn may_hold(&self, folder: &RelPath) -> bool {
        !folder.segments().any(is_temporary)
            && self.globs().all(|globs| globs.may_take_below(folder))
            && !self.rules.drop_folder(folder)
    }

    /// Whether the ignore file leaves out a folder at `path`, or one above it.
    /// Unlike patterns it is the same on every machine and speaks of folders.
    pub fn ignores(&self, path: &RelPath) -> bool {
        self.rules.drop_folder(path)
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
        let source =
            CoverageSource { project: everything(), narrowing: None, ignore: ignore.into() };
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
        let source = CoverageSource { project, narrowing: Some(narrowing), ignore: String::new() };
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
    fn coverage_read_back_is_equal_and_other_text_is_not() {
        let coverage = ignoring("*.log\n");
        let json = serde_json::to_string(coverage.source()).unwrap();
        let read: CoverageSource = serde_json::from_str(&json).unwrap();

        assert_eq!(Coverage::new(read).unwrap(), coverage);
        assert_ne!(ignoring("*.log"), coverage);
    }
}
