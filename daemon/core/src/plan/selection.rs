//! Which paths a job is about: all, or those that a person named.

use std::collections::BTreeSet;

use globset::GlobMatcher;

use crate::path::RelPath;
use crate::patterns::compile_glob;

/// The paths that a job is limited to.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    which: Which,
    /// Paths that it leaves alone, whatever else they are part of.
    without: BTreeSet<RelPath>,
}

#[derive(Clone, Debug, Default)]
enum Which {
    #[default]
    All,
    Names(Vec<Name>),
    Paths(BTreeSet<RelPath>),
}

/// A file, a folder with all below it, or a glob.
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

    /// These very paths, whatever letters they are made of.
    pub fn exactly<'a>(paths: impl IntoIterator<Item = &'a RelPath>) -> Self {
        Self::from(Which::Paths(paths.into_iter().cloned().collect()))
    }

    /// The same but for these paths.
    #[must_use]
    pub fn without<'a>(&self, paths: impl IntoIterator<Item = &'a RelPath>) -> Self {
        let mut less = self.clone();
        less.without.extend(paths.into_iter().cloned());
        less
    }

    /// Selects by names relative to the root; none, or the root itself (`.`),
    /// is the whole project.
    ///
    /// What `exists` by the very name, or by the folders in front of it, is
    /// meant as it is: only what comes after them can be a glob.
    pub fn of<T: AsRef<str>>(names: &[T], exists: impl Fn(&str) -> bool) -> Self {
        let names: Vec<Name> = names.iter().map(|name| Name::new(name.as_ref(), &exists)).collect();
        let is_all = names.is_empty() || names.iter().any(Name::is_root);
        Self::from(if is_all { Which::All } else { Which::Names(names) })
    }

    pub fn matches(&self, path: &RelPath) -> bool {
        let is_all = matches!(self.which, Which::All) && !self.without.contains(path);
        is_all || self.names(path)
    }

    /// Whether a person named this path, rather than the whole project.
    pub fn names(&self, path: &RelPath) -> bool {
        if self.without.contains(path) {
            return false;
        }
        match &self.which {
            Which::All => false,
            Which::Names(names) => names.iter().any(|name| name.matches(path)),
            Which::Paths(paths) => paths.contains(path),
        }
    }

    /// Refuses names that none of the known paths goes by.
    pub fn check<'a>(
        &self,
        known: impl IntoIterator<Item = &'a RelPath>,
    ) -> Result<(), UnknownNames> {
        let Which::Names(names) = &self.which else { return Ok(()) };
        let mut unknown: Vec<&Name> = names.iter().collect();
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

impl From<Which> for Selection {
    fn from(which: Which) -> Self {
        Self { which, without: BTreeSet::new() }
    }
}

/// The names that have to be looked for before they are taken for globs: each
/// with the folders in front of it, outermost first.
pub fn possible_globs<T: AsRef<str>>(names: &[T]) -> Vec<String> {
    let plain = names.iter().map(|name| plain(name.as_ref())).filter(|path| is_wild(path));
    plain.flat_map(|path| heads(path).map(str::to_owned).collect::<Vec<_>>()).collect()
}

impl Name {
    fn new(given: &str, exists: &impl Fn(&str) -> bool) -> Self {
        let path = plain(given);
        // What is no glob is still a name: `[draft.md`.
        let glob = glob_of(path, exists).and_then(|glob| compile_glob(&glob).ok());
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

/// A name without what says "here" before it and "folder" behind it.
fn plain(given: &str) -> &str {
    let mut path = given;
    while let Some(rest) = path.strip_prefix("./") {
        path = rest.trim_start_matches('/');
    }
    if path == "." { "" } else { path.trim_end_matches('/') }
}

fn is_wild(path: &str) -> bool {
    path.contains(['*', '?', '[', '{'])
}

/// `a`, `a/b` and `a/b/c` of `a/b/c`.
fn heads(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at]).chain([path])
}

/// The glob that a name is, once what exists of it is taken as it is.
fn glob_of(path: &str, exists: &impl Fn(&str) -> bool) -> Option<String> {
    if !is_wild(path) {
        return None;
    }
    let known = heads(path).take_while(|head| exists(head)).last().unwrap_or_default();
    let rest = &path[known.len()..];
    is_wild(rest).then(|| globset::escape(known) + rest)
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
        let selection = Selection::of(&[name], |_| false);
        assert_eq!(selection.matches(&path(text)), expected, "{name:?} and {text:?}");
    }

    /// The same where these files and folders exist.
    #[track_caller]
    fn check_among(known: &[&str], name: &str, text: &str, expected: bool) {
        let selection = Selection::of(&[name], |name| known.contains(&name));
        assert_eq!(selection.matches(&path(text)), expected, "{name:?} and {text:?}");
    }

    #[test]
    fn no_names_select_everything_and_name_nothing() {
        let nothing = |_: &str| false;
        for all in
            [Selection::all(), Selection::of::<&str>(&[], nothing), Selection::of(&["."], nothing)]
        {
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
    fn what_is_left_out_is_neither_selected_nor_named() {
        let all = Selection::all().without([&path("a/b")]);
        assert!(all.matches(&path("a/c")) && !all.matches(&path("a/b")));
        let named = Selection::of(&["a"], |_| false).without([&path("a/b")]);
        assert!(named.names(&path("a/c")) && !named.names(&path("a/b")));
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
    fn name_that_exists_is_that_file_alone() {
        let known = ["[a].md", "a.md", "*", "{x,y}"];
        check_among(&known, "[a].md", "[a].md", true);
        check_among(&known, "[a].md", "a.md", false);
        check_among(&known, "./[a].md", "a.md", false);
        check_among(&known, "*", "a.md", false);
        check_among(&known, "*", "*/deep.md", true);
        check_among(&known, "{x,y}", "x", false);
        check_among(&known, "[b].md", "b.md", true);
    }

    #[test]
    fn folder_that_exists_is_meant_as_it_is_and_the_rest_is_a_glob() {
        let known = ["app", "app/[slug]", "app/[slug]/page.md"];
        check_among(&known, "app/[slug]", "app/[slug]/page.md", true);
        check_among(&known, "app/[slug]", "app/s/page.md", false);
        check_among(&known, "app/[slug]/page.md", "app/s/page.md", false);
        check_among(&known, "app/[slug]/*.md", "app/[slug]/other.md", true);
        check_among(&known, "app/[slug]/*.md", "app/s/page.md", false);
        check_among(&known, "app/[s]/*.md", "app/s/page.md", true);
        check_among(&known, "app/[slug]/gone.md", "app/s/gone.md", false);
    }

    #[test]
    fn paths_are_those_very_ones() {
        let selection = Selection::exactly(&[path("[a].md"), path("b")]);
        assert!(selection.matches(&path("[a].md")) && selection.names(&path("b")));
        assert!(!selection.matches(&path("a.md")));
        assert!(!selection.matches(&path("b/c")));
    }

    #[test]
    fn only_what_may_be_a_glob_has_to_be_looked_for() {
        assert_eq!(possible_globs(&["a/b.md", "./a/[b]/*.md"]), ["a", "a/[b]", "a/[b]/*.md"]);
        assert_eq!(possible_globs(&["a/b.md", "."]), [""; 0]);
    }

    #[test]
    fn unknown_name_is_an_error_that_lists_it() {
        let known = [path("a.md"), path("notes/b.md")];
        let check = |names: &[&str]| Selection::of(names, |_| false).check(&known);

        assert_eq!(check(&["a.md", "notes", "*.md"]), Ok(()));
        assert_eq!(check(&[]), Ok(()));
        assert!(check(&[""]).is_err());
        let unknown = check(&["a.md", "c.md", "d/*"]).unwrap_err();
        assert_eq!(unknown, UnknownNames(vec!["c.md".into(), "d/*".into()]));
        assert_eq!(unknown.to_string(), "no file here or at the head goes by c.md, d/*");
    }
}
