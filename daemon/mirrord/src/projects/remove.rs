//! Stops mirroring a project on this machine.
//!
//! Its configuration, state, cache and local data go; its files and its
//! backend stay, the backend of a quickstart among them.

use std::fs;
use std::io;
use std::path::Path;

use super::registry::Registry;
use crate::error::{FolderError, RequestError};

impl Registry {
    pub(crate) async fn remove(&self, name: &str) -> Result<(), RequestError> {
        let name = self.named(name)?;
        let _turn = self.turn_of(&name).await;
        {
            let _order = self.changes.lock().await;
            let file = self.slots().get(&name).map(|slot| slot.file.clone());
            let file = file.ok_or_else(|| self.stopped(&name))?;
            // The file first: a crash after this line leaves folders that nothing uses.
            gone(&file, fs::remove_file(&file))?;
        }
        self.close_in_turn(&name, |_| true).await;
        // Until here it keeps others out of what it used.
        self.slots_mut().remove(&name);
        for folder in self.folders.of_project(&name) {
            gone(&folder, fs::remove_dir_all(&folder))?;
        }
        tracing::info!(project = name, "a project was removed");
        Ok(())
    }
}

fn gone(path: &Path, removed: io::Result<()>) -> Result<(), FolderError> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(FolderError {
            what: "can't remove",
            folder: path.to_owned(),
            cause: Some(cause),
            hint: "make it writable for yourself, then run it again",
        }),
        Ok(()) => Ok(()),
    }
}
