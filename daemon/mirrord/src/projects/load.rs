//! Reads the projects' files into the registry. Opens none of them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use futures::future::join_all;

use super::registry::{Closed, Condition, Registry, Slot, Start};
use super::reservations;
use crate::config::{Problem, ProjectConfig, name_of, root_in};

impl Registry {
    /// Reads the projects' files.
    pub(crate) async fn new(start: Start) -> Result<Self, Problem> {
        let registry = Self::without_projects(start);
        registry.take_in(&registry.project_files()?).await;
        Ok(registry)
    }

    /// Adds the projects of files that no slot has yet.
    pub(super) async fn take_in(&self, files: &[PathBuf]) {
        for slot in join_all(files.iter().map(|file| self.read(file))).await {
            self.put(slot);
        }
    }

    /// Reads a file once more that could not be understood: whoever was writing it
    /// may have come to the end.
    pub(super) async fn read_again(&self, name: &str) {
        let file =
            self.slots().get(name).filter(|slot| slot.config.is_none()).map(|s| s.file.clone());
        let Some(file) = file else { return };
        if ProjectConfig::open(&file).is_ok() {
            let _order = self.changes.lock().await;
            // Somebody may have been faster, or removed it.
            if self.slots().get(name).is_some_and(|slot| slot.config.is_none()) {
                self.take_in(&[file]).await;
            }
        }
    }

    async fn read(&self, file: &Path) -> Slot {
        let slot = |config, why| Slot {
            file: file.to_owned(),
            config,
            claim: None,
            root: None,
            condition: Condition::Closed(why),
        };
        match ProjectConfig::open(file) {
            Ok(config) => {
                let claim = Some(self.claim_of(&config, None).await);
                Slot { claim, ..slot(Some(config), Closed::not_yet()) }
            }
            Err(problem) => {
                let text = std::fs::read_to_string(file).unwrap_or_default();
                let root = match root_in(&text) {
                    Some(root) => Some(self.links.follow(&root).await.unwrap_or(root)),
                    None => None,
                };
                Slot { root, ..slot(None, problem.into()) }
            }
        }
    }

    fn put(&self, mut slot: Slot) {
        let name = name_of(&slot.file);
        let mut slots = self.slots_mut();
        if let Some(claim) = &slot.claim
            && let Err(overlap) = reservations::check(claim, &slots, &self.reserved(), Some(&name))
        {
            slot.condition = Condition::Closed(Closed::by(&overlap.into(), false));
        }
        if let Condition::Closed(why) = &slot.condition
            && !why.passing
        {
            tracing::warn!(project = name, reason = why.reason, "a project is stopped");
        }
        slots.insert(name, slot);
    }

    /// The projects' files, sorted by name.
    pub(super) fn project_files(&self) -> Result<Vec<PathBuf>, Problem> {
        let folder = self.folders.project_files();
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Problem::unusable(folder, &error)),
        };
        let mut files: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|end| end == "toml"))
            .filter(|path| !name_of(path).starts_with('.'))
            .collect();
        files.sort();
        Ok(files)
    }
}

impl From<Problem> for Closed {
    fn from(problem: Problem) -> Self {
        Self::by(&problem.into(), false)
    }
}
