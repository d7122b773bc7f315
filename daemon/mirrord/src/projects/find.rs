//! Finds a project by its name or by a folder inside it.

use std::path::{Path, PathBuf};

use mirror_core::RelPath;
use mirror_core::patterns::MEMORY_FOLDER;
use mirror_storage::FaultClass;

use super::registry::{Condition, Registry};
use crate::error::{Explained, RequestError};
use crate::path_args::without_dots;
use crate::spelling::nearest;

/// Why there is no project to work on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProjectError {
    #[error("no project is called {name:?}")]
    Unknown { name: String, meant: Option<String> },

    #[error("{} is not inside a project", .0.display())]
    NotInside(PathBuf),

    /// Its configuration or its backend kept it from being opened.
    #[error("the project {name:?} is stopped: {reason}")]
    Stopped { name: String, reason: String, class: FaultClass, hint: Option<String> },
}

impl Explained for ProjectError {
    fn class(&self) -> FaultClass {
        match self {
            Self::Unknown { .. } | Self::NotInside(_) => FaultClass::NotFound,
            Self::Stopped { class, .. } => *class,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unknown { meant: Some(meant), .. } => format!("did you mean {meant:?}?"),
            Self::Unknown { meant: None, .. } => "see `mirrorctl projects`".to_owned(),
            Self::NotInside(_) => "go into a project's folder, name one with --project, or make \
                                   one with `mirrorctl init`"
                .to_owned(),
            Self::Stopped { hint, .. } => return hint.clone(),
        };
        Some(hint)
    }
}

impl Registry {
    /// The name as it is written here; an unknown one is answered with the
    /// nearest that there is.
    pub(crate) fn named(&self, name: &str) -> Result<String, RequestError> {
        let slots = self.slots();
        if slots.contains_key(name) {
            return Ok(name.to_owned());
        }
        let meant = nearest(name, slots.keys().map(String::as_str)).map(str::to_owned);
        Err(ProjectError::Unknown { name: name.to_owned(), meant }.into())
    }

    /// The project whose root is this folder or the nearest one above it.
    pub(crate) async fn at(&self, folder: &Path) -> Result<String, RequestError> {
        let real = self.links.follow(folder).await.unwrap_or_else(|| without_dots(folder));
        if let Some(name) = self.around(&real) {
            return Ok(name);
        }
        // A root's link may lead elsewhere by now.
        self.look_at_claims().await;
        self.around(&real).ok_or_else(|| ProjectError::NotInside(folder.to_owned()).into())
    }

    /// The project around a folder, if any; nobody is asked twice.
    pub(crate) async fn home_of(&self, folder: &Path) -> Option<String> {
        let real = self.links.follow(folder).await.unwrap_or_else(|| without_dots(folder));
        self.around(&real)
    }

    /// The project that a file lies in, and its path there; the file need not be.
    pub(crate) async fn file_at(&self, file: &Path) -> Option<(String, RelPath)> {
        let file = without_dots(file);
        let (parent, name) = (file.parent()?, file.file_name()?);
        let real = self.links.follow(parent).await.unwrap_or_else(|| parent.to_owned());
        if let Some(found) = self.memory_at(&real.join(name)) {
            return Some(found);
        }
        let project = self.around(&real)?;
        let root = self.slots().get(&project)?.root()?.to_owned();
        let path = real.join(name).strip_prefix(root).ok()?.to_str()?.to_owned();
        Some((project, RelPath::new(&path).ok()?))
    }

    /// The project into which the folder that a file lies in is mapped.
    fn memory_at(&self, file: &Path) -> Option<(String, RelPath)> {
        let slots = self.slots();
        slots.iter().find_map(|(project, slot)| {
            slot.config.iter().flat_map(|config| &config.memory).find_map(|(name, mapped)| {
                let rest = file.strip_prefix(&mapped.folder).ok()?.to_str()?;
                let path = RelPath::new(&format!("{MEMORY_FOLDER}/{name}/{rest}")).ok()?;
                Some((project.clone(), path))
            })
        })
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
        let stopped = match self.slots().get(name).map(|slot| slot.condition.clone()) {
            Some(Condition::Closed(why)) => ProjectError::Stopped {
                name: name.to_owned(),
                reason: why.reason,
                class: why.class,
                hint: why.hint,
            },
            Some(Condition::Open(_)) | None => {
                ProjectError::Unknown { name: name.to_owned(), meant: None }
            }
        };
        stopped.into()
    }
}
