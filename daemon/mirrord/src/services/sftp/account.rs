//! What the daemon asks of a server beside its files.

use std::sync::Arc;

use async_trait::async_trait;
use mirror_storage::adapter::{SftpBackend, SftpConnection, SftpFeatures, SftpRoot};
use mirror_storage::{Backend, RemotePath, StorageError};

use crate::error::RequestError;
use crate::finding::Finding;
use crate::services::account::{Account, RootError};

#[derive(Debug)]
pub(super) struct ServerAccount {
    pub(super) adapter: Arc<SftpBackend>,
    pub(super) connection: Arc<SftpConnection>,
}

#[async_trait]
impl Account for ServerAccount {
    fn adapter(&self) -> Arc<dyn Backend> {
        self.adapter.clone()
    }

    fn is_remote(&self) -> bool {
        true
    }

    async fn connect(&self) -> Result<(), StorageError> {
        self.connection.greet().await
    }

    async fn probe(&self) -> Result<(), StorageError> {
        match self.connection.is_connected() {
            true => self.adapter.look_at_root().await.map(drop),
            // The greeting of a new connection is an answer.
            false => self.connection.features().await.map(drop),
        }
    }

    async fn sign_in(&self) -> Result<&'static str, RequestError> {
        self.connection.greet().await?;
        Ok("your own ssh signs in, and the server lets us in")
    }

    async fn root(&self) -> Result<bool, RootError> {
        match self.adapter.look_at_root().await? {
            SftpRoot::Folder => Ok(true),
            SftpRoot::Nothing => Ok(false),
            SftpRoot::NothingAbove => Err(RootError::NothingAbove),
            SftpRoot::NoFolder => Err(RootError::NoFolder),
        }
    }

    async fn is_for_group(&self) -> Result<bool, RootError> {
        Ok(self.adapter.is_for_group().await?)
    }

    async fn make_root(&self) -> Result<(), RootError> {
        self.adapter.make_root().await.map_err(|error| match error {
            StorageError::Forbidden { .. } => {
                RootError::Unmakable("no permission in the folder above it".into())
            }
            error => error.into(),
        })
    }

    async fn remove_empty(&self, folder: &RemotePath) {
        drop(self.adapter.remove_empty(folder).await);
    }

    async fn findings(&self, place: &str) -> Result<Vec<Finding>, StorageError> {
        Ok(findings(self.connection.features().await?, place))
    }
}

const NEWER: &str = "use OpenSSH 6.5 or newer on the server where you can";

/// What the features of a server, or their absence, mean.
fn findings(features: SftpFeatures, place: &str) -> Vec<Finding> {
    let fsync = if features.fsync {
        Finding::ok(place, "the server flushes what it stores to its disk")
    } else {
        let what = "the server can't flush to its disk: a power cut there can cost the last pushes";
        Finding::warn(place, what, NEWER)
    };
    let hardlink = if features.hardlink {
        Finding::ok(place, "commits are created by hard link")
    } else {
        Finding::ok(place, "the server has no hard links: commits are created as folders")
    };
    let mut findings = vec![fsync, hardlink];
    if !features.posix_rename {
        let what = "the server can't replace a file by rename: a reader can miss it for a moment";
        findings.push(Finding::warn(place, what, NEWER));
    }
    findings
}
