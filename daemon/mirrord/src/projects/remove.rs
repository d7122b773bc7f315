//! Stops mirroring a project on this machine.
//!
//! Its configuration, state, cache and local data go; its files and its
//! backend stay, the backend of a quickstart among them.

use std::fs;
use std::io;
use std::path::Path;

use super::registry::{Condition, Registry};
use crate::error::RequestError;

impl Registry {
    pub(crate) async fn remove(&self, name: &str) -> Result<(), RequestError> {
        let _turn = self.changes.lock().await;
        let name = self.named(name)?;
        let Some(slot) = self.slots_mut().remove(&name) else {
            return Err(self.stopped(&name));
        };
        if let Condition::Open(open) = &slot.condition {
            open.project.close().await;
        }
        // The file first: a crash after this line leaves folders that nothing uses.
        gone(&slot.file, fs::remove_file(&slot.file))?;
        for folder in self.folders.of_project(&name) {
            gone(&folder, fs::remove_dir_all(&folder))?;
        }
        tracing::info!(project = name, "a project was removed");
        Ok(())
    }
}

fn gone(path: &Path, removed: io::Result<()>) -> Result<(), RequestError> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(RequestError::Folder {
            what: "can't remove",
            folder: path.to_owned(),
            cause: Some(cause),
            hint: "make it writable for yourself, then run it again",
        }),
        Ok(()) => Ok(()),
    }
}
