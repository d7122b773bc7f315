//! What is wrong with a configuration, where, and how to put it right.

use std::fmt;
use std::path::PathBuf;

use mirror_storage::FaultClass;

use crate::error::Explained;

/// One thing that is wrong, in words for the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) place: Place,
    pub(crate) what: String,
    pub(crate) fix: Option<String>,
    /// The key of a service that it is about.
    pub(crate) about: Option<&'static str>,
}

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    File {
        file: PathBuf,
        line: Option<usize>,
    },
    /// The variable of that name.
    Variable(String),
    /// A value that is only about to be stored.
    Request,
}

impl Problem {
    pub(crate) fn with_fix(place: Place, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { place, what: what.into(), fix: Some(fix.into()), about: None }
    }

    /// The same where there is nothing to say of what to do.
    pub(crate) fn without_fix(place: Place, what: impl Into<String>) -> Self {
        Self { place, what: what.into(), fix: None, about: None }
    }

    /// A setting that a request carries has no file: it is named by the request.
    pub(crate) fn of_request(self) -> Self {
        Self { place: Place::Request, ..self }
    }

    /// A file that could not be read or written.
    pub(crate) fn unusable(file: impl Into<PathBuf>, error: &std::io::Error) -> Self {
        Self::with_fix(
            Place::File { file: file.into(), line: None },
            format!("the file can't be used: {error}"),
            "make it readable and writable for yourself",
        )
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line: Some(line) } => write!(out, "{}:{line}", file.display()),
            Self::File { file, line: None } => write!(out, "{}", file.display()),
            Self::Variable(name) => out.write_str(name),
            Self::Request => out.write_str("setting"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.place, self.what)
    }
}

impl std::error::Error for Problem {}

impl Explained for Problem {
    fn class(&self) -> FaultClass {
        FaultClass::Usage
    }

    fn hint(&self) -> Option<String> {
        self.fix.clone()
    }

    fn about(&self) -> Option<&'static str> {
        self.about
    }
}
