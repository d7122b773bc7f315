//! Why a request could not be carried out.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use mirror_engine::EngineError;
use mirror_storage::{FaultClass, StorageError};

use crate::backends::RootError;
use crate::config::{Place, Problem};
use crate::doctor::Flaw;
use crate::path_args::NameError;
use crate::projects::Overlap;
use crate::url::UrlError;

/// Why a request ended without its result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    #[error(transparent)]
    Engine(#[from] EngineError),

    #[error(transparent)]
    Storage(#[from] StorageError),

    #[error(transparent)]
    Config(#[from] Problem),

    #[error(transparent)]
    Url(#[from] UrlError),

    #[error(transparent)]
    Overlap(#[from] Overlap),

    #[error(transparent)]
    Name(#[from] NameError),

    #[error("no project is called {name:?}")]
    UnknownProject { name: String, meant: Option<String> },

    #[error("{0} is not inside a project")]
    NoProjectAt(PathBuf),

    /// Its configuration or its backend kept it from being opened.
    #[error("the project {name:?} is stopped: {reason}")]
    Stopped { name: String, reason: String, class: FaultClass, hint: Option<String> },

    #[error("{what} {}", folder.display())]
    Folder {
        what: &'static str,
        folder: PathBuf,
        #[source]
        cause: Option<io::Error>,
        hint: &'static str,
    },

    /// What the backend's URL names on its server.
    #[error("{url}: {cause}")]
    Root {
        url: String,
        #[source]
        cause: RootError,
    },

    #[error("{} is not empty", .0.display())]
    NotEmpty(PathBuf),

    #[error("{} is copied between machines by {client}, and its copies would fork the history", folder.display())]
    SyncClient { folder: PathBuf, client: &'static str },

    #[error("the project on this backend is already mirrored here as {0:?}")]
    SameProject(String),

    /// Setting up went wrong after the backend's project had been made.
    #[error("{}; the new project's first commit {stays} on the backend", cause.message())]
    AfterCreation { cause: Box<RequestError>, stays: &'static str },

    /// Setting up went wrong, and to take it back would lose something.
    #[error("{}; the project {name:?} stays, half-made: {why}", cause.message())]
    HalfMade { name: String, why: &'static str, cause: Box<RequestError> },

    #[error(transparent)]
    Flaw(#[from] Flaw),

    #[error("{what}")]
    Usage { what: String, hint: Option<String> },

    /// What one command found at several projects or files.
    #[error("{} (and {more} more)", worst.message())]
    Several { worst: Box<RequestError>, more: usize },

    #[error("the daemon is stopping")]
    Stopping,

    #[error("an internal fault ended this request")]
    Panicked,
}

impl RequestError {
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::Usage { what: what.into(), hint: None }
    }

    pub(crate) fn class(&self) -> FaultClass {
        match self {
            Self::Engine(error) => error.class(),
            Self::Storage(error) => error.class(),
            Self::AfterCreation { cause, .. }
            | Self::HalfMade { cause, .. }
            | Self::Several { worst: cause, .. } => cause.class(),
            Self::Root { cause, .. } => cause.class(),
            Self::Stopped { class, .. } => *class,
            Self::Config(_) | Self::Url(_) | Self::Name(_) | Self::Usage { .. } => {
                FaultClass::Usage
            }
            Self::Folder { cause: Some(cause), .. }
                if cause.kind() == io::ErrorKind::StorageFull =>
            {
                FaultClass::Quota
            }
            Self::Folder { cause: Some(cause), .. }
                if cause.kind() == io::ErrorKind::PermissionDenied
                    || cause.kind() == io::ErrorKind::ReadOnlyFilesystem =>
            {
                FaultClass::Permission
            }
            Self::UnknownProject { .. } | Self::NoProjectAt(_) | Self::Folder { .. } => {
                FaultClass::NotFound
            }
            Self::Overlap(_)
            | Self::Flaw(_)
            | Self::SameProject(_)
            | Self::NotEmpty(_)
            | Self::SyncClient { .. } => FaultClass::Rejected,
            Self::Stopping => FaultClass::Transient,
            Self::Panicked => FaultClass::Internal,
        }
    }

    /// What the person can do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Engine(error) => error.hint(),
            Self::Storage(error) => error.hint(),
            Self::Root { cause, .. } => cause.hint(),
            Self::Config(problem) => problem.fix.clone(),
            Self::Url(error) => Some(error.hint()),
            Self::Flaw(_) => Some(Flaw::HINT.to_owned()),
            Self::Overlap(overlap) => Some(overlap.hint()),
            Self::Name(_) => Some("name files of the project".into()),
            Self::UnknownProject { meant: Some(meant), .. } => {
                Some(format!("did you mean {meant:?}?"))
            }
            Self::UnknownProject { meant: None, .. } => {
                Some("see `mirrorctl projects`".into())
            }
            Self::NoProjectAt(_) => Some(
                "go into a project's folder, name one with --project, or make one with `mirrorctl init`"
                    .into(),
            ),
            Self::Stopped { hint, .. } | Self::Usage { hint, .. } => hint.clone(),
            Self::Folder { hint, .. } => Some((*hint).to_owned()),
            Self::NotEmpty(_) => {
                Some("clone into a new folder, or use `mirrorctl init` here".into())
            }
            Self::SyncClient { .. } => {
                Some("use a folder that all machines reach themselves, as a NAS mount".into())
            }
            Self::SameProject(name) => {
                Some(format!("use it as it is, or `mirrorctl remove {name}` first"))
            }
            Self::AfterCreation { .. } => {
                Some("once that is put right, run the same command again: it joins the project".into())
            }
            Self::Several { .. } => Some("`mirrorctl doctor` names them all".into()),
            Self::HalfMade { name, .. } => Some(format!(
                "nothing of yours was removed; once that is put right, `mirrorctl --project {name} pull` goes on"
            )),
            Self::Stopping => Some("run it again: a new daemon is started".into()),
            Self::Panicked => Some("see `mirrorctl daemon logs`; nothing else was affected".into()),
        }
    }

    /// The file concerned, where it is one of the project's.
    pub(crate) fn path(&self) -> Option<String> {
        match self {
            Self::Engine(
                EngineError::ContentMissing { path }
                | EngineError::ContentCorrupt { path, .. }
                | EngineError::ConflictMoved(path)
                | EngineError::NameClash(path)
                | EngineError::MarkersLeft(path),
            ) => Some(path.as_str().to_owned()),
            Self::AfterCreation { cause, .. }
            | Self::HalfMade { cause, .. }
            | Self::Several { worst: cause, .. } => cause.path(),
            _ => None,
        }
    }

    /// Whether the backend is what failed.
    pub(crate) fn is_about_backend(&self) -> bool {
        match self {
            Self::Storage(_) | Self::Root { .. } | Self::Engine(EngineError::Storage(_)) => true,
            Self::AfterCreation { cause, .. }
            | Self::HalfMade { cause, .. }
            | Self::Several { worst: cause, .. } => cause.is_about_backend(),
            _ => false,
        }
    }

    /// The whole chain of causes in one line, none said twice.
    pub(crate) fn message(&self) -> String {
        let mut message = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            cause = error.source();
        }
        message.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// A setting that a request carries has no file: it is named by the request.
pub(crate) fn problem_of_request(problem: Problem) -> RequestError {
    RequestError::Config(Problem { place: Place::Request, ..problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_holds_the_whole_chain_once() {
        let cause = io::Error::other("no such disk");
        let error = RequestError::from(EngineError::from(StorageError::Unreachable(cause.into())));
        assert_eq!(error.message(), "storage is unreachable: no such disk");
        assert!(error.is_about_backend());
        assert_eq!(error.class(), FaultClass::Transient);
    }

    #[test]
    fn failure_after_creation_keeps_its_class_and_says_what_stays() {
        let cause = Box::new(RequestError::Stopping);
        let error = RequestError::AfterCreation { cause, stays: "stays" };
        assert_eq!(error.class(), FaultClass::Transient);
        assert!(error.message().contains("stays on the backend"));
    }
}
