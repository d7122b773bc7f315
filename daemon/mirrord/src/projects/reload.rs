//! Reads all configuration again.
//!
//! A file that is wrong leaves what it configures as it was, and is named. A
//! project that is stopped opens anew; one that stops again is told.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::mem;
use std::path::{Path, PathBuf};

use mirror_engine::EngineError;
use mirror_storage::FaultClass;

use super::registry::{Closed, Condition, Registry, View};
use crate::config::{DaemonSettings, Problem, ProjectConfig, name_of};
use crate::error::RequestError;

impl Registry {
    pub(crate) async fn reload(&self) -> Result<(), RequestError> {
        let _turn = self.changes.lock().await;
        let stopped = self.stopped_names();
        let mut problems = Vec::new();
        match DaemonSettings::open(&self.folders.daemon_file(), &self.environment) {
            Ok(settings) => self.adopt_settings(settings).await,
            Err(problem) => problems.push(problem.into()),
        }
        let files = self.project_files()?;
        self.drop_all_but(&files).await;
        for file in &files {
            let outcome = match self.reload_file(file).await {
                Ok(()) if stopped.contains(&name_of(file)) => self.look_again(&name_of(file)).await,
                outcome => outcome,
            };
            problems.extend(outcome.err());
        }
        first_of(problems)
    }

    /// Takes the daemon's settings over; projects write and poll by them, so
    /// they open anew when those change.
    pub(super) async fn adopt_settings(&self, settings: DaemonSettings) {
        if settings == self.settings() {
            return;
        }
        self.replace_settings(settings);
        let names: Vec<String> = self.slots().keys().cloned().collect();
        for name in names {
            self.close_for_now(&name, None).await;
        }
    }

    async fn reload_file(&self, file: &Path) -> Result<(), RequestError> {
        let name = name_of(file);
        let known = self.slots().get(&name).and_then(|slot| slot.config.clone());
        let Some(known) = known else {
            self.slots_mut().remove(&name);
            self.take_in(file);
            return match self.view(&name).and_then(|view| view.config) {
                Some(_) => Ok(()),
                None => {
                    Err(ProjectConfig::open(file).err().map_or(RequestError::Stopping, Into::into))
                }
            };
        };
        let config = ProjectConfig::open(file)?;
        if config != known {
            self.check_claim(&config, Some(&name))?;
            self.replace_config(&name, config).await;
        } else if self.is_refused(&name) {
            // What was in its way may be gone.
            self.take_in(file);
        }
        Ok(())
    }

    fn stopped_names(&self) -> BTreeSet<String> {
        let views = self.views().into_iter();
        views.filter(View::is_stopped).map(|view| view.name).collect()
    }

    /// Opens a project that is stopped anew, as nothing else ends a stop (L7).
    async fn look_again(&self, name: &str) -> Result<(), RequestError> {
        if self.view(name).is_some_and(|view| view.is_stopped()) {
            self.close_for_now(name, None).await;
        }
        let open = self.open(name).await?;
        // Opening may do without the backend; a look at its log may not.
        match open.project.poll().await {
            Err(EngineError::Stopped { reason, hint }) => Err(RequestError::Stopped {
                name: name.to_owned(),
                reason,
                class: FaultClass::Stopped,
                hint,
            }),
            // A backend that is away stops nothing.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn is_refused(&self, name: &str) -> bool {
        self.slots().get(name).is_some_and(|slot| match &slot.condition {
            Condition::Open(_) => false,
            Condition::Closed(why) => !why.passing,
        })
    }

    /// Gives a project another configuration; it opens anew when it is asked
    /// for, or at the next round.
    pub(super) async fn replace_config(&self, name: &str, config: ProjectConfig) {
        self.close_for_now(name, Some(config)).await;
    }

    /// Closes a project that may open again at once, with the new
    /// configuration if there is one.
    pub(super) async fn close_for_now(&self, name: &str, config: Option<ProjectConfig>) {
        let Some(opening) = self.slots().get(name).map(|slot| slot.opening.clone()) else {
            return;
        };
        // Nobody opens the new one before the old one has let go of its state.
        let _turn = opening.lock().await;
        let before = {
            let mut slots = self.slots_mut();
            let Some(slot) = slots.get_mut(name) else { return };
            let was_open = matches!(slot.condition, Condition::Open(_));
            if config.is_none() && !was_open {
                return;
            }
            if config.is_some() {
                slot.config = config;
            }
            mem::replace(&mut slot.condition, Condition::Closed(Closed::not_yet()))
        };
        if let Condition::Open(open) = before {
            open.project.close().await;
        }
    }

    async fn drop_all_but(&self, files: &[PathBuf]) {
        let kept: BTreeSet<String> = files.iter().map(|file| name_of(file)).collect();
        let gone: Vec<_> =
            self.slots_mut().extract_if(.., |name, _| !kept.contains(name)).collect();
        for (_, slot) in gone {
            if let Condition::Open(open) = slot.condition {
                open.project.close().await;
            }
        }
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

/// One answer for several problems: the first, and how many more there are.
fn first_of(problems: Vec<RequestError>) -> Result<(), RequestError> {
    let more = problems.len().saturating_sub(1);
    let Some(first) = problems.into_iter().next() else {
        return Ok(());
    };
    if more == 0 {
        return Err(first);
    }
    Err(RequestError::Usage {
        what: format!("{} (and {more} more)", first.message()),
        hint: Some("`mirrorctl config check` names them all".to_owned()),
    })
}
