//! Which paths a job is about: all, or those that a person named.

use globset::GlobMatcher;

use crate::path::RelPath;
use crate::patterns::compile_glob;

/// The paths that a job is limited to.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// `None` is the whole project.
    names: Option<Vec<Name>>,
}

/// A file, a folder with all below it, or a glob; whichever it turns out to be.
#[derive(Clone, Debug)]
struct Name {
    given: String,
    path: String,
    glob: Option<GlobMatcher>,
}

/// Names that no known path goes by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no file here or at the head goes by {}", quoted(.0))]
pub struct UnknownNames(pub Vec<String>);

impl Selection {
    pub fn all() -> Self {
        Self::default()
    }

    /// Selects by names relative to the root; none, or the root itself (`.`),
    /// is the whole project.
    pub fn of<T: AsRef<str>>(names: &[T]) -> Self {
        let names: Vec<Name> = names.iter().map(|name| Name::new(name.as_ref())).collect();
        let is_all = names.is_empty() || names.iter().any(Name::is_root);
        Self { names: (!is_all).then_some(names) }
    }

    pub fn matches(&self, path: &RelPath) -> bool {
        self.names.is_none() || self.names(path)
    }

    /// Whether a person named this path, rather than the whole project.
    pub fn names(&self, path: &RelPath) -> bool {
        self.names.iter().flatten().any(|name| name.matches(path))
    }

    /// Refuses names that none of the known paths goes by.
    pub fn check<'a>(
        &self,
        known: impl IntoIterator<Item = &'a RelPath>,
    ) -> Result<(), UnknownNames> {
        let mut unknown: Vec<&Name> = self.names.iter().flatten().collect();
        for path in known {
            if unknown.is_empty() {
                break;
            }
            unknown.retain(|name| !name.matches(path));
        }
        let unknown: Vec<String> = unknown.into_iter().map(|name| name.given.clone()).collect();
        if unknown.is_empty() { Ok(()) } else { Err(UnknownNames(unknown)) }
    }
}

impl Name {
    fn new(given: &str) -> Self {
        let mut path = given;
        while let Some(rest) = path.strip_prefix("./") {
            path = rest.trim_start_matches('/');
        }
        let path = if path == "." { "" } else { path.trim_end_matches('/') };
        // What is no glob is still a name: `[draft.md`.
        let glob = path.contains(['*', '?', '[', '{']).then(|| compile_glob(path).ok()).flatten();
        Self {
            given: given.to_owned(),
            path: path.to_owned(),
            glob: glob.map(|glob| glob.compile_matcher()),
        }
    }

    /// An empty argument is a slip, not the root.
    fn is_root(&self) -> bool {
        self.path.is_empty() && !self.given.is_empty()
    }

    fn matches(&self, path: &RelPath) -> bool {
        path.as_str() == self.path
            || (!self.path.is_empty() && path.is_within(&self.path))
            || self.glob.as_ref().is_some_and(|glob| glob.is_match(path.as_str()))
    }
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| crate::path::display_safe(name)).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    #[track_caller]
    fn check(name: &str, text: &str, expected: bool) {
        assert_eq!(Selection::of(&[name]).matches(&path(text)), expected, "{name:?} and {text:?}");
    }

    #[test]
    fn no_names_select_everything_and_name_nothing() {
        for all in [Selection::all(), Selection::of::<&str>(&[]), Selection::of(&["."])] {
            assert!(all.matches(&path("a/b")));
            assert!(!all.names(&path("a/b")));
        }
    }

    #[test]
    fn name_selects_a_file_or_all_below_a_folder() {
        check("a.md", "a.md", true);
        check("./a.md", "a.md", true);
        check("notes", "notes/b/c.md", true);
        check("notes/", "notes/a.md", true);
        check("notes", "notes.md", false);
        check("a.md", "notes/a.md", false);
    }

    #[test]
    fn glob_selects_what_it_matches() {
        check("*.md", "a.md", true);
        check("*.md", "notes/a.md", false);
        check("**/*.md", "notes/a.md", true);
        check("{a,b}.md", "b.md", true);
    }

    #[test]
    fn file_with_a_glob_in_its_name_can_be_named() {
        check("[draft] a.md", "[draft] a.md", true);
        check("[draft.md", "[draft.md", true);
        check("what?", "what?/a.md", true);
    }

    #[test]
    fn unknown_name_is_an_error_that_lists_it() {
        let known = [path("a.md"), path("notes/b.md")];
        let check = |names: &[&str]| Selection::of(names).check(&known);

        assert_eq!(check(&["a.md", "notes", "*.md"]), Ok(()));
        assert_eq!(check(&[]), Ok(()));
        assert!(check(&[""]).is_err());
        let unknown = check(&["a.md", "c.md", "d/*"]).unwrap_err();
        assert_eq!(unknown, UnknownNames(vec!["c.md".into(), "d/*".into()]));
        assert_eq!(unknown.to_string(), "no file here or at the head goes by c.md, d/*");
    }
}
