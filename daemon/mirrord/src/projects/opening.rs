//! Opens projects: when they are asked for, and in each round.

use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use mirror_engine::{Parts, Project, ProjectSpec};
use mirror_storage::FaultClass;
use mirror_storage::layers::CallCounts;

use super::registry::{Closed, Condition, Open, Registry};
use crate::backends::{self, Doorstep, Opened, Service};
use crate::config::ProjectConfig;
use crate::error::RequestError;
use crate::folders::make_private;
use crate::parts;

/// How long a project that opens waits for its server.
const COURTESY: Duration = Duration::from_secs(2);

/// What a project stands on, before it is opened.
pub(super) struct Ground {
    pub(super) parts: Parts,
    pub(super) counts: Arc<CallCounts>,
    pub(super) service: Service,
}

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
        let is_known = self.is_known(config);
        let mut ground = self.ground_of(config)?;
        if !is_known || !ground.service.is_remote() {
            return self.open_on(config, ground).await;
        }
        let door = Arc::new(Doorstep::new(ground.parts.backend.clone()));
        ground.parts.backend = door.clone();
        door.shut(away(&ground.service).await);
        let opened = self.open_on(config, ground).await;
        door.shut(None);
        opened
    }

    /// Whether this machine has read the project before, so that it opens
    /// without its backend.
    fn is_known(&self, config: &ProjectConfig) -> bool {
        let [_, data, _] = self.folders.of_project(&config.name);
        fs::read_dir(data).is_ok_and(|mut entries| entries.next().is_some())
    }

    pub(super) async fn open_on(
        &self,
        config: &ProjectConfig,
        ground: Ground,
    ) -> Result<Open, RequestError> {
        let Ground { parts, counts, service } = ground;
        // The largest future of all, which every set-up would carry.
        let project = Box::pin(Project::open(self.spec_of(config), parts)).await?;
        Ok(Open { project, counts, service, config: Arc::new(config.clone()) })
    }

    pub(super) fn ground_of(&self, config: &ProjectConfig) -> Result<Ground, RequestError> {
        let [state, data, cache] = self.folders.of_project(&config.name);
        for folder in [&state, &data, &cache] {
            make_private(folder).map_err(|cause| RequestError::Folder {
                what: "the daemon's own folder can't be used:",
                folder: folder.clone(),
                cause: Some(cause),
                hint: "make it writable for yourself",
            })?;
        }
        let Opened { backend, counts, service } = self.backends.open(&config.url, &config.ssh);
        let parts =
            parts::of_machine(&config.root, [&state, &data, &cache], backend, &self.outside)?;
        Ok(Ground { parts, counts, service })
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

/// Why a server can't be reached now, unless it can.
async fn away(service: &Service) -> Option<String> {
    let service = service.clone();
    // A task: whoever made the first step to a slow server should get there.
    let greeting = tokio::spawn(async move { service.ping().await });
    match tokio::time::timeout(COURTESY, greeting).await {
        Ok(Ok(Err(error))) if error.class() == FaultClass::Transient => {
            Some(error.source().map_or_else(|| error.to_string(), ToString::to_string))
        }
        // What else is wrong with it, the project's own calls will tell.
        Ok(_) => None,
        Err(_) => Some("the server has not answered yet".to_owned()),
    }
}
