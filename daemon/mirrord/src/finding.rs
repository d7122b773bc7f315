//! One thing that was looked at, and how it is.

use mirror_storage::FaultClass;

use crate::error::RequestError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Ok,
    /// It works, but not as well as it could.
    Warn,
    Fail,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    pub(crate) what: String,
    /// The file, folder, project or backend concerned.
    pub(crate) place: String,
    pub(crate) fix: Option<String>,
    /// Of one that failed.
    pub(crate) class: Option<FaultClass>,
    /// The answer to look at again: a part of the URL, or the name of a key.
    pub(crate) about: Option<&'static str>,
}

impl Finding {
    pub(crate) fn ok(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            level: Level::Ok,
            what: what.into(),
            place: place.into(),
            fix: None,
            class: None,
            about: None,
        }
    }

    pub(crate) fn warn(
        place: impl Into<String>,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { level: Level::Warn, fix: Some(fix.into()), ..Self::ok(place, what) }
    }

    pub(crate) fn fail(
        place: impl Into<String>,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { level: Level::Fail, ..Self::warn(place, what, fix) }
    }

    pub(crate) fn of_error(place: impl Into<String>, error: &RequestError) -> Self {
        let (place, message) = (place.into(), error.message());
        // Where it is, is said beside it.
        let what = message.strip_prefix(&format!("{place}: ")).unwrap_or(&message);
        Self {
            level: Level::Fail,
            fix: error.hint(),
            class: Some(error.class()),
            about: error.about(),
            ..Self::ok(place.clone(), what)
        }
    }
}
