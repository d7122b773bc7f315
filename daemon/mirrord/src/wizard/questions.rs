//! What is asked for, and in which order.

use std::path::{Path, PathBuf};

use super::draft::{Draft, Verb};
use crate::projects::Registry;
use crate::services::{KINDS, Kind};

/// The questions that each set-up has. None about a backend is called so.
pub(super) const FOLDER: &str = "folder";
pub(super) const KIND: &str = "kind";
pub(super) const NAME: &str = "name";
pub(super) const PATTERNS: &str = "patterns";

/// What is mirrored unless something else is said.
pub(super) const USUAL_PATTERN: &str = "**/*.md";

/// No globs of its own: what the other machines mirror.
pub(super) const ALL_OF_IT: &str = "all that the project has";

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Project,
    /// Which questions follow about the backend depends on the answer.
    Kind,
    Backend,
}

/// One question as it is asked now.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    pub(crate) name: &'static str,
    /// How it is called where an answer may be changed.
    pub(crate) word: &'static str,
    pub(crate) words: String,
    pub(crate) stage: Stage,
    pub(crate) usual: Option<String>,
    /// What holds where it is left open; `None` where it must be answered.
    pub(crate) unsaid: Option<&'static str>,
}

/// Names and folders that are taken.
#[derive(Debug)]
pub(super) struct Others(pub(super) Vec<(String, PathBuf)>);

impl Others {
    pub(super) fn of(registry: &Registry) -> Self {
        let views = registry.views().into_iter();
        let rooted = views.filter_map(|view| Some((view.name, view.config?.root)));
        Self(rooted.collect())
    }
}

pub(super) fn of(draft: &Draft, here: &Path, home: &Path) -> Vec<Asking> {
    let kind = draft.kind.unwrap_or(KINDS[0]);
    let asked = draft.asked(here, home);
    let mut backend = vec![Asking {
        name: KIND,
        word: KIND,
        words: format!("Where to keep the history, {}", KINDS.map(Kind::name).join(" or ")),
        stage: Stage::Kind,
        usual: Some(kind.name().to_owned()),
        unsaid: None,
    }];
    backend.extend(kind.questions().iter().map(|question| Asking {
        name: question.name,
        word: question.word,
        words: question.words.to_owned(),
        stage: Stage::Backend,
        usual:
            draft.answered(question.name).map(str::to_owned).or_else(|| (question.usual)(&asked)),
        unsaid: question.unsaid,
    }));
    let folder = of_project(FOLDER, folder_words(draft.verb), usual_folder(draft, here));
    let about = [of_project(NAME, "Name of the project here", usual_name(draft)), patterns(draft)];
    match draft.verb {
        Verb::Init => [folder].into_iter().chain(backend).chain(about).collect(),
        Verb::Clone => backend.into_iter().chain([folder]).chain(about).collect(),
    }
}

fn of_project(name: &'static str, words: &str, usual: String) -> Asking {
    let usual = Some(usual).filter(|usual| !usual.is_empty());
    let words = words.to_owned();
    Asking { name, word: name, words, stage: Stage::Project, usual, unsaid: None }
}

fn folder_words(verb: Verb) -> &'static str {
    match verb {
        Verb::Init => "Folder to mirror",
        Verb::Clone => "Folder to make of it",
    }
}

fn usual_folder(draft: &Draft, here: &Path) -> String {
    match (draft.verb, draft.folder.as_str()) {
        (Verb::Clone, "") => {
            here.join(draft.held.as_deref().unwrap_or_default()).display().to_string()
        }
        (Verb::Init | Verb::Clone, folder) => folder.to_owned(),
    }
}

fn usual_name(draft: &Draft) -> String {
    draft.name.clone().unwrap_or_else(|| draft.own_name())
}

fn patterns(draft: &Draft) -> Asking {
    let usual = match (draft.patterns.is_empty(), &draft.held) {
        (true, Some(_)) => ALL_OF_IT.to_owned(),
        (true, None) => USUAL_PATTERN.to_owned(),
        (false, _) => draft.patterns.join(" "),
    };
    of_project(PATTERNS, "Files to mirror, as globs with spaces between them", usual)
}
