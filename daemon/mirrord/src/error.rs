//! Why a request could not be carried out.
//!
//! Each room has errors of its own and explains them itself; a request carries
//! any of them to whoever asked.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use mirror_engine::EngineError;
use mirror_storage::{FaultClass, StorageError};

/// What an error says beyond its message.
pub(crate) trait Explained: Error + Send + Sync + 'static {
    fn class(&self) -> FaultClass;

    /// What the person can do about it.
    fn hint(&self) -> Option<String>;

    /// The file concerned, where it is one of the project's.
    fn path(&self) -> Option<String> {
        None
    }

    /// The answer of a person that it is about: a part of the URL, or the name
    /// of a key; `None` where it is none of them alone.
    fn about(&self) -> Option<&'static str> {
        None
    }

    /// Whether the backend is what failed.
    fn is_about_backend(&self) -> bool {
        false
    }
}

/// Why a request ended without its result. Whatever explains itself becomes one.
pub(crate) struct RequestError(Box<dyn Explained>);

impl<E: Explained> From<E> for RequestError {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl RequestError {
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Refusal::Usage { what: what.into(), hint: None }.into()
    }

    pub(crate) fn usage_with_hint(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Refusal::Usage { what: what.into(), hint: Some(hint.into()) }.into()
    }

    /// The error as it was raised, if it is such a one.
    pub(crate) fn as_raised<E: Explained>(&self) -> Option<&E> {
        let error: &(dyn Error + 'static) = self.0.as_ref();
        error.downcast_ref()
    }

    pub(crate) fn class(&self) -> FaultClass {
        self.0.class()
    }

    pub(crate) fn hint(&self) -> Option<String> {
        self.0.hint()
    }

    pub(crate) fn path(&self) -> Option<String> {
        self.0.path()
    }

    pub(crate) fn about(&self) -> Option<&'static str> {
        self.0.about()
    }

    pub(crate) fn is_about_backend(&self) -> bool {
        self.0.is_about_backend()
    }

    /// The whole chain of causes in one line, none said twice.
    pub(crate) fn message(&self) -> String {
        let mut message = self.0.to_string();
        let mut cause = self.0.source();
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

impl fmt::Debug for RequestError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, out)
    }
}

/// What ends a request whatever it is about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{what}")]
    Usage { what: String, hint: Option<String> },

    /// Nothing was made that stays.
    #[error("it was cancelled")]
    Cancelled,

    #[error("the daemon is stopping")]
    Stopping,

    #[error("the project is still being opened or closed")]
    NotYet,

    #[error("an internal fault ended this request")]
    Panicked,
}

impl Explained for Refusal {
    fn class(&self) -> FaultClass {
        match self {
            Self::Usage { .. } => FaultClass::Usage,
            Self::Cancelled | Self::Stopping | Self::NotYet => FaultClass::Transient,
            Self::Panicked => FaultClass::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } => hint.clone(),
            Self::Cancelled => Some("run it again".into()),
            Self::Stopping => Some("run it again: a new daemon is started".into()),
            Self::NotYet => Some(
                "look again in a moment; if it stays so, look at the disks that its folder and \
                 the daemon's are on"
                    .into(),
            ),
            Self::Panicked => Some("see `mirrorctl daemon logs`; nothing else was affected".into()),
        }
    }
}

/// A folder of this machine that can't be used as it should.
#[derive(Debug, thiserror::Error)]
#[error("{what} {}", folder.display())]
pub(crate) struct FolderError {
    pub(crate) what: &'static str,
    pub(crate) folder: PathBuf,
    #[source]
    pub(crate) cause: Option<io::Error>,
    pub(crate) hint: &'static str,
}

impl Explained for FolderError {
    fn class(&self) -> FaultClass {
        match self.cause.as_ref().map(io::Error::kind) {
            Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => FaultClass::Quota,
            Some(io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
                FaultClass::Permission
            }
            Some(_) | None => FaultClass::NotFound,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(self.hint.to_owned())
    }

    fn about(&self) -> Option<&'static str> {
        Some("path")
    }
}

impl Explained for StorageError {
    fn class(&self) -> FaultClass {
        self.class()
    }

    fn hint(&self) -> Option<String> {
        self.hint()
    }

    fn about(&self) -> Option<&'static str> {
        self.about()
    }

    fn is_about_backend(&self) -> bool {
        true
    }
}

impl Explained for EngineError {
    fn class(&self) -> FaultClass {
        self.class()
    }

    fn hint(&self) -> Option<String> {
        self.hint()
    }

    fn path(&self) -> Option<String> {
        match self {
            Self::ContentMissing { path }
            | Self::ContentCorrupt { path, .. }
            | Self::ConflictMoved(path)
            | Self::NameClash(path)
            | Self::MarkersLeft(path) => Some(path.as_str().to_owned()),
            _ => None,
        }
    }

    fn about(&self) -> Option<&'static str> {
        match self {
            Self::Storage(error) => error.about(),
            _ => None,
        }
    }

    fn is_about_backend(&self) -> bool {
        matches!(self, Self::Storage(_))
    }
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
    fn error_is_known_again_by_where_it_was_raised() {
        let error = RequestError::from(Refusal::Stopping);
        assert!(matches!(error.as_raised(), Some(Refusal::Stopping)));
        assert!(error.as_raised::<EngineError>().is_none());
    }
}
