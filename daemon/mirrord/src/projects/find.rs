//! Finds a project by its name or by a folder inside it.

use std::path::Path;

use super::registry::{Condition, Registry};
use crate::error::RequestError;
use crate::path_args::without_dots;
use crate::spelling::nearest;

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
    pub(crate) async fn at(&self, folder: &Path) -> Result<String, RequestError> {
        let real = self.links.follow(folder).await.unwrap_or_else(|| without_dots(folder));
        if let Some(name) = self.around(&real) {
            return Ok(name);
        }
        // A root's link may lead elsewhere by now.
        self.look_at_claims().await;
        self.around(&real).ok_or_else(|| RequestError::NoProjectAt(folder.to_owned()))
    }

    fn around(&self, folder: &Path) -> Option<String> {
        self.slots()
            .iter()
            .filter_map(|(name, slot)| Some((name, slot.root()?)))
            .filter(|(_, root)| folder.starts_with(root))
            .max_by_key(|(_, root)| root.components().count())
            .map(|(name, _)| name.clone())
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
