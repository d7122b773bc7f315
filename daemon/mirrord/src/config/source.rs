//! One configuration file as text that knows its lines.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use figment::error::Kind;
use figment::providers::{Format, Toml};
use figment::{Error, Figment};
use serde::de::DeserializeOwned;
use toml_edit::{Document, Item};

use super::environment::{self, Environment, METADATA_NAME};
use super::{Place, Problem};
use crate::spelling::nearest;

/// A file that is TOML; whether its settings are right is seen by [`Source::read_as`].
#[derive(Debug)]
pub(crate) struct Source {
    file: PathBuf,
    document: Document<String>,
}

impl Source {
    /// Reads a file; a missing one is empty.
    pub(crate) fn open(file: &Path) -> Result<Self, Problem> {
        match fs::read_to_string(file) {
            Ok(text) => Self::parse(file, &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::parse(file, ""),
            Err(error) => Err(Problem::unusable(file, &error)),
        }
    }

    pub(crate) fn parse(file: &Path, text: &str) -> Result<Self, Problem> {
        match Document::parse(text.to_owned()) {
            Ok(document) => Ok(Self { file: file.to_owned(), document }),
            Err(error) => Err(Problem::with_fix(
                Place::File {
                    file: file.to_owned(),
                    line: error.span().map(|span| line_at(text, span.start)),
                },
                format!("this is not TOML: {}", one_line(error.message())),
                "write settings as `key = \"value\"`, one a line",
            )),
        }
    }

    pub(crate) fn text(&self) -> &str {
        self.document.raw()
    }

    /// Whether the file itself says something about `key`, dots between tables.
    pub(crate) fn sets(&self, key: &str) -> bool {
        let mut item = Some(self.document.as_item());
        for part in key.split('.') {
            item = item.and_then(|item| item.get(part));
        }
        item.is_some()
    }

    /// Says where `key` stands.
    pub(crate) fn place_of(&self, key: &str) -> Place {
        let parts: Vec<&str> = key.split('.').collect();
        Place::File { file: self.file.clone(), line: self.line_of(&parts) }
    }

    fn line_of(&self, key: &[&str]) -> Option<usize> {
        let (last, tables) = key.split_last()?;
        let mut item = self.document.as_item();
        for table in tables {
            item = item.get(table)?;
        }
        let span = match item {
            Item::Table(table) => table.key(last).and_then(toml_edit::Key::span),
            _ => None,
        };
        let span = span.or_else(|| item.get(last).and_then(Item::span))?;
        Some(line_at(self.text(), span.start))
    }

    /// Refuses a setting that is none of these.
    pub(crate) fn check_names(&self, known: &[&str]) -> Result<(), Problem> {
        let set = self.document.as_table().iter().map(|(name, _)| name);
        let Some(unknown) = set.into_iter().find(|name| !known.contains(name)) else {
            return Ok(());
        };
        let (what, fix) = unknown_setting(unknown, known);
        Err(Problem { place: self.place_of(unknown), what, fix, about: None })
    }

    /// Reads one setting, if the file has it.
    pub(crate) fn setting<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Problem> {
        if !self.sets(key) {
            return Ok(None);
        }
        let figment = Figment::from(Toml::string(self.text()));
        figment.extract_inner(key).map(Some).map_err(|error| self.problem(error))
    }

    /// Reads the settings, those of the environment in front.
    pub(crate) fn read_as<T: DeserializeOwned>(
        &self,
        environment: Option<&Environment>,
    ) -> Result<T, Problem> {
        let mut figment = Figment::from(Toml::string(self.text()));
        if let Some(environment) = environment {
            figment = figment.merge(environment);
        }
        figment.extract().map_err(|error| self.problem(error))
    }

    fn problem(&self, error: Error) -> Problem {
        let mut key = error.path.clone();
        let from_environment =
            error.metadata.as_ref().is_some_and(|metadata| metadata.name == METADATA_NAME);
        if let Kind::UnknownField(name, _) = &error.kind
            && key.last() != Some(name)
        {
            key.push(name.clone());
        }
        let key = key.join(".");
        let place = match (&error.kind, from_environment) {
            (Kind::MissingField(_), _) => Place::File { file: self.file.clone(), line: None },
            (_, true) => Place::Variable(environment::variable(&key)),
            (_, false) => self.place_of(&key),
        };
        let (what, fix) = explanation(&key, error.kind);
        Problem { place, what, fix, about: None }
    }
}

fn explanation(key: &str, kind: Kind) -> (String, Option<String>) {
    match kind {
        Kind::UnknownField(name, known) => unknown_setting(&name, known),
        Kind::UnknownVariant(value, known) => (
            format!("{key}: {value:?} is none of {}", known.join(", ")),
            nearest(&value, known.iter().copied()).map(|meant| format!("did you mean {meant:?}?")),
        ),
        Kind::MissingField(name) => (
            format!("the setting {name:?} is missing"),
            Some(format!("add a line `{name} = \"…\"`")),
        ),
        Kind::InvalidType(found, expected) => (
            format!("{key}: found {found}, expected {expected}"),
            Some(format!("write {expected}")),
        ),
        other => (format!("{key}: {}", one_line(&other.to_string())), None),
    }
}

fn unknown_setting(name: &str, known: &[&str]) -> (String, Option<String>) {
    let fix = nearest(name, known.iter().copied()).map_or_else(
        || format!("known settings: {}", known.join(", ")),
        |meant| format!("did you mean {meant:?}?"),
    );
    (format!("unknown setting {name:?}"), Some(fix))
}

fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
