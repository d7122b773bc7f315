//! Files that we leave as they are.

use std::fmt;

/// Why nothing of ours can be put into a file, or taken out of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    NoJson(String),
    NoObject,
    /// It is not laid out as it should be.
    Odd(String),
    /// This name stands twice in one object.
    Twice(String),
}

impl fmt::Display for Misfit {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoJson(why) => write!(text, "is no valid JSON: {why}"),
            Self::NoObject => write!(text, "is no JSON object"),
            Self::Odd(what) => write!(text, "can't be changed: {what}"),
            Self::Twice(name) => write!(text, "can't be changed: `{name}` stands twice in it"),
        }
    }
}
