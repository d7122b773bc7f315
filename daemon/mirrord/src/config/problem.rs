//! What is wrong with a configuration, where, and how to put it right.

use std::fmt;
use std::path::PathBuf;

/// One thing that is wrong, in words for the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) place: Place,
    pub(crate) what: String,
    pub(crate) fix: Option<String>,
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
        Self { place, what: what.into(), fix: Some(fix.into()) }
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
