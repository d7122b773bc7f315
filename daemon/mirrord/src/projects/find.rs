//! Finds a project by its name or by a folder inside it.

use std::path::{Path, PathBuf};

use super::registry::{Condition, Registry, Slot, claim_of};
use crate::config::{nearest, root_in};
use crate::error::RequestError;
use crate::names::resolved;

impl Registry {
    /// The name as it is written here; an unknown one is answered with the
    /// nearest that there is.
    pub(crate) fn named(&self, name: &str) -> Result<String, RequestError> {
        let slots = self.slots();
        if slots.contains_key(name) {
            return Ok(name.to_owned());
        }
        Err(RequestError::UnknownProject {
            name: name.to_owned(),
            meant: nearest(name, slots.keys().map(String::as_str)).map(str::to_owned),
        })
    }

    /// The project whose root is this folder or the nearest one above it.
    pub(crate) fn at(&self, folder: &Path) -> Result<String, RequestError> {
        let real = resolved(folder);
        self.slots()
            .iter()
            .filter_map(|(name, slot)| Some((name, root_of(slot)?)))
            .filter(|(_, root)| real.starts_with(root))
            .max_by_key(|(_, root)| root.components().count())
            .map(|(name, _)| name.clone())
            .ok_or_else(|| RequestError::NoProjectAt(folder.to_owned()))
    }

    /// Why a project doesn't run, as an error for whoever asked for it.
    pub(super) fn stopped(&self, name: &str) -> RequestError {
        match self.slots().get(name).map(|slot| slot.condition.clone()) {
            Some(Condition::Closed(why)) => RequestError::Stopped {
                name: name.to_owned(),
                reason: why.reason,
                class: why.class,
                hint: why.hint,
            },
            Some(Condition::Open(_)) | None => {
                RequestError::UnknownProject { name: name.to_owned(), meant: None }
            }
        }
    }
}

/// Also that of a project whose file is wrong elsewhere: whoever asks from
/// inside it should hear what is wrong, not that there is no project.
fn root_of(slot: &Slot) -> Option<PathBuf> {
    match &slot.config {
        Some(config) => Some(claim_of(config).root),
        None => root_in(&std::fs::read_to_string(&slot.file).ok()?).map(|root| resolved(&root)),
    }
}
