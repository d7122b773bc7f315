//! Stops mirroring a project on this machine.
//!
//! Its configuration, state, cache and local data go; its files and its
//! backend stay, the backend of a quickstart among them. What may stand nowhere
//! else goes only with a person's word for it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mirror_engine::real::LocalDisk;
use mirror_engine::{Kept, caches_contents};
use mirror_storage::FaultClass;

use super::kept::{KeepsVersions, counted};
use super::registry::Registry;
use crate::error::{FolderError, RequestError};

impl Registry {
    /// Gives what went with it; nothing did without `discard`.
    pub(crate) async fn remove(&self, name: &str, discard: bool) -> Result<Kept, RequestError> {
        let name = match self.is_left_over(name) {
            true => name.to_owned(),
            false => self.named(name)?,
        };
        let _turn = self.turn_of(&name).await;
        let slot = self.slots().get(&name).cloned();
        let (file, config) = slot.map_or((None, None), |slot| (Some(slot.file), slot.config));
        if file.is_none() && !self.is_left_over(&name) {
            return Err(self.stopped(&name));
        }
        self.may_go(&name, discard)?;
        self.close_in_turn(&name, |_| true).await;
        // Once more: what ran meanwhile may have kept something.
        let kept = self.may_go(&name, discard)?;
        if let Some(file) = file {
            let _order = self.changes.lock().await;
            // The file first: a crash after this line leaves folders that nothing uses.
            gone(&file, fs::remove_file(&file))?;
        }
        let emptied = self.remove_folders(&name);
        if let Some(config) = &config {
            self.forget_beginning(config);
        }
        // Until here it keeps others out of what it used. It is no project any more
        // also where something of it is left: the same command removes that.
        self.slots_mut().remove(&name);
        emptied?;
        tracing::info!(project = name, dropped = counted(&kept), "a project was removed");
        Ok(kept)
    }

    fn may_go(&self, name: &str, discard: bool) -> Result<Kept, RequestError> {
        let kept = self.kept_of(name)?;
        if discard {
            return Ok(kept);
        }
        if !kept.is_empty() {
            return Err(
                KeepsVersions::Project { name: name.to_owned(), what: counted(&kept) }.into()
            );
        }
        match self.may_hold_the_last(name) {
            true => Err(KeepsVersions::LastCopies(name.to_owned()).into()),
            false => Ok(kept),
        }
    }

    /// Whether contents of commits that the backend has lost may be here alone (L7).
    fn may_hold_the_last(&self, name: &str) -> bool {
        let fault = self.view(name).and_then(|view| view.fault);
        let is_stopped = fault.is_some_and(|fault| fault.class == FaultClass::Stopped);
        let [_, _, cache] = self.folders.of_project(name);
        is_stopped && caches_contents(&LocalDisk::at(cache))
    }

    pub(in crate::projects) fn remove_folders(&self, name: &str) -> Result<(), FolderError> {
        let removed = |folder: &PathBuf| gone(folder, fs::remove_dir_all(folder));
        let removed = self.folders.of_project(name).map(|folder| removed(&folder));
        removed.into_iter().collect()
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
