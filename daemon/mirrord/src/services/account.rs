//! What the daemon asks of a backend itself, before a project uses it and when
//! somebody wants to know what is wrong.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use mirror_storage::{Backend, Cause, FaultClass, OUR_FOLDER, RemotePath, StorageError};

use crate::error::{Explained, RequestError};
use crate::finding::Finding;

/// One folder of one account, without layers.
#[async_trait]
pub(crate) trait Account: fmt::Debug + Send + Sync {
    /// The backend itself, to be called without layers.
    fn adapter(&self) -> Arc<dyn Backend>;

    /// Whether a person waits for a connection, and not only for a disk.
    fn is_remote(&self) -> bool;

    /// Reaches the service and signs in, where that is something of its own.
    async fn connect(&self) -> Result<(), StorageError>;

    /// Waits for one answer of a server, as a project's calls would; for a while
    /// after a try in vain, everybody hears of that one.
    async fn probe(&self) -> Result<(), StorageError>;

    /// Whether we may use it, without looking at what it holds; gives what that
    /// took.
    async fn sign_in(&self) -> Result<&'static str, RequestError>;

    /// Whether the root is there; an error where it can't even be made.
    async fn root(&self) -> Result<bool, RootError>;

    /// Whether what is at the root is meant for its group, too: it gives its group
    /// to what is made there, or lets that write. Of a root that is missing it is
    /// the folder above that would give its group.
    async fn is_for_group(&self) -> Result<bool, RootError> {
        Ok(false)
    }

    /// Makes the last component of a root that is missing.
    async fn make_root(&self) -> Result<(), RootError>;

    /// Removes a folder if it is empty: one that holds something holds what
    /// isn't ours to remove.
    async fn remove_empty(&self, folder: &RemotePath);

    /// What the service can do, where services of this kind differ.
    async fn findings(&self, place: &str) -> Result<Vec<Finding>, StorageError>;
}

/// What a write that came to nothing may leave empty, the innermost first.
const OWN_FOLDERS: [&str; 6] = ["tmp", "aside", "packs", "log/0000000", "log/scratch", "log"];

impl dyn Account {
    /// Removes our own folders where they are empty: the trace of a try.
    pub(crate) async fn clear_own(&self) {
        let below = OWN_FOLDERS.into_iter().map(|name| format!("{OUR_FOLDER}/{name}"));
        for folder in below.chain([OUR_FOLDER.to_owned()]) {
            self.remove_empty(&RemotePath::new(folder).expect("our own names are normal")).await;
        }
    }

    /// The same, and the root if nothing else is in it.
    pub(crate) async fn clear_root(&self) {
        self.clear_own().await;
        self.remove_empty(&RemotePath::ROOT).await;
    }
}

/// Why a backend's root can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RootError {
    #[error("there is no backend folder")]
    Missing,
    #[error("neither the backend's folder nor the one above it is there")]
    NothingAbove,
    #[error("something that is no folder stands where the backend's folder should be")]
    NoFolder,
    #[error("the backend's folder can't be made")]
    Unmakable(#[source] Cause),
    #[error("nobody says for whom the backend's folder is")]
    Unseen(#[source] Cause),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl RootError {
    /// Says which backend's it is.
    pub(crate) fn at(self, url: &impl fmt::Display) -> RequestError {
        RootAt { url: url.to_string(), cause: self }.into()
    }
}

/// What the backend's URL names on its server.
#[derive(Debug, thiserror::Error)]
#[error("{url}: {cause}")]
struct RootAt {
    url: String,
    #[source]
    cause: RootError,
}

impl Explained for RootAt {
    fn class(&self) -> FaultClass {
        match &self.cause {
            RootError::Missing | RootError::NothingAbove | RootError::NoFolder => {
                FaultClass::NotFound
            }
            RootError::Unmakable(_) | RootError::Unseen(_) => FaultClass::Permission,
            RootError::Storage(error) => error.class(),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match &self.cause {
            RootError::Missing => "check the URL, and that its disk is mounted there",
            RootError::NothingAbove => {
                "make it, or check the URL's path and that its disk is mounted there"
            }
            RootError::NoFolder => "choose a folder",
            RootError::Unmakable(_) => "make it yourself, writable for you",
            RootError::Unseen(_) => "open the folders above it for yourself",
            RootError::Storage(error) => return error.hint(),
        };
        Some(hint.to_owned())
    }

    fn about(&self) -> Option<&'static str> {
        Some("path")
    }

    fn is_about_backend(&self) -> bool {
        true
    }
}
