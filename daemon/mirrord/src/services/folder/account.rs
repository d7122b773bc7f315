//! What the daemon asks of a folder beside its files.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use async_trait::async_trait;
use mirror_storage::adapter::FolderBackend;
use mirror_storage::{Backend, RemotePath, StorageError};
use rustix::fs::{Access, access};

use crate::error::{FolderError, RequestError};
use crate::finding::Finding;
use crate::services::account::{Account, RootError};

#[derive(Debug)]
pub(super) struct FolderAccount {
    pub(super) adapter: Arc<FolderBackend>,
    pub(super) path: PathBuf,
}

impl FolderAccount {
    /// Does `look` where waiting for a disk holds nobody up.
    async fn off_runtime<T: Send + 'static>(&self, look: fn(&Path) -> T) -> T {
        let path = self.path.clone();
        match tokio::task::spawn_blocking(move || look(&path)).await {
            Ok(seen) => seen,
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        }
    }
}

#[async_trait]
impl Account for FolderAccount {
    fn adapter(&self) -> Arc<dyn Backend> {
        self.adapter.clone()
    }

    fn is_remote(&self) -> bool {
        false
    }

    async fn connect(&self) -> Result<(), StorageError> {
        Ok(())
    }

    async fn probe(&self) -> Result<(), StorageError> {
        Ok(())
    }

    async fn sign_in(&self) -> Result<&'static str, RequestError> {
        self.off_runtime(may_use).await?;
        Ok("no sign-in is needed, and the folder lets us in")
    }

    async fn root(&self) -> Result<bool, RootError> {
        self.off_runtime(root).await
    }

    async fn is_for_group(&self) -> Result<bool, RootError> {
        self.off_runtime(is_for_group).await.map_err(|error| RootError::Unseen(error.into()))
    }

    async fn make_root(&self) -> Result<(), RootError> {
        fs::create_dir(&self.path).map_err(|error| RootError::Unmakable(error.into()))
    }

    async fn remove_empty(&self, folder: &RemotePath) {
        drop(fs::remove_dir(self.path.join(folder.as_str())));
    }

    async fn findings(&self, _place: &str) -> Result<Vec<Finding>, StorageError> {
        Ok(Vec::new())
    }
}

fn may_use(path: &Path) -> Result<(), FolderError> {
    let all = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    access(path, all).map_err(|errno| FolderError {
        what: "this folder can't be used:",
        folder: path.to_owned(),
        cause: Some(errno.into()),
        hint: "check that its disk is mounted, and that you may read and write there",
    })
}

fn is_for_group(path: &Path) -> io::Result<bool> {
    let mode = |path: &Path| match fs::metadata(path) {
        Ok(found) => Ok(Some(found.permissions().mode())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    if let Some(mode) = mode(path)? {
        return Ok(mode & 0o2020 != 0);
    }
    let above = path.parent().map_or(Ok(None), mode)?;
    Ok(above.is_some_and(|mode| mode & 0o2000 != 0))
}

fn root(path: &Path) -> Result<bool, RootError> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(true),
        Ok(_) => Err(RootError::NoFolder),
        Err(_) if path.parent().is_some_and(Path::is_dir) => Ok(false),
        Err(_) => Err(RootError::NothingAbove),
    }
}
