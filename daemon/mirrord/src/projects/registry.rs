//! Holds every configured project, running or not.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use mirror_core::Ulid;
use mirror_engine::outside::Outside;
use mirror_engine::{Author, Phase, Project};
use mirror_storage::FaultClass;
use mirror_storage::layers::CallCounts;
use tokio::sync::{Mutex, watch};

use super::overlap::{self, Claim, Claimed};
use crate::backends::{Backends, Service};
use crate::config::{DaemonSettings, Environment, Problem, ProjectConfig};
use crate::error::RequestError;
use crate::folders::Folders;
use crate::logging::LogControl;
use crate::names::resolved;
use crate::url::BackendUrl;

/// What the registry is made of.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) folders: Folders,
    pub(crate) environment: Environment,
    pub(crate) settings: DaemonSettings,
    pub(crate) machine_id: Ulid,
    pub(crate) log: LogControl,
    pub(crate) outside: Outside,
}

/// Every project of this machine by name.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) folders: Folders,
    pub(crate) environment: Environment,
    pub(crate) machine_id: Ulid,
    pub(crate) backends: Backends,
    pub(super) log: LogControl,
    pub(super) outside: Outside,
    settings: RwLock<DaemonSettings>,
    slots: RwLock<BTreeMap<String, Slot>>,
    /// Setting up, removing and reading anew go one at a time.
    pub(super) changes: Mutex<()>,
    pub(super) stopping: watch::Sender<bool>,
}

/// One configured project.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) file: PathBuf,
    /// `None` when its file can't be understood.
    pub(super) config: Option<ProjectConfig>,
    pub(super) condition: Condition,
    /// Whoever opens the project holds this; others wait for the outcome.
    pub(super) opening: Arc<Mutex<()>>,
}

#[derive(Clone, Debug)]
pub(super) enum Condition {
    Open(Open),
    Closed(Closed),
}

/// A project that runs.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub(crate) project: Project,
    pub(crate) counts: Arc<CallCounts>,
    pub(crate) service: Service,
    pub(crate) config: Arc<ProjectConfig>,
}

/// Why a project doesn't run.
#[derive(Clone, Debug)]
pub(super) struct Closed {
    pub(super) reason: String,
    pub(super) class: FaultClass,
    pub(super) hint: Option<String>,
    /// Whether it may open later without anybody changing a file.
    pub(super) passing: bool,
    /// Nobody has tried yet.
    pub(super) fresh: bool,
}

/// What can be said of a project, whether it runs or not.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) name: String,
    pub(crate) config: Option<ProjectConfig>,
    pub(crate) phase: Phase,
    pub(crate) open: Option<Open>,
}

impl View {
    pub(crate) fn is_stopped(&self) -> bool {
        matches!(self.phase, Phase::Stopped { .. })
    }
}

impl Closed {
    pub(super) fn not_yet() -> Self {
        Self {
            reason: "it is being opened".to_owned(),
            class: FaultClass::Transient,
            hint: None,
            passing: true,
            fresh: true,
        }
    }

    pub(super) fn by(error: &RequestError, passing: bool) -> Self {
        Self {
            reason: error.message(),
            class: error.class(),
            hint: error.hint(),
            passing,
            fresh: false,
        }
    }
}

impl From<Problem> for Closed {
    fn from(problem: Problem) -> Self {
        Self::by(&problem.into(), false)
    }
}

impl Slot {
    pub(super) fn closed(file: PathBuf, config: Option<ProjectConfig>, why: Closed) -> Self {
        Self { file, config, condition: Condition::Closed(why), opening: Arc::default() }
    }
}

impl Registry {
    /// Reads the projects' files. Opens none: see [`Registry::make_rounds`].
    pub(crate) fn new(start: Start) -> Result<Self, Problem> {
        let registry = Self {
            backends: Backends::new(start.folders.home.clone()),
            folders: start.folders,
            environment: start.environment,
            machine_id: start.machine_id,
            log: start.log,
            outside: start.outside,
            settings: RwLock::new(start.settings),
            slots: RwLock::default(),
            changes: Mutex::default(),
            stopping: watch::Sender::new(false),
        };
        for file in registry.project_files()? {
            registry.take_in(&file);
        }
        Ok(registry)
    }

    pub(crate) fn settings(&self) -> DaemonSettings {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn replace_settings(&self, settings: DaemonSettings) {
        self.log.set_level(settings.log_level);
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    pub(crate) fn author(&self) -> Author {
        let settings = self.settings();
        Author { user: settings.user, machine: settings.machine, machine_id: self.machine_id }
    }

    pub(super) fn slots(&self) -> RwLockReadGuard<'_, BTreeMap<String, Slot>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn slots_mut(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Slot>> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the project of a file that no slot has yet.
    pub(super) fn take_in(&self, file: &std::path::Path) {
        let name = crate::config::name_of(file);
        let slot = match ProjectConfig::open(file) {
            Err(problem) => Slot::closed(file.to_owned(), None, problem.into()),
            Ok(config) => match self.check_claim(&config, Some(&name)) {
                Err(error) => {
                    let why = Closed::by(&error, false);
                    Slot::closed(file.to_owned(), Some(config), why)
                }
                Ok(()) => Slot::closed(file.to_owned(), Some(config), Closed::not_yet()),
            },
        };
        if let Condition::Closed(why) = &slot.condition
            && !why.passing
        {
            tracing::warn!(project = name, reason = why.reason, "a project is stopped");
        }
        self.slots_mut().insert(name, slot);
    }

    /// Refuses a project that gets in the way of one that is here; `except`
    /// is the one it replaces.
    pub(super) fn check_claim(
        &self,
        config: &ProjectConfig,
        except: Option<&str>,
    ) -> Result<(), RequestError> {
        let claims: Vec<Claim> = self
            .slots()
            .iter()
            .filter(|(name, _)| except != Some(name.as_str()))
            .filter_map(|(_, slot)| slot.config.as_ref().map(claim_of))
            .collect();
        Ok(overlap::check(&claim_of(config), &claims)?)
    }

    /// Everything that is configured, sorted by name.
    pub(crate) fn views(&self) -> Vec<View> {
        self.slots().iter().map(|(name, slot)| view_of(name, slot)).collect()
    }

    pub(crate) fn view(&self, name: &str) -> Option<View> {
        self.slots().get(name).map(|slot| view_of(name, slot))
    }

    /// Tells everything that runs to come to its end.
    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Ends all projects once their running steps are done.
    pub(crate) async fn close(&self) {
        self.stopping.send_replace(true);
        let open: Vec<Project> = self
            .views()
            .into_iter()
            .filter_map(|view| view.open.map(|open| open.project))
            .collect();
        futures::future::join_all(open.iter().map(Project::close)).await;
    }

    /// Waits for something that leaves nothing half-done, until the daemon ends.
    pub(crate) async fn while_running<T, E>(
        &self,
        wait: impl Future<Output = Result<T, E>>,
    ) -> Result<T, RequestError>
    where
        RequestError: From<E>,
    {
        let mut stopping = self.stopping();
        tokio::select! {
            waited = wait => Ok(waited?),
            _ = stopping.wait_for(|stopping| *stopping) => Err(RequestError::Stopping),
        }
    }

    /// Becomes true when the daemon ends.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }
}

pub(super) fn claim_of(config: &ProjectConfig) -> Claim {
    Claim {
        name: config.name.clone(),
        root: resolved(&config.root),
        backend: backend_claim(&config.url),
    }
}

fn backend_claim(url: &BackendUrl) -> Claimed {
    match url {
        BackendUrl::Folder(folder) => Claimed::Here(resolved(folder)),
        BackendUrl::Sftp(url) => {
            Claimed::Account { account: url.account(), root: PathBuf::from(&url.root) }
        }
    }
}

fn view_of(name: &str, slot: &Slot) -> View {
    let (phase, open) = match &slot.condition {
        Condition::Open(open) => (open.project.phase(), Some(open.clone())),
        Condition::Closed(why) if why.fresh => (Phase::Busy("open"), None),
        Condition::Closed(why) => (Phase::Stopped { reason: why.reason.clone() }, None),
    };
    View { name: name.to_owned(), config: slot.config.clone(), phase, open }
}
