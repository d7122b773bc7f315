//! What each kind of service says of itself.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

use super::account::Account;
use super::connections::Connections;
use super::key::Key;
use super::question::{Answers, Question};
use crate::finding::Finding;

/// One kind of storage service.
///
/// Nothing here reaches a service: [`Account`] does.
#[async_trait]
pub(crate) trait Kind: fmt::Debug + Send + Sync {
    /// How its URLs begin; the first is the kind's name.
    fn schemes(&self) -> &'static [&'static str];

    /// The kind as it is called.
    fn name(&self) -> &'static str {
        self.schemes().first().copied().unwrap_or_default()
    }

    /// What it is, for whoever chooses a kind.
    fn about(&self) -> &'static str;

    /// A URL as an example.
    fn example(&self) -> &'static str;

    /// Reads what follows the scheme and its colon.
    fn parse(&self, rest: &str) -> Result<Arc<dyn Location>, WrongUrl>;

    /// Writes out what follows the scheme where it was typed in a folder of this
    /// machine, and may be a relative path.
    fn resolve(&self, rest: &str, _here: &Path) -> Result<String, WrongUrl> {
        Ok(rest.to_owned())
    }

    /// The keys that may stand beside its URL.
    fn keys(&self) -> &'static [Key];

    /// What is asked for, in this order: parts of the URL, and some of the keys.
    fn questions(&self) -> &'static [Question];

    /// What can be told of the parts of a text that may be no URL yet. Never a
    /// password: it is shown.
    fn proposed(&self, rest: &str) -> Answers;

    /// The URL of what was answered, which `parse` may still refuse.
    fn url(&self, answers: &Answers) -> String;

    /// What it needs on this machine, and how that is; `is_used` where a project
    /// has such a backend.
    async fn needs(&self, _is_used: bool) -> Vec<Finding> {
        Vec::new()
    }
}

/// The place that a URL means; its text has one spelling.
pub(crate) trait Location: fmt::Debug + fmt::Display + Send + Sync {
    fn site(&self) -> Site;

    /// Opens it with keys that were checked, and reaches nothing.
    fn open(&self, settings: &super::Settings, around: &Surroundings<'_>) -> Arc<dyn Account>;
}

/// Where files lie, as far as two backends can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    /// A folder of this machine.
    Here(PathBuf),
    /// A folder of an account elsewhere. Two names of one server look like two;
    /// the project's id tells once it is open.
    Account { account: String, root: PathBuf },
}

impl Site {
    /// The folder of this machine that the backend uses, if it is one.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Here(folder) => Some(folder),
            Self::Account { .. } => None,
        }
    }
}

/// What a backend is opened with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings<'a> {
    /// What `~` stands for in settings.
    pub(crate) home: &'a Path,
    pub(crate) connections: &'a Connections,
}

/// Why a text is no URL of a kind. Nothing of the text is repeated: it may hold
/// a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrongUrl {
    pub(crate) what: &'static str,
    pub(crate) fix: &'static str,
    /// The part of the URL that it is about.
    pub(crate) about: Option<&'static str>,
}
