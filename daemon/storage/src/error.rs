//! Why a storage call failed, and what that means for what happens next.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use crate::RemotePath;

/// What lies below an error of ours, in the words of a library or a service,
/// with what its adapter knows to tell a person about it.
#[derive(Debug)]
pub struct Cause {
    error: Box<dyn Error + Send + Sync>,
    hint: Option<Cow<'static, str>>,
    about: Option<&'static str>,
}

impl Cause {
    /// Adds what a person can do about it.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<Cow<'static, str>>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Adds which of a person's answers is wrong: a part of the URL (`host`,
    /// `path`), or the name of a key beside it.
    #[must_use]
    pub fn concerning(self, answer: &'static str) -> Self {
        Self { about: Some(answer), ..self }
    }

    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub fn about(&self) -> Option<&'static str> {
        self.about
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Cause {
    fn from(error: E) -> Self {
        Self { error: error.into(), hint: None, about: None }
    }
}

impl Deref for Cause {
    type Target = dyn Error + Send + Sync;

    fn deref(&self) -> &Self::Target {
        &*self.error
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(out)
    }
}

/// Why a storage call could not be carried out.
///
/// Expected answers are not errors: a missing file is `Ok(None)`, and a write
/// that lost a race is [`Guarded::Refused`](crate::Guarded::Refused).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    #[error("storage is unreachable")]
    Unreachable(#[source] Cause),

    #[error("storage asked us to slow down")]
    Throttled { retry_after: Option<Duration> },

    #[error("storage refused our credentials")]
    CredentialsRefused(#[source] Cause),

    /// It could be any other server, or somebody in between: a person has to say
    /// that it is the right one. The cause says it all.
    #[error("{0}")]
    Untrusted(Cause),

    #[error("we may no longer use this folder")]
    AccessLost,

    #[error("storage is full")]
    Full,

    #[error("no permission for {}", name_of(path))]
    Forbidden { path: RemotePath },

    #[error("storage does not accept {}: {reason}", name_of(path))]
    Rejected { path: RemotePath, reason: String },

    #[error("storage sent a reply we do not understand")]
    Malformed(#[source] Cause),

    /// The upload's own source failed or did not have the length it said.
    #[error("what was to be stored at {path} could not be read")]
    Source {
        path: RemotePath,
        #[source]
        cause: Cause,
    },
}

/// A path in a sentence; that of the root is empty.
fn name_of(path: &RemotePath) -> &str {
    if path.is_root() { "the backend's folder" } else { path.as_str() }
}

impl StorageError {
    /// Says what to do about this error. Exhaustive, so a new variant cannot
    /// be added without choosing its class.
    #[must_use]
    pub fn class(&self) -> FaultClass {
        match self {
            Self::Unreachable(_) | Self::Throttled { .. } => FaultClass::Transient,
            Self::CredentialsRefused(_) | Self::Untrusted(_) | Self::AccessLost => FaultClass::Auth,
            Self::Full => FaultClass::Quota,
            Self::Forbidden { .. } => FaultClass::Permission,
            Self::Rejected { .. } => FaultClass::Rejected,
            Self::Malformed(_) | Self::Source { .. } => FaultClass::Internal,
        }
    }

    pub(crate) fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Unreachable(cause)
            | Self::CredentialsRefused(cause)
            | Self::Untrusted(cause)
            | Self::Malformed(cause)
            | Self::Source { cause, .. } => Some(cause),
            Self::Throttled { .. }
            | Self::AccessLost
            | Self::Full
            | Self::Forbidden { .. }
            | Self::Rejected { .. } => None,
        }
    }
}

/// What a failure means for what happens next, whichever service raised it.
/// One list from the adapters through the protocol to the JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultClass {
    /// Likely to pass: keep the step and try again later.
    Transient,
    /// We lost access: pause this backend until a person restores it.
    Auth,
    /// No room left: pause writes, let reads and deletes through.
    Quota,
    /// Not for us, or not acceptable: name the file and go on.
    Permission,
    Rejected,
    NotFound,
    /// Waits for a person's decision.
    Conflict,
    Consent,
    /// The project is stopped: fork, unknown format, another project.
    Stopped,
    /// The request itself is wrong.
    Usage,
    /// Our fault, or a reply that we don't understand: shown loudly.
    Internal,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_has_a_name_in_messages() {
        let error = StorageError::Forbidden { path: RemotePath::ROOT };
        assert_eq!(error.to_string(), "no permission for the backend's folder");
    }
}
