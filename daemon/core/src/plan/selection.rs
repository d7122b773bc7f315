//! Which paths a job is about: all, or those that a person named.
//!
//! A path is looked up among the names, however many there are: a question costs
//! what the path has folders.

use std::collections::{BTreeMap, BTreeSet};

use globset::{Candidate, Glob, GlobSet, GlobSetBuilder};

use crate::path::RelPath;
use crate::patterns::compile_glob;

/// What a person types is matched in one go; a script may name more.
const GLOBS_AT_ONCE: usize = 1_000;

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
    Names(Names),
    Paths(BTreeSet<RelPath>),
}

/// Files, folders with all below them, and globs.
#[derive(Clone, Debug, Default)]
struct Names {
    /// As they were typed.
    given: Vec<String>,
    /// The place of each in `given`; one that is typed in two ways has two.
    plain: BTreeMap<String, Vec<usize>>,
    globs: Vec<Globs>,
}

/// So many globs as are matched at once, with the place of each in what was given.
#[derive(Clone, Debug)]
struct Globs {
    set: GlobSet,
    of: Vec<usize>,
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
        let is_all = names.is_empty() || names.iter().any(|name| is_root(name.as_ref()));
        Self::from(if is_all { Which::All } else { Which::Names(Names::new(names, &exists)) })
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
            Which::Names(names) => names.match_path(path),
            Which::Paths(paths) => paths.contains(path),
        }
    }

    /// Refuses names that none of the known paths goes by.
    pub fn check<'a>(
        &self,
        known: impl IntoIterator<Item = &'a RelPath>,
    ) -> Result<(), UnknownNames> {
        let Which::Names(names) = &self.which else { return Ok(()) };
        let mut unknown: BTreeSet<usize> = (0..names.given.len()).collect();
        for path in known {
            if unknown.is_empty() {
                break;
            }
            for at in names.all_of(path) {
                unknown.remove(&at);
            }
        }
        let unknown: Vec<String> = unknown.into_iter().map(|at| names.given[at].clone()).collect();
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

impl Names {
    fn new<T: AsRef<str>>(names: &[T], exists: &impl Fn(&str) -> bool) -> Self {
        let (mut all, mut globs) = (Self::default(), Vec::new());
        for (at, given) in names.iter().map(AsRef::as_ref).enumerate() {
            let path = plain(given);
            all.given.push(given.to_owned());
            all.plain.entry(path.to_owned()).or_default().push(at);
            // What is no glob is still a name: `[draft.md`.
            if let Some(Ok(glob)) = glob_of(path, exists).map(|glob| compile_glob(&glob)) {
                globs.push((at, glob));
            }
        }
        for few in globs.chunks(GLOBS_AT_ONCE) {
            all.globs.extend(Globs::of(few));
        }
        all
    }

    fn match_path(&self, path: &RelPath) -> bool {
        let mut plain = heads(path.as_str());
        plain.any(|head| self.plain.contains_key(head))
            || self.globs.iter().any(|globs| globs.set.is_match(path.as_str()))
    }

    /// The places of all names that a path goes by.
    fn all_of(&self, path: &RelPath) -> BTreeSet<usize> {
        let plain = heads(path.as_str()).filter_map(|head| self.plain.get(head)).flatten();
        let path = Candidate::new(path.as_str());
        let globs = self.globs.iter().flat_map(|globs| {
            globs.set.matches_candidate(&path).into_iter().map(|glob| globs.of[glob])
        });
        plain.copied().chain(globs).collect()
    }
}

impl Globs {
    /// Fewer at once where so many are too large together.
    fn of(globs: &[(usize, Glob)]) -> Vec<Self> {
        let mut set = GlobSetBuilder::new();
        for (_, glob) in globs {
            set.add(glob.clone());
        }
        match set.build() {
            Ok(set) => vec![Self { set, of: globs.iter().map(|(at, _)| *at).collect() }],
            Err(_) if globs.len() < 2 => Vec::new(),
            Err(_) => {
                let (some, others) = globs.split_at(globs.len() / 2);
                Self::of(some).into_iter().chain(Self::of(others)).collect()
            }
        }
    }
}

/// An empty argument is a slip, not the root.
fn is_root(given: &str) -> bool {
    plain(given).is_empty() && !given.is_empty()
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
    fn many_names_are_matched_and_checked_in_time() {
        let paths: Vec<RelPath> = (0..50_000).map(|n| path(&format!("a/{n}/b.md"))).collect();
        let names: Vec<String> = (0..50_000).map(|number| format!("a/{number}")).collect();
        let selection = Selection::of(&names, |_| false);
        assert!(paths.iter().all(|path| selection.matches(path)));
        assert_eq!(selection.check(&paths), Ok(()));
        let unknown = selection.check(&paths[1..]).unwrap_err();
        assert_eq!(unknown, UnknownNames(vec!["a/0".to_owned()]));
    }

    #[test]
    fn more_globs_than_are_matched_at_once_all_count() {
        let glob = |number| format!("{number}[xy]*{}", "/?*".repeat(9));
        let names: Vec<String> = (0..2_500).map(glob).collect();
        let selection = Selection::of(&names, |_| false);
        for number in [0, 1_000, 2_499] {
            assert!(selection.matches(&path(&format!("{number}x{}", "/a".repeat(9)))));
            assert!(!selection.matches(&path(&format!("{number}z{}", "/a".repeat(9)))));
        }
    }

    #[test]
    fn name_that_is_typed_twice_is_unknown_twice() {
        let unknown = Selection::of(&["a", "./a", "b"], |_| false).check(&[path("b/c")]);
        assert_eq!(unknown, Err(UnknownNames(vec!["a".into(), "./a".into()])));
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
