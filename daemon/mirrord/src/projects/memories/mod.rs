//! Which folders of this machine stand for shared memories (B15): mapped, unmapped,
//! told of.

mod places;
mod slug;

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use mirror_core::RelPath;
use mirror_core::patterns::Side;
use mirror_storage::FaultClass;
use tokio::task::spawn_blocking;

use super::registry::{Open, Registry};
use crate::config::{MemoryFolder, Problem, ProjectConfig, Source, check_memory_name, with_memory};
use crate::error::{Explained, Refusal, RequestError};
use crate::path_args::resolved;
use crate::private_file::write_through;
use crate::spelling::nearest;
use crate::wire::identity_at;

/// A folder to map.
#[derive(Clone, Debug)]
pub(crate) struct MapRequest {
    /// The project of the agent's home; `None` for the only one there is.
    pub(crate) project: Option<String>,
    /// Whose memory it is.
    pub(crate) root: PathBuf,
    /// `None`: as the mirrored project, or the repository, is called.
    pub(crate) name: Option<String>,
    /// `None`: where Claude Code keeps it.
    pub(crate) folder: Option<PathBuf>,
    /// What a session calls the folder of its project instead of the slug.
    pub(crate) dir_name: Option<String>,
}

/// A memory that is shared, or mapped here, or both.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    pub(crate) name: String,
    /// `None`: no folder of this machine stands for it.
    pub(crate) mapped: Option<MemoryFolder>,
    /// Files of the newest commit.
    pub(crate) files: u64,
    pub(crate) state: MemoryState,
}

/// Whether a mapped folder is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemoryState {
    Mapped,
    Unmapped,
    /// It is missing, or a link leads to it.
    Missing,
    /// Another folder is in its place.
    Replaced,
}

/// Why a folder can't stand for a memory, or what there is to know instead.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MemoryError {
    #[error("no project here is of an agent's home")]
    NoHome,
    #[error("several projects here are of an agent's home: {}", .0.join(", "))]
    Several(Vec<String>),
    #[error("the project {0:?} is of no agent's home: its memories have no folders elsewhere")]
    NotOfHome(String),
    #[error("{} is not a folder", .0.display())]
    NoFolder(PathBuf),
    #[error("{} has no name that it would have on every machine", .0.display())]
    NoName(PathBuf),
    #[error("{name:?} is the memory of {} already", mapped.root.display())]
    NameTaken { name: String, mapped: MemoryFolder },
    #[error("{} is mapped to {name:?} already, as the memory of {}", mapped.folder.display(), mapped.root.display())]
    FolderTaken { name: String, mapped: MemoryFolder },
    #[error("{} lies where the project has its own files", .0.display())]
    Within(PathBuf),
    #[error("{} can't be used", folder.display())]
    Unusable {
        folder: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("nothing is mapped to {name:?}")]
    Unknown { name: String, meant: Option<String> },
}

impl Explained for MemoryError {
    fn class(&self) -> FaultClass {
        match self {
            Self::NoHome | Self::Unknown { .. } | Self::NoFolder(_) => FaultClass::NotFound,
            Self::Several(_) | Self::NotOfHome(_) | Self::NoName(_) => FaultClass::Usage,
            Self::NameTaken { .. } | Self::FolderTaken { .. } | Self::Within(_) => {
                FaultClass::Rejected
            }
            Self::Unusable { .. } => FaultClass::Permission,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoHome | Self::NotOfHome(_) => {
                "make one with `mirrorctl init --preset claude-home`".to_owned()
            }
            Self::Several(_) => "name one with --project".to_owned(),
            Self::NoFolder(_) => "name the folder that you work in".to_owned(),
            Self::NoName(_) => {
                "give it one: `mirrorctl memory map DIR NAME`, the same on all machines".to_owned()
            }
            Self::NameTaken { name, mapped } => format!(
                "one folder is the memory of all checkouts here: let this one use it by \
                 \"autoMemoryDirectory\": \"{}\" in its .claude/settings.local.json, or \
                 `mirrorctl memory unmap {name}` first",
                mapped.folder.display()
            ),
            Self::FolderTaken { name, .. } => format!(
                "folders whose paths differ in signs alone share one: map it by one name, or \
                 `mirrorctl memory unmap {name}` first"
            ),
            Self::Within(_) => {
                "map a folder below `projects`, or outside of the project".to_owned()
            }
            Self::Unusable { .. } => "make it readable and writable for yourself".to_owned(),
            Self::Unknown { meant: Some(meant), .. } => format!("did you mean {meant:?}?"),
            Self::Unknown { meant: None, .. } => "see `mirrorctl memory list`".to_owned(),
        })
    }
}

impl Registry {
    /// Maps a folder, and makes it if it is missing. One that was mapped before is looked
    /// at anew, whichever it is by now.
    pub(crate) async fn map_memory(&self, request: MapRequest) -> Result<Memory, RequestError> {
        let open = self.home_project(request.project.as_deref()).await?;
        let name = self.memory_name_for(&request).await?;
        check_memory_name(&name).map_err(RequestError::usage)?;
        let config = open.config.clone();
        let (found_name, before) = (name.clone(), config.clone());
        let mapped = blocking(move || folder_to_map(&before, &found_name, &request)).await?;
        self.change_memory(&config.name, &name, Some(mapped)).await?;
        let open = self.open(&config.name).await?;
        told_of(&open, &name).await?.ok_or_else(|| Refusal::Panicked.into())
    }

    /// Lets a folder stand for nothing; what is in it stays, here and on the shared side.
    pub(crate) async fn unmap_memory(
        &self,
        project: Option<&str>,
        name: &str,
    ) -> Result<MemoryFolder, RequestError> {
        let open = self.home_project(project).await?;
        let Some(mapped) = open.config.memory.get(name).cloned() else {
            let meant = nearest(name, open.config.memory.keys().map(String::as_str));
            let (name, meant) = (name.to_owned(), meant.map(str::to_owned));
            return Err(MemoryError::Unknown { name, meant }.into());
        };
        self.change_memory(&open.config.name, name, None).await?;
        Ok(mapped)
    }

    /// Every memory that the project shares, and every one that is mapped here.
    pub(crate) async fn memories(
        &self,
        project: Option<&str>,
    ) -> Result<Vec<Memory>, RequestError> {
        let open = self.home_project(project).await?;
        all(&open).await
    }

    /// The project in whose log memories stand: the one that is named, or the only one.
    async fn home_project(&self, name: Option<&str>) -> Result<Open, RequestError> {
        if let Some(name) = name {
            let name = self.named(name)?;
            let open = self.open(&name).await?;
            return match is_home(&open).await? {
                true => Ok(open),
                false => Err(MemoryError::NotOfHome(name).into()),
            };
        }
        let names: Vec<String> = self.slots().keys().cloned().collect();
        let (mut found, mut failed) = (Vec::new(), None);
        for name in names {
            match self.open(&name).await {
                Ok(open) if is_home(&open).await? => found.push(open),
                Ok(_) => {}
                Err(error) => failed = Some(error),
            }
        }
        match (found.len(), failed) {
            (1, _) => Ok(found.remove(0)),
            // It may be the very one.
            (0, Some(error)) => Err(error),
            (0, None) => Err(MemoryError::NoHome.into()),
            _ => {
                let names = found.iter().map(|open| open.config.name.clone()).collect();
                Err(MemoryError::Several(names).into())
            }
        }
    }

    /// As it was said, or as the mirrored project or the repository is called, which is
    /// the same everywhere.
    async fn memory_name_for(&self, request: &MapRequest) -> Result<String, RequestError> {
        if let Some(name) = &request.name {
            return Ok(name.clone());
        }
        if let Some(project) = self.home_of(&request.root).await {
            let settings = self.open(&project).await?.project.settings().await?;
            if !settings.has_memories() {
                return Ok(settings.name);
            }
        }
        let root = request.root.clone();
        let find = move || Ok(places::name_by_remote(&places::memory_root(&resolved(&root))));
        let found: Option<String> = blocking(find).await?;
        found.ok_or_else(|| MemoryError::NoName(request.root.clone()).into())
    }

    /// Writes it into the project's file, and has the project run by that.
    async fn change_memory(
        &self,
        project: &str,
        name: &str,
        mapped: Option<MemoryFolder>,
    ) -> Result<(), RequestError> {
        {
            let _order = self.changes.lock().await;
            let file = self.folders.project_file(project);
            let text = with_memory(Source::open(&file)?.text(), name, mapped.as_ref())?;
            let source = Source::parse(&file, &text).map_err(Problem::of_request)?;
            let config = ProjectConfig::read(&source, &file).map_err(Problem::of_request)?;
            let claim = self.check_claim(&config, Some(project)).await?;
            write_through(&file, &text).map_err(|error| Problem::unusable(&file, &error))?;
            self.replace_config(config, claim);
        }
        self.bring_up_to_date(project).await;
        Ok(())
    }
}

async fn is_home(open: &Open) -> Result<bool, RequestError> {
    Ok(open.project.settings().await?.has_memories())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RequestError> + Send + 'static,
) -> Result<T, RequestError> {
    spawn_blocking(work).await.unwrap_or_else(|_| Err(Refusal::Panicked.into()))
}

/// Finds the folder, and makes it if nothing is in the way of what is mapped already.
fn folder_to_map(
    config: &ProjectConfig,
    name: &str,
    request: &MapRequest,
) -> Result<MemoryFolder, RequestError> {
    let typed = resolved(&request.root);
    if !typed.is_dir() {
        return Err(MemoryError::NoFolder(request.root.clone()).into());
    }
    let (home, root) = (resolved(&config.root), places::memory_root(&typed));
    let said = match (&request.folder, request.dir_name.as_deref()) {
        (Some(folder), _) => folder.clone(),
        (None, dir_name) => {
            dir_name.map_or(Ok(()), places::check_dir_name)?;
            places::folder_of(&home, &root, dir_name)?
        }
    };
    let folder = resolved(&said);
    if let Some(mapped) = config.memory.get(name).filter(|mapped| mapped.folder != folder) {
        return Err(MemoryError::NameTaken { name: name.to_owned(), mapped: mapped.clone() }.into());
    }
    let others = config.memory.iter().filter(|(other, _)| *other != name);
    if let Some((name, mapped)) = others.into_iter().find(|(_, mapped)| mapped.folder == folder) {
        let (name, mapped) = (name.clone(), mapped.clone());
        return Err(MemoryError::FolderTaken { name, mapped }.into());
    }
    let within = folder.strip_prefix(&home).ok();
    let is_local = |below: &Path| below.starts_with("projects") && below.components().count() > 1;
    if within.is_some_and(|below| !is_local(below)) || home.starts_with(&folder) {
        return Err(MemoryError::Within(folder).into());
    }
    let unusable = |cause| MemoryError::Unusable { folder: folder.clone(), cause };
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(unusable)?;
    // What was made through a link may lie elsewhere than it is called.
    let folder = folder.canonicalize().map_err(unusable)?;
    let identity = identity_at(&home, &folder).map_err(unusable)?;
    let gone = || unusable(io::ErrorKind::NotFound.into());
    Ok(MemoryFolder { root, identity: identity.ok_or_else(gone)?, folder })
}

async fn told_of(open: &Open, name: &str) -> Result<Option<Memory>, RequestError> {
    Ok(all(open).await?.into_iter().find(|memory| memory.name == name))
}

async fn all(open: &Open) -> Result<Vec<Memory>, RequestError> {
    let snapshot = open.project.snapshot(None)?;
    let config = open.config.clone();
    blocking(move || {
        let files = snapshot.files();
        let names = files.keys().filter_map(|path| name_in(path));
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for name in names {
            *counts.entry(name).or_default() += 1;
        }
        for name in config.memory.keys() {
            counts.entry(name).or_default();
        }
        let home = resolved(&config.root);
        let told = counts.into_iter().map(|(name, files)| {
            let mapped = config.memory.get(name).cloned();
            let state = mapped.as_ref().map_or(MemoryState::Unmapped, |it| state_of(&home, it));
            Memory { name: name.to_owned(), mapped, files, state }
        });
        Ok(told.collect())
    })
    .await
}

/// Those whose folder is not there as it was mapped, by name.
pub(crate) fn strayed(config: &ProjectConfig) -> Vec<(String, MemoryFolder)> {
    let home = resolved(&config.root);
    let is_strayed = |mapped: &MemoryFolder| state_of(&home, mapped) != MemoryState::Mapped;
    let strayed = config.memory.iter().filter(|(_, mapped)| is_strayed(mapped));
    strayed.map(|(name, mapped)| (name.clone(), mapped.clone())).collect()
}

fn name_in(path: &RelPath) -> Option<&str> {
    match Side::of(path) {
        Side::Memory { name, rest: Some(_) } => Some(name),
        _ => None,
    }
}

fn state_of(home: &Path, mapped: &MemoryFolder) -> MemoryState {
    match identity_at(home, &mapped.folder) {
        Ok(Some(identity)) if identity == mapped.identity => MemoryState::Mapped,
        Ok(Some(_)) => MemoryState::Replaced,
        Ok(None) | Err(_) => MemoryState::Missing,
    }
}
