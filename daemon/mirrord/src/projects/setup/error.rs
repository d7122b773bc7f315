//! Why a project could not be set up, where setting up itself is the reason.

use std::path::PathBuf;

use mirror_storage::FaultClass;

use crate::error::{Explained, RequestError};

#[derive(Debug, thiserror::Error)]
pub(crate) enum SetUpError {
    #[error("{} is not empty", .0.display())]
    NotEmpty(PathBuf),

    #[error(
        "{} is copied between machines by {client}, and its copies would fork the history",
        folder.display()
    )]
    SyncClient { folder: PathBuf, client: &'static str },

    /// Nobody said that this project is meant.
    #[error(
        "{url} already holds the project {name:?}, made by {user} on {machine} on {day}: \
         {} at #{head}, patterns {patterns}",
        files_of(*files)
    )]
    HoldsProject {
        url: String,
        name: String,
        user: String,
        machine: String,
        day: String,
        head: u64,
        files: usize,
        patterns: String,
    },

    /// It went wrong after the backend's project had been made.
    #[error("{}; the new project's first commit {stays} on the backend", cause.message())]
    AfterCreation { cause: RequestError, stays: &'static str },

    /// It went wrong, and to take it back would lose something.
    #[error("{}; the project {name:?} stays, half-made: {why}", cause.message())]
    HalfMade { name: String, why: &'static str, cause: RequestError },
}

fn files_of(count: usize) -> String {
    format!("{count} {}", if count == 1 { "file" } else { "files" })
}

impl SetUpError {
    fn cause(&self) -> Option<&RequestError> {
        match self {
            Self::NotEmpty(_) | Self::SyncClient { .. } | Self::HoldsProject { .. } => None,
            Self::AfterCreation { cause, .. } | Self::HalfMade { cause, .. } => Some(cause),
        }
    }
}

impl Explained for SetUpError {
    fn class(&self) -> FaultClass {
        match (self, self.cause()) {
            (Self::HoldsProject { .. }, _) => FaultClass::Consent,
            (_, cause) => cause.map_or(FaultClass::Rejected, RequestError::class),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotEmpty(_) => "clone into a new folder; or keep what is in this one and join \
                                  the project with it: `mirrorctl init DIR --to URL --join`"
                .into(),
            Self::SyncClient { .. } => {
                "use a folder that all machines reach themselves, as a NAS mount".into()
            }
            Self::HoldsProject { .. } => {
                "nothing was made; if that is the one, run it again with --join: its files come \
                 here, and with the next push this folder's go there"
                    .into()
            }
            Self::AfterCreation { .. } => {
                "once that is put right, run the same command again: it goes on with the project"
                    .into()
            }
            Self::HalfMade { name, .. } => format!(
                "nothing of yours was removed; once that is put right, the same command or \
                 `mirrorctl --project {name} pull` goes on"
            ),
        })
    }

    fn path(&self) -> Option<String> {
        self.cause().and_then(RequestError::path)
    }

    fn is_about_backend(&self) -> bool {
        self.cause().is_some_and(RequestError::is_about_backend)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Refusal;

    #[test]
    fn failure_after_creation_keeps_its_class_and_says_what_stays() {
        let cause = Refusal::Stopping.into();
        let error = RequestError::from(SetUpError::AfterCreation { cause, stays: "stays" });
        assert_eq!(error.class(), FaultClass::Transient);
        assert!(error.message().contains("stays on the backend"));
    }
}
