//! Opens projects: when they are asked for, and in each round.

use std::sync::Arc;

use mirror_engine::{Parts, Project, ProjectSpec};
use mirror_storage::layers::CallCounts;

use super::registry::{Closed, Condition, Open, Registry};
use crate::backends;
use crate::config::ProjectConfig;
use crate::error::RequestError;
use crate::folders::make_private;
use crate::parts;

impl Registry {
    /// Gives a project that runs, opening it first if need be.
    pub(crate) async fn open(&self, name: &str) -> Result<Open, RequestError> {
        let opening = match self.slots().get(name) {
            None => return Err(self.stopped(name)),
            Some(slot) => match &slot.condition {
                Condition::Open(open) => return Ok(open.clone()),
                Condition::Closed(_) => slot.opening.clone(),
            },
        };
        let _turn = opening.lock().await;
        // Whoever had the turn before may have opened it, or removed it.
        let config = match self.slots().get(name) {
            None => return Err(self.stopped(name)),
            Some(slot) => match (&slot.condition, &slot.config) {
                (Condition::Open(open), _) => return Ok(open.clone()),
                (Condition::Closed(why), Some(config)) if why.passing => config.clone(),
                (Condition::Closed(_), _) => return Err(self.stopped(name)),
            },
        };
        if *self.stopping.borrow() {
            return Err(RequestError::Stopping);
        }
        let outcome = self.open_config(&config).await;
        self.settle(name, &config, outcome).await
    }

    async fn settle(
        &self,
        name: &str,
        config: &ProjectConfig,
        outcome: Result<Open, RequestError>,
    ) -> Result<Open, RequestError> {
        let outcome = match outcome {
            Ok(open) => match self.check_only(&open, name) {
                Ok(()) => Ok(open),
                Err(error) => {
                    open.project.close().await;
                    Err((error, false))
                }
            },
            Err(error) => Err((error, true)),
        };
        let condition = match &outcome {
            Ok(open) => Condition::Open(open.clone()),
            Err((error, passing)) => {
                tracing::warn!(
                    project = name,
                    reason = error.message(),
                    "a project can't be opened"
                );
                Condition::Closed(Closed::by(error, *passing))
            }
        };
        let stale = {
            let mut slots = self.slots_mut();
            match slots.get_mut(name) {
                Some(slot) if slot.config.as_ref() == Some(config) => {
                    slot.condition = condition;
                    false
                }
                _ => true,
            }
        };
        match outcome {
            // Its file changed or went away meanwhile: this is not it any more.
            Ok(open) if stale => {
                open.project.close().await;
                Err(self.stopped(name))
            }
            Ok(open) => Ok(open),
            Err(_) => Err(self.stopped(name)),
        }
    }

    /// One daemon mirrors a project once.
    pub(super) fn check_only(&self, open: &Open, name: &str) -> Result<(), RequestError> {
        let id = open.project.project_id();
        let twin = self.views().into_iter().find(|view| {
            view.name != name
                && view.open.as_ref().is_some_and(|open| open.project.project_id() == id)
        });
        twin.map_or(Ok(()), |view| Err(RequestError::SameProject(view.name)))
    }

    pub(super) async fn open_config(&self, config: &ProjectConfig) -> Result<Open, RequestError> {
        let (parts, counts) = self.parts_of(config)?;
        self.open_with(config, parts, counts).await
    }

    pub(super) async fn open_with(
        &self,
        config: &ProjectConfig,
        parts: Parts,
        counts: Arc<CallCounts>,
    ) -> Result<Open, RequestError> {
        // The largest future of all, which every set-up would carry.
        let project = Box::pin(Project::open(self.spec_of(config), parts)).await?;
        Ok(Open { project, counts, config: config.clone() })
    }

    pub(super) fn parts_of(
        &self,
        config: &ProjectConfig,
    ) -> Result<(Parts, Arc<CallCounts>), RequestError> {
        let [state, data, cache] = self.folders.of_project(&config.name);
        for folder in [&state, &data, &cache] {
            make_private(folder).map_err(|cause| RequestError::Folder {
                what: "the daemon's own folder can't be used:",
                folder: folder.clone(),
                cause: Some(cause),
                hint: "make it writable for yourself",
            })?;
        }
        let (backend, counts) = backends::open(&config.url);
        let parts =
            parts::of_machine(&config.root, [&state, &data, &cache], backend, &self.outside)?;
        Ok((parts, counts))
    }

    fn spec_of(&self, config: &ProjectConfig) -> ProjectSpec {
        ProjectSpec {
            name: config.name.clone(),
            root: config.root.clone(),
            backend_name: backends::PRIMARY.to_owned(),
            narrowing: config.narrowing.clone(),
            author: self.author(),
            poll_interval: config.poll(&self.settings()),
        }
    }
}
