//! A set-up as far as it was answered.

use std::path::Path;

use crate::services::{self, Answers, Asked, BackendUrl, Kind};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Init,
    Clone,
}

#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) verb: Verb,
    /// The project's folder; empty until it is known.
    pub(crate) folder: String,
    /// As it was typed, until the kind is known.
    pub(crate) url: String,
    /// `None` until it is known.
    pub(crate) kind: Option<&'static dyn Kind>,
    /// Parts of the URL.
    pub(crate) parts: Answers,
    /// Keys beside the URL, those of other kinds among them.
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) name: Option<String>,
    pub(crate) patterns: Vec<String>,
    /// The project that the backend was found to hold.
    pub(crate) held: Option<String>,
}

/// An answer as it was typed; `None` where the question is left open.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) question: String,
    pub(crate) typed: Option<String>,
}

impl Draft {
    pub(super) fn asked<'a>(&'a self, here: &'a Path, home: &'a Path) -> Asked<'a> {
        let may_make = self.verb == Verb::Init;
        Asked { may_make, project: Path::new(&self.folder), here, home }
    }

    /// Takes the parts of a URL that was typed for what was answered.
    pub(super) fn read_url(&mut self, here: &Path) {
        if self.kind.is_some() || self.url.is_empty() {
            return;
        }
        if let Some((kind, parts)) = BackendUrl::proposed(&self.url, here) {
            self.kind = Some(kind);
            self.parts = parts;
        }
    }

    pub(super) fn choose(&mut self, kind: &'static dyn Kind) {
        if self.kind.is_none_or(|before| before.name() != kind.name()) {
            // A part of the same name means something else there.
            self.parts.clear();
            self.kind = Some(kind);
        }
        self.url = kind.url(&self.parts);
    }

    /// What was answered about the backend.
    pub(super) fn answered(&self, question: &str) -> Option<&str> {
        match self.is_key(question) {
            true => {
                let said = self.settings.iter().rev().find(|(key, _)| key == question);
                said.map(|(_, value)| value.as_str())
            }
            false => self.parts.get(question).map(String::as_str),
        }
    }

    pub(super) fn answer(&mut self, question: &str, answer: Option<String>) {
        let said = answer.map(|answer| (question.to_owned(), answer));
        if self.is_key(question) {
            self.settings.retain(|(key, _)| key != question);
            self.settings.splice(0..0, said);
        } else {
            self.parts.remove(question);
            self.parts.extend(said);
        }
        if let Some(kind) = self.kind {
            self.url = kind.url(&self.parts);
        }
    }

    fn is_key(&self, question: &str) -> bool {
        self.kind.is_some_and(|kind| kind.keys().iter().any(|key| key.name == question))
    }

    /// All but the keys that only other kinds have.
    pub(super) fn settings_of_its_kind(&self) -> Vec<(String, String)> {
        let is_of_another =
            |name: &str| !self.is_key(name) && services::keys().iter().any(|key| key.name == name);
        self.settings.iter().filter(|(key, _)| !is_of_another(key)).cloned().collect()
    }

    /// What the project is called unless it gets a name of its own.
    pub(super) fn own_name(&self) -> String {
        match self.verb {
            Verb::Init => self.asked(Path::new(""), Path::new("")).usual_name(),
            Verb::Clone => self.held.clone().unwrap_or_default(),
        }
    }
}
