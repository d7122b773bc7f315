//! Finds a project by its name or by a folder inside it.

use std::path::Path;

use super::registry::{Condition, Registry, claim_of};
use crate::config::nearest;
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
            .values()
            .filter_map(|slot| slot.config.as_ref().map(claim_of))
            .filter(|claim| real.starts_with(&claim.root))
            .max_by_key(|claim| claim.root.components().count())
            .map(|claim| claim.name)
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
