//! Whether an answer can be used, and why not, in words for who gave it.

use std::fs;
use std::path::{Path, PathBuf};

use mirror_core::patterns::Patterns;

use super::draft::{Answer, Draft, Verb};
use super::questions::{ALL_OF_IT, FOLDER, KIND, NAME, Others, PATTERNS, USUAL_PATTERN};
use crate::config::check_name;
use crate::services::{Asked, KINDS, Kind, is_there_or_can_be, typed_path};

/// Changes the draft only where the answer can be used.
pub(super) fn take(
    draft: &mut Draft,
    answer: &Answer,
    others: &Others,
    here: &Path,
    home: &Path,
) -> Result<(), String> {
    let typed = answer.typed.as_deref().unwrap_or_default().trim();
    match answer.question.as_str() {
        FOLDER => {
            let folder = folder(typed, draft.verb, &draft.asked(here, home), others)?;
            draft.folder = text(folder)?;
        }
        KIND => draft.choose(kind(typed)?),
        NAME => {
            let name = name(typed, others)?;
            draft.name = Some(name).filter(|name| *name != draft.own_name());
        }
        PATTERNS => draft.patterns = patterns(typed, draft.held.is_some())?,
        about_backend => {
            let kind = draft.kind.ok_or("the kind of service is asked for first")?;
            let mut questions = kind.questions().iter();
            let question = questions.find(|question| question.name == about_backend);
            let question = question.ok_or("nobody asks for this")?;
            let said = match (&answer.typed, question.unsaid) {
                (None, Some(_)) => None,
                (_, _) => Some((question.check)(typed, &draft.asked(here, home))?),
            };
            draft.answer(question.name, said);
        }
    }
    Ok(())
}

/// A kind by its name or the beginning of it alone.
fn kind(typed: &str) -> Result<&'static dyn Kind, String> {
    let typed = typed.to_lowercase();
    let mut meant = KINDS.into_iter().filter(|kind| kind.name().starts_with(&typed));
    match (meant.next(), meant.next()) {
        (Some(kind), None) => Ok(kind),
        _ => {
            let kinds = KINDS.map(|kind| format!("{} ({})", kind.name(), kind.about()));
            Err(kinds.join(" or "))
        }
    }
}

/// The folder of a new project: there, or with a place to make it in. That of a
/// clone: absent or empty.
fn folder(typed: &str, verb: Verb, asked: &Asked<'_>, others: &Others) -> Result<PathBuf, String> {
    let path = typed_path(typed, asked)?;
    is_there_or_can_be(&path)?;
    is_free(&path, others)?;
    let is_empty = || fs::read_dir(&path).map_or(true, |mut entries| entries.next().is_none());
    match verb {
        Verb::Clone if !is_empty() => {
            Err("this folder is not empty; `mirrorctl init --wizard` joins with one".to_owned())
        }
        Verb::Init | Verb::Clone => Ok(path),
    }
}

fn is_free(path: &Path, others: &Others) -> Result<(), String> {
    let contains = |root: &Path| {
        path.starts_with(root) || root.canonicalize().is_ok_and(|root| path.starts_with(root))
    };
    match others.0.iter().find(|(_, root)| contains(root)) {
        Some((name, _)) => Err(format!("this folder belongs to the project {name} already")),
        None => Ok(()),
    }
}

fn name(typed: &str, others: &Others) -> Result<String, String> {
    check_name(typed)?;
    match others.0.iter().find(|(name, _)| name == typed) {
        Some((_, root)) => Err(format!("a project of this name is in {} already", root.display())),
        None => Ok(typed.to_owned()),
    }
}

/// Globs with spaces between them; none when they say what holds anyway.
fn patterns(typed: &str, joins: bool) -> Result<Vec<String>, String> {
    if typed == if joins { ALL_OF_IT } else { USUAL_PATTERN } {
        return Ok(Vec::new());
    }
    let include: Vec<_> = typed.split_whitespace().map(str::to_owned).collect();
    let patterns = Patterns { include, exclude: Vec::new() };
    patterns.check().map_err(|error| error.to_string())?;
    Ok(patterns.include)
}

fn text(path: PathBuf) -> Result<String, String> {
    path.into_os_string().into_string().map_err(|_| "its name is not valid UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused<T: std::fmt::Debug>(checked: Result<T, String>, why: &str) {
        let refused = checked.expect_err("refused");
        assert!(refused.contains(why), "{refused}");
    }

    fn others(name: &str, root: PathBuf) -> Others {
        Others(vec![(name.to_owned(), root)])
    }

    #[test]
    fn kind_is_known_by_how_it_begins() {
        assert_eq!(kind("F").unwrap().name(), KINDS[0].name());
        check_refused(kind("floppy"), "a NAS mount) or ");
        check_refused(kind(""), "a NAS mount) or ");
    }

    #[test]
    fn folder_of_a_project_is_free_and_has_a_place() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path();
        fs::write(root.join("file"), "").unwrap();
        let others = others("notes", root.join("notes"));
        let asked = Asked { may_make: true, project: Path::new(""), here: root, home: root };
        let check = |typed: &str, verb| folder(typed, verb, &asked, &others);

        assert_eq!(check("new", Verb::Init), Ok(root.join("new")));
        assert_eq!(check("~/new", Verb::Clone), Ok(root.join("new")));
        check_refused(check("notes/deep", Verb::Init), "folder above");
        check_refused(check("notes", Verb::Init), "project notes");
        check_refused(check("file", Verb::Init), "not a folder");
        check_refused(check("no/such", Verb::Init), "mounted");
        check_refused(check(".", Verb::Clone), "not empty");
        check_refused(check("", Verb::Init), "needed");
    }

    #[test]
    fn name_is_one_that_no_other_project_has() {
        let others = others("notes", "/n".into());
        assert_eq!(name("my notes", &others).as_deref(), Ok("my notes"));
        check_refused(name("notes", &others), "in /n already");
        check_refused(name("a/b", &others), "only letters");
        check_refused(name(".x", &others), "starts with");
    }

    #[test]
    fn globs_that_hold_anyway_are_left_out() {
        assert_eq!(patterns(USUAL_PATTERN, false), Ok(Vec::new()));
        assert_eq!(patterns(ALL_OF_IT, true), Ok(Vec::new()));
        assert_eq!(patterns(USUAL_PATTERN, true), Ok(vec![USUAL_PATTERN.to_owned()]));
    }

    #[test]
    fn globs_that_match_nothing_are_refused_by_name() {
        let globs = |typed: &str| patterns(typed, false);
        assert_eq!(globs("**/*.md docs/**"), Ok(vec!["**/*.md".into(), "docs/**".into()]));
        check_refused(globs("/docs/**"), "\"/docs/**\" begins with");
        check_refused(globs("a docs/"), "\"docs/\" ends with");
        check_refused(globs("../x"), "matches nothing");
    }
}
