//! What a person is asked for who sets up a project on a kind of service.

use std::collections::BTreeMap;
use std::path::Path;

/// One question, about a part of the URL or about a key.
#[derive(Debug)]
pub(crate) struct Question {
    /// The name of the part or of the key.
    pub(crate) name: &'static str,
    /// How it is called where an answer may be changed.
    pub(crate) word: &'static str,
    /// The question itself.
    pub(crate) words: &'static str,
    /// What holds where it is left open; `None` where it must be answered.
    pub(crate) unsaid: Option<&'static str>,
    /// What is proposed as long as nothing was answered.
    pub(crate) usual: fn(&Asked<'_>) -> Option<String>,
    /// Gives the answer as it is kept, or says why it can't be used.
    pub(crate) check: fn(&str, &Asked<'_>) -> Result<String, String>,
}

/// Answers by the names of their questions.
pub(crate) type Answers = BTreeMap<String, String>;

/// For what a person is asked, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// Whether a project may be made there; else one is expected.
    pub(crate) may_make: bool,
    /// The project's folder, empty where that is asked for later.
    pub(crate) project: &'a Path,
    /// The folder in which the person is.
    pub(crate) here: &'a Path,
    pub(crate) home: &'a Path,
}

impl Asked<'_> {
    /// The last part of the project's folder, after which it is called unless
    /// it has a name of its own.
    pub(crate) fn usual_name(&self) -> String {
        self.project.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}
