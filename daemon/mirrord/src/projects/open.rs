//! Opens projects: when they are asked for, and in each round.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mirror_engine::{Parts, Project, ProjectSpec};
use mirror_storage::FaultClass;
use mirror_storage::layers::CallCounts;
use tokio::sync::watch;

use super::registry::{Closed, Condition, Open, Registry, check_only};
use crate::backends::{self, Breaker, Opened};
use crate::config::ProjectConfig;
use crate::error::{FolderError, Refusal, RequestError};
use crate::folders::make_private;
use crate::services::Account;
use crate::wire;

/// How long a project that opens waits for its server; `status` is to answer within
/// 2 s, also where the project has to be opened first.
const COURTESY: Duration = Duration::from_millis(1_400);

/// What a project stands on, before it is opened.
pub(super) struct Ground {
    pub(super) parts: Parts,
    pub(super) counts: Arc<CallCounts>,
    pub(super) account: Arc<dyn Account>,
}

impl Registry {
    /// Gives a project that runs, opening it first if need be.
    pub(crate) async fn open(&self, name: &str) -> Result<Open, RequestError> {
        match self.condition(name) {
            Some(Condition::Open(open)) if !open.project.is_closed() => return Ok(open),
            // It ended by itself, as when its state's disk was full.
            Some(Condition::Open(open)) => self.close_for_now(name, &open).await,
            Some(Condition::Closed(_)) | None => {}
        }
        self.read_again(name).await;
        let _turn = self.turn_of(name).await;
        loop {
            // Whoever had the turn before may have opened it, or removed it.
            let config = match self.condition(name) {
                Some(Condition::Open(open)) => return Ok(open),
                Some(Condition::Closed(why)) if why.passing => {
                    self.slots().get(name).and_then(|slot| slot.config.clone())
                }
                Some(Condition::Closed(_)) | None => None,
            };
            let config = config.ok_or_else(|| self.stopped(name))?;
            if *self.stopping.borrow() {
                return Err(Refusal::Stopping.into());
            }
            let outcome = self.open_config(&config).await;
            if let Some(settled) = self.settle(name, &config, outcome).await {
                return settled;
            }
        }
    }

    /// Gives the project that runs in place of one that was closed.
    pub(crate) async fn open_after(&self, closed: &Open) -> Result<Open, RequestError> {
        let name = &closed.config.name;
        self.close_for_now(name, closed).await;
        self.open(name).await
    }

    fn condition(&self, name: &str) -> Option<Condition> {
        self.slots().get(name).map(|slot| slot.condition.clone())
    }

    /// `None` when the project's settings changed meanwhile, or it went away.
    async fn settle(
        &self,
        name: &str,
        config: &ProjectConfig,
        opened: Result<Open, RequestError>,
    ) -> Option<Result<Open, RequestError>> {
        match (self.enter(name, config, &opened), opened) {
            (Some(Condition::Open(_)), Ok(open)) => Some(Ok(open)),
            (condition, opened) => {
                if let Ok(open) = opened {
                    open.project.close().await;
                }
                condition.map(|_| Err(self.stopped(name)))
            }
        }
    }

    /// Enters how opening ended, unless that holds no more.
    fn enter(
        &self,
        name: &str,
        config: &ProjectConfig,
        opened: &Result<Open, RequestError>,
    ) -> Option<Condition> {
        let mut slots = self.slots_mut();
        // Read with the slots held: whoever changes settings sees what runs by them.
        let is_old = opened.as_ref().is_ok_and(|open| *open.settings != self.settings());
        if is_old || slots.get(name)?.config.as_ref() != Some(config) {
            return None;
        }
        // Checked with the slots held as well: two files may be of one project, and
        // only the first of them opens.
        let opened = opened.as_ref().map_err(|error| Closed::by(error, true));
        let checked = opened.and_then(|open| match check_only(&slots, open) {
            Ok(()) => Ok(open),
            Err(error) => Err(Closed::by(&error, false)),
        });
        let condition = match checked {
            Ok(open) => Condition::Open(open.clone()),
            Err(why) => {
                tracing::warn!(project = name, reason = why.reason, "a project can't be opened");
                Condition::Closed(why)
            }
        };
        slots.get_mut(name)?.condition = condition.clone();
        Some(condition)
    }

    pub(super) async fn open_config(&self, config: &ProjectConfig) -> Result<Open, RequestError> {
        let is_known = self.is_known(config);
        let mut ground = self.ground_of(config)?;
        if !is_known || !ground.account.is_remote() {
            return self.open_on(config, ground).await;
        }
        let door = Arc::new(Breaker::new(ground.parts.backend.clone()));
        ground.parts.backend = door.clone();
        door.shut(away(&ground.account).await);
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
        let Ground { parts, counts, account } = ground;
        // Before they are used: one that changes meanwhile is seen when it is entered.
        let settings = Arc::new(self.settings());
        // The largest future of all, which every set-up would carry.
        let project = Box::pin(Project::open(self.spec_of(config), parts)).await?;
        let config = Arc::new(config.clone());
        let paused = watch::Sender::new(config.auto.is_paused);
        let (sharing, is_told) = (Arc::default(), Arc::default());
        Ok(Open { project, counts, account, config, settings, sharing, is_told, paused })
    }

    pub(super) fn ground_of(&self, config: &ProjectConfig) -> Result<Ground, RequestError> {
        let [state, data, cache] = self.folders.of_project(&config.name);
        for folder in [&state, &data, &cache] {
            make_private(folder).map_err(|cause| FolderError {
                what: "the daemon's own folder can't be used:",
                folder: folder.clone(),
                cause: Some(cause),
                hint: "make it writable for yourself",
            })?;
        }
        let Opened { backend, counts, account } = self.backends.open(&config.url, &config.settings);
        let mut own = self.own_places();
        own.extend(config.url.site().folder().map(Path::to_owned));
        let folders = [&state, &data, &cache];
        let parts = wire::of_machine(config, own, folders, backend, &self.outside)?;
        Ok(Ground { parts, counts, account })
    }

    /// Where this daemon keeps what is its own, backends on this machine
    /// included: no project's files, wherever they lie.
    pub(crate) fn own_places(&self) -> Vec<PathBuf> {
        let mut own = self.folders.own_places();
        let slots = self.slots();
        let configs = slots.values().filter_map(|slot| slot.config.as_ref());
        own.extend(configs.filter_map(|config| config.url.site().folder().map(Path::to_owned)));
        own
    }

    pub(super) fn spec_of(&self, config: &ProjectConfig) -> ProjectSpec {
        ProjectSpec {
            name: config.name.clone(),
            root: config.root.clone(),
            backend_name: backends::PRIMARY.to_owned(),
            narrowing: config.narrowing.clone(),
            hold: config.holds(),
            author: self.author(),
            poll_interval: config.poll(&self.settings()),
        }
    }
}

/// Why a server can't be reached now, unless it can.
async fn away(account: &Arc<dyn Account>) -> Option<String> {
    let account = account.clone();
    // A task: whoever made the first step to a slow server should get there.
    let greeting = tokio::spawn(async move { account.probe().await });
    match tokio::time::timeout(COURTESY, greeting).await {
        Ok(Ok(Err(error))) if error.class() == FaultClass::Transient => {
            Some(error.source().map_or_else(|| error.to_string(), ToString::to_string))
        }
        // What else is wrong with it, the project's own calls will tell.
        Ok(_) => None,
        Err(_) => Some("the server has not answered yet".to_owned()),
    }
}
