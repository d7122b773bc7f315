//! Globs of a project, compiled.

use globset::{Candidate, Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use super::Patterns;
use crate::path::{MAX_PATH_BYTES, RelPath};

/// More than any person writes; settings come from other machines, too.
const MAX_GLOBS: usize = 1_000;

/// Why a list of globs can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    #[error("a pattern is empty")]
    Empty,
    #[error("pattern {glob:?} is longer than {MAX_PATH_BYTES} bytes")]
    TooLong { glob: String },
    #[error("pattern {glob:?} begins with `/`, but paths begin at the project's root")]
    Absolute { glob: String },
    #[error("pattern {glob:?} ends with `/`; `{glob}**` is all below that folder")]
    Folder { glob: String },
    #[error("pattern {glob:?} has an empty, `.` or `..` part, so it matches nothing")]
    NotNormal { glob: String },
    #[error("pattern {glob:?} is no glob: {reason}")]
    Malformed { glob: String, reason: String },
    #[error("there are more than {MAX_GLOBS} patterns")]
    TooMany,
    #[error("the patterns are too large together")]
    TooLarge,
}

/// [`Patterns`], ready to match.
#[derive(Clone, Debug)]
pub(super) struct Globs {
    include: GlobSet,
    exclude: GlobSet,
    /// For folders: `exclude`, and `docs` for its `docs/**`.
    exclude_folders: GlobSet,
    reaches: Vec<Reach>,
}

impl Globs {
    pub(super) fn new(patterns: &Patterns) -> Result<Self, PatternError> {
        if patterns.include.len() + patterns.exclude.len() > MAX_GLOBS {
            return Err(PatternError::TooMany);
        }
        let stems = patterns.exclude.iter().filter_map(|glob| glob.strip_suffix("/**"));
        let folders = patterns.exclude.iter().map(String::as_str).chain(stems);
        Ok(Self {
            include: set(patterns.include.iter().map(String::as_str))?,
            exclude: set(patterns.exclude.iter().map(String::as_str))?,
            exclude_folders: set(folders)?,
            reaches: patterns.include.iter().map(|glob| Reach::of(glob)).collect(),
        })
    }

    pub(super) fn take(&self, path: &RelPath) -> bool {
        let file = Candidate::new(path.as_str());
        self.include.is_match_candidate(&file)
            && !self.exclude.is_match_candidate(&file)
            && !path.ancestors().any(|folder| self.leave_out(folder))
    }

    pub(super) fn may_take_below(&self, folder: &RelPath) -> bool {
        self.reaches.iter().any(|reach| reach.goes_below(folder))
            && !self.leave_out(folder.as_str())
            && !folder.ancestors().any(|above| self.leave_out(above))
    }

    /// Which glob of `exclude` leaves `path` out, for people.
    pub(super) fn leaving_out(&self, path: &RelPath, exclude: &[String]) -> Option<String> {
        let whole = Candidate::new(path.as_str());
        if let Some(at) = self.exclude.matches_candidate(&whole).first() {
            return exclude.get(*at).cloned();
        }
        let folder = path.ancestors().find(|folder| self.leave_out(folder))?;
        let at = *self.exclude_folders.matches_candidate(&Candidate::new(folder)).first()?;
        // Behind them stand the folders of those that end in `/**`.
        let stems = exclude.iter().filter(|glob| glob.ends_with("/**"));
        exclude.iter().chain(stems).nth(at).cloned()
    }

    fn leave_out(&self, folder: &str) -> bool {
        !self.exclude_folders.is_empty()
            && self.exclude_folders.is_match_candidate(&Candidate::new(folder))
    }
}

/// Compiles one glob with the meaning that [`Patterns`] promises.
pub(crate) fn compile(glob: &str) -> Result<Glob, PatternError> {
    let text = || glob.to_owned();
    if glob.is_empty() {
        return Err(PatternError::Empty);
    }
    if glob.len() > MAX_PATH_BYTES {
        return Err(PatternError::TooLong { glob: text() });
    }
    if glob.starts_with('/') {
        return Err(PatternError::Absolute { glob: text() });
    }
    if glob.ends_with('/') {
        return Err(PatternError::Folder { glob: text() });
    }
    if glob.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(PatternError::NotNormal { glob: text() });
    }
    GlobBuilder::new(glob)
        .literal_separator(true)
        .backslash_escape(true)
        .empty_alternates(true)
        .build()
        .map_err(|error| PatternError::Malformed { glob: text(), reason: error.kind().to_string() })
}

fn set<'a>(globs: impl Iterator<Item = &'a str>) -> Result<GlobSet, PatternError> {
    let mut builder = GlobSetBuilder::new();
    for glob in globs {
        builder.add(compile(glob)?);
    }
    builder.build().map_err(|_| PatternError::TooLarge)
}

/// How far below the root a glob can match, known without matching.
#[derive(Clone, Debug)]
struct Reach {
    /// The folders it names literally, outermost first.
    folders: Vec<String>,
    /// The most segments of a path it matches; `None` for any number.
    depth: Option<usize>,
}

impl Reach {
    fn of(glob: &str) -> Self {
        let parts: Vec<&str> = glob.split('/').collect();
        let is_literal = |part: &&&str| !part.contains(['*', '?', '[', ']', '{', '}', '\\']);
        let folders = &parts[..parts.len() - 1];
        // Braces may hold slashes, so with them parts say nothing of depth.
        let endless = glob.contains("**") || glob.contains('{');
        Self {
            folders: folders.iter().take_while(is_literal).map(|&part| part.to_owned()).collect(),
            depth: (!endless).then_some(parts.len()),
        }
    }

    fn goes_below(&self, folder: &RelPath) -> bool {
        self.folders.iter().zip(folder.segments()).all(|(named, segment)| named == segment)
            && self.depth.is_none_or(|depth| folder.segments().count() < depth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(include: &[&str], exclude: &[&str]) -> Globs {
        let owned = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
        let patterns = Patterns { include: owned(include), exclude: owned(exclude) };
        Globs::new(&patterns).unwrap()
    }

    #[track_caller]
    fn check(include: &[&str], exclude: &[&str], path: &str, expected: bool) {
        let takes = globs(include, exclude).take(&RelPath::new(path).unwrap());
        assert_eq!(takes, expected, "{path:?} of {include:?} without {exclude:?}");
    }

    #[test]
    fn double_star_also_stands_for_no_folder() {
        check(&["**/*"], &[], "a", true);
        check(&["**/*"], &[], "a/b/c", true);
        check(&["**/*.md"], &[], "a.md", true);
        check(&["docs/**/*.md"], &[], "docs/a.md", true);
    }

    #[test]
    fn star_stops_at_a_folder() {
        check(&["*.md"], &[], "a.md", true);
        check(&["*.md"], &[], "docs/a.md", false);
        check(&["docs/*"], &[], "docs/a/b", false);
        check(&["docs/**"], &[], "docs/a/b", true);
        check(&["a?c"], &[], "a/c", false);
    }

    #[test]
    fn glob_has_choices_classes_and_escapes_and_heeds_case() {
        check(&["*.{md,txt}"], &[], "a.txt", true);
        check(&["[a-c].md"], &[], "b.md", true);
        check(&["\\*.md"], &[], "a.md", false);
        check(&["\\*.md"], &[], "*.md", true);
        check(&["**/*.md"], &[], "A.MD", false);
        check(&["**/*"], &[], ".hidden/.file", true);
    }

    #[test]
    fn excluded_folder_takes_all_below_with_it() {
        check(&["**/*"], &["drafts"], "drafts/a/b.md", false);
        check(&["**/*"], &["drafts/**"], "drafts/a/b.md", false);
        check(&["**/*"], &["**/tmp"], "a/tmp/b", false);
        check(&["**/*"], &["drafts/**"], "drafts", true);
        check(&["**/*"], &["drafts"], "drafts.md", true);
    }

    #[test]
    fn folder_is_entered_only_where_something_may_be_taken() {
        let enters = |include: &[&str], exclude: &[&str], folder: &str| {
            globs(include, exclude).may_take_below(&RelPath::new(folder).unwrap())
        };
        assert!(enters(&["**/*.md"], &[], "a/b/c"));
        assert!(enters(&["docs/api/*.md"], &[], "docs"));
        assert!(enters(&["{a,b/c}/*.md"], &[], "b/c"));
        assert!(!enters(&["*.md"], &[], "a"));
        assert!(!enters(&["docs/**"], &[], "src"));
        assert!(!enters(&["docs/*/*.md"], &[], "docs/a/b"));
        assert!(!enters(&["**/*"], &["src/**"], "src"));
        assert!(!enters(&["**/*"], &["**/target"], "a/target/debug"));
    }

    #[test]
    fn glob_that_can_never_work_is_refused_with_the_reason() {
        let refusal = |glob: &str| compile(glob).unwrap_err().to_string();

        assert_eq!(refusal(""), "a pattern is empty");
        assert!(refusal("/a").contains("begins with `/`"));
        assert!(refusal("docs/").contains("`docs/**`"));
        assert!(refusal("../a").contains("matches nothing"));
        assert!(refusal("a//b").contains("matches nothing"));
        assert!(refusal("a[b").starts_with("pattern \"a[b\" is no glob: "));
        assert!(refusal("{a").contains("is no glob"));
        assert!(refusal(&"a".repeat(2_000)).contains("longer than"));
    }

    #[test]
    fn patterns_of_another_machine_are_bounded() {
        let many = Patterns { include: vec!["a".into(); MAX_GLOBS + 1], exclude: vec![] };
        assert_eq!(many.check(), Err(PatternError::TooMany));
        assert_eq!(Patterns::default().check(), Ok(()));
    }
}
