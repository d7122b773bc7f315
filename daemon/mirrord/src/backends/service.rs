//! One service with what the daemon itself asks of it, before a project uses it
//! and when somebody wants to know what is wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mirror_storage::adapter::{FolderBackend, SftpBackend, SftpConnection, SftpFeatures, SftpRoot};
use mirror_storage::{Backend, Cause, FaultClass, OUR_FOLDER, RemotePath, StorageError};
use rustix::fs::{Access, access};

use crate::error::RequestError;

/// A backend by its kind, without layers; clones share it.
#[derive(Clone, Debug)]
pub(crate) enum Service {
    Folder(Arc<FolderBackend>, PathBuf),
    Sftp(Arc<SftpBackend>, Arc<SftpConnection>),
}

/// What a write that came to nothing may leave empty, the innermost first.
const OWN_FOLDERS: [&str; 6] = ["tmp", "aside", "packs", "log/0000000", "log/scratch", "log"];

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
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl RootError {
    pub(crate) fn class(&self) -> FaultClass {
        match self {
            Self::Missing | Self::NothingAbove | Self::NoFolder => FaultClass::NotFound,
            Self::Unmakable(_) => FaultClass::Permission,
            Self::Storage(error) => error.class(),
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Missing => "check the URL, and that its disk is mounted there",
            Self::NothingAbove => {
                "make it, or check the URL's path and that its disk is mounted there"
            }
            Self::NoFolder => "choose a folder",
            Self::Unmakable(_) => "make it yourself, writable for you",
            Self::Storage(error) => return error.hint(),
        };
        Some(hint.to_owned())
    }
}

impl Service {
    /// The backend itself, to be called without layers.
    pub(crate) fn adapter(&self) -> Arc<dyn Backend> {
        match self {
            Self::Folder(adapter, _) => adapter.clone(),
            Self::Sftp(adapter, _) => adapter.clone(),
        }
    }

    /// Reaches the service and signs in, where that is something of its own.
    pub(crate) async fn greet(&self) -> Result<(), StorageError> {
        match self {
            Self::Folder(..) => Ok(()),
            Self::Sftp(_, connection) => connection.greet().await,
        }
    }

    /// Waits for one answer of a server, as a project's calls would; for a while
    /// after a try in vain, everybody hears of that one.
    pub(crate) async fn ping(&self) -> Result<(), StorageError> {
        match self {
            Self::Folder(..) => Ok(()),
            Self::Sftp(adapter, connection) => match connection.is_connected() {
                true => adapter.look_at_root().await.map(drop),
                // The greeting of a new connection is an answer.
                false => connection.features().await.map(drop),
            },
        }
    }

    /// Whether we may use it, without looking at what it holds.
    pub(crate) async fn let_in(&self) -> Result<(), RequestError> {
        match self {
            Self::Sftp(_, connection) => Ok(connection.greet().await?),
            Self::Folder(_, path) => {
                let path = path.clone();
                off_runtime(move || folder_access(&path)).await
            }
        }
    }

    /// Whether a person waits for a connection, and not only for a disk.
    pub(crate) fn is_remote(&self) -> bool {
        matches!(self, Self::Sftp(..))
    }

    /// Whether the root is there; an error where it can't even be made.
    pub(crate) async fn has_root(&self) -> Result<bool, RootError> {
        match self {
            Self::Folder(_, path) => {
                let path = path.clone();
                off_runtime(move || folder_root(&path)).await
            }
            Self::Sftp(adapter, _) => match adapter.look_at_root().await? {
                SftpRoot::Folder => Ok(true),
                SftpRoot::Nothing => Ok(false),
                SftpRoot::NothingAbove => Err(RootError::NothingAbove),
                SftpRoot::NoFolder => Err(RootError::NoFolder),
            },
        }
    }

    /// Makes the last component of a root that is missing.
    pub(crate) async fn make_root(&self) -> Result<(), RootError> {
        match self {
            Self::Folder(_, path) => {
                fs::create_dir(path).map_err(|error| RootError::Unmakable(error.into()))
            }
            Self::Sftp(adapter, _) => adapter.make_root().await.map_err(|error| match error {
                StorageError::Forbidden { .. } => {
                    RootError::Unmakable("no permission in the folder above it".into())
                }
                error => error.into(),
            }),
        }
    }

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

    async fn remove_empty(&self, folder: &RemotePath) {
        match self {
            // One that holds something holds what isn't ours to remove.
            Self::Folder(_, path) => drop(fs::remove_dir(path.join(folder.as_str()))),
            Self::Sftp(adapter, _) => drop(adapter.remove_empty(folder).await),
        }
    }

    /// What the server can do, where servers of this kind differ.
    pub(crate) async fn features(&self) -> Result<Option<SftpFeatures>, StorageError> {
        match self {
            Self::Folder(..) => Ok(None),
            Self::Sftp(_, connection) => connection.features().await.map(Some),
        }
    }
}

/// Does `work` where waiting for a disk holds nobody up.
async fn off_runtime<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}

fn folder_access(path: &Path) -> Result<(), RequestError> {
    let all = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    access(path, all).map_err(|errno| RequestError::Folder {
        what: "this folder can't be used:",
        folder: path.to_owned(),
        cause: Some(errno.into()),
        hint: "check that its disk is mounted, and that you may read and write there",
    })
}

fn folder_root(path: &Path) -> Result<bool, RootError> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(true),
        Ok(_) => Err(RootError::NoFolder),
        Err(_) if path.parent().is_some_and(Path::is_dir) => Ok(false),
        Err(_) => Err(RootError::NothingAbove),
    }
}
