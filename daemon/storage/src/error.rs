//! Why a storage call failed, and what that means for what happens next.

use std::time::Duration;

use crate::RemotePath;

/// What lies below an error of ours, in the words of a library or a service.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

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

    /// Nobody here has ever said that this is the right server.
    #[error("the host key of {host} is not known here{}", shown(fingerprint.as_deref()))]
    HostKeyUnknown {
        host: String,
        /// Of the key that the host shows, where `ssh` says it.
        fingerprint: Option<String>,
        /// The command by which a person accepts it.
        accept: String,
    },

    /// Another server than before answers, or somebody in between.
    #[error(
        "the host key of {host} is not the one that is known here{}",
        shown(fingerprint.as_deref())
    )]
    HostKeyChanged {
        host: String,
        fingerprint: Option<String>,
        /// The command by which a person has the known one forgotten.
        forget: String,
        accept: String,
    },

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

fn shown(fingerprint: Option<&str>) -> String {
    fingerprint.map_or(String::new(), |fingerprint| format!(": it shows {fingerprint}"))
}

impl StorageError {
    /// Says what to do about this error. Exhaustive, so a new variant cannot
    /// be added without choosing its class.
    #[must_use]
    pub fn class(&self) -> FaultClass {
        match self {
            Self::Unreachable(_) | Self::Throttled { .. } => FaultClass::Transient,
            Self::CredentialsRefused(_)
            | Self::HostKeyUnknown { .. }
            | Self::HostKeyChanged { .. }
            | Self::AccessLost => FaultClass::Auth,
            Self::Full => FaultClass::Quota,
            Self::Forbidden { .. } => FaultClass::Permission,
            Self::Rejected { .. } => FaultClass::Rejected,
            Self::Malformed(_) | Self::Source { .. } => FaultClass::Internal,
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
