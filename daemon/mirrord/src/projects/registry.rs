//! Holds every configured project, running or not.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use futures::future::join_all;
use mirror_core::Ulid;
use mirror_engine::outside::Outside;
use mirror_engine::{Author, Phase, Project, ProjectFault};
use mirror_storage::FaultClass;
use mirror_storage::layers::CallCounts;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};

use super::overlap::{Claim, Overlap};
use crate::backends::Backends;
use crate::config::{DaemonSettings, Environment, ProjectConfig};
use crate::error::{Refusal, RequestError};
use crate::folders::Folders;
use crate::logging::LogControl;
use crate::services::Account;
use crate::symlinks::Symlinks;

/// What the registry is made of.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) folders: Folders,
    pub(crate) environment: Environment,
    pub(crate) settings: DaemonSettings,
    pub(crate) machine_id: Ulid,
    pub(crate) log: LogControl,
    pub(crate) outside: Outside,
    pub(crate) links: Symlinks,
}

/// Every project of this machine by name.
pub(crate) type Slots = BTreeMap<String, Slot>;

/// Claims of projects that are being set up, by a number of their own.
pub(super) type Reserved = BTreeMap<u64, Claim>;

/// What the daemon holds of all projects.
///
/// # Who waits for whom
///
/// - What is slow, a network, a job that runs, happens under the turn of one
///   name at most.
/// - `changes` is taken after a turn, never before one, and is held for short
///   steps alone.
/// - The plain locks inside are held for no wait at all.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) folders: Folders,
    pub(crate) environment: Environment,
    pub(crate) machine_id: Ulid,
    pub(crate) backends: Backends,
    pub(super) log: LogControl,
    pub(crate) outside: Outside,
    pub(super) links: Symlinks,
    settings: RwLock<DaemonSettings>,
    slots: RwLock<Slots>,
    pub(super) reserved: std::sync::Mutex<Reserved>,
    /// Held while files of settings and what is known of them are made to agree.
    pub(super) changes: Mutex<()>,
    turns: std::sync::Mutex<HashMap<String, Arc<Mutex<()>>>>,
    /// How many projects are being set up.
    pub(super) set_ups: watch::Sender<usize>,
    pub(super) stopping: watch::Sender<bool>,
    /// Bells that are to ring later: the project, and the second.
    pub(crate) bells: std::sync::Mutex<BTreeSet<(String, i64)>>,
}

/// One configured project.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(super) file: PathBuf,
    /// `None` when its file can't be understood.
    pub(crate) config: Option<ProjectConfig>,
    /// What the project takes, where its file can be understood.
    pub(super) claim: Option<Claim>,
    /// Its root, where the file is wrong elsewhere: whoever asks from inside it
    /// should hear what is wrong, not that there is no project.
    pub(super) root: Option<PathBuf>,
    pub(crate) condition: Condition,
}

#[derive(Clone, Debug)]
pub(crate) enum Condition {
    Open(Open),
    Closed(Closed),
}

/// A project that runs.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub(crate) project: Project,
    pub(crate) counts: Arc<CallCounts>,
    pub(crate) account: Arc<dyn Account>,
    pub(crate) config: Arc<ProjectConfig>,
    /// Those of the daemon that it runs by.
    pub(super) settings: Arc<DaemonSettings>,
    /// Changes of what all machines share go one at a time.
    pub(crate) sharing: Arc<Mutex<()>>,
    /// Whether its backend hints at what others change.
    pub(super) is_told: Arc<AtomicBool>,
    /// Whether a person has put a stop to what it does by itself.
    pub(super) paused: watch::Sender<bool>,
}

impl Open {
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.config, &other.config)
    }

    /// Whether its backend hints at what others change, or is asked from time to time.
    pub(crate) fn is_told(&self) -> bool {
        self.is_told.load(Ordering::Relaxed)
    }

    /// Whether it is paused, and when that changes.
    pub(crate) fn paused(&self) -> watch::Receiver<bool> {
        self.paused.subscribe()
    }

    pub(crate) fn set_told(&self, is_told: bool) {
        self.is_told.store(is_told, Ordering::Relaxed);
    }
}

/// Why a project doesn't run.
#[derive(Clone, Debug)]
pub(crate) struct Closed {
    pub(super) reason: String,
    pub(super) class: FaultClass,
    pub(super) hint: Option<String>,
    /// Whether the backend is what failed.
    pub(super) of_backend: bool,
    /// Whether it may open later without anybody changing a file.
    pub(crate) passing: bool,
    /// Nobody has tried yet.
    pub(crate) fresh: bool,
}

/// What can be said of a project, whether it runs or not.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) name: String,
    pub(crate) config: Option<ProjectConfig>,
    pub(crate) phase: Phase,
    pub(crate) open: Option<Open>,
    /// What is wrong, as far as it is known without asking anybody.
    pub(crate) fault: Option<ProjectFault>,
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
            of_backend: false,
            passing: true,
            fresh: true,
        }
    }

    pub(super) fn fault(&self) -> ProjectFault {
        let Self { reason, class, hint, of_backend, .. } = self.clone();
        ProjectFault { class, message: reason, hint, of_backend }
    }

    pub(super) fn by(error: &RequestError, passing: bool) -> Self {
        Self {
            reason: error.message(),
            class: error.class(),
            hint: error.hint(),
            of_backend: error.is_about_backend(),
            passing,
            fresh: false,
        }
    }
}

impl Slot {
    /// Its root with links followed, as far as anything is known of it.
    pub(super) fn root(&self) -> Option<&Path> {
        self.claim.as_ref().map(|claim| &claim.root).or(self.root.as_ref()).map(PathBuf::as_path)
    }
}

impl Registry {
    /// Before any file is read.
    pub(super) fn without_projects(start: Start) -> Self {
        Self {
            backends: Backends::new(start.folders.home.clone()),
            folders: start.folders,
            environment: start.environment,
            machine_id: start.machine_id,
            log: start.log,
            outside: start.outside,
            links: start.links,
            settings: RwLock::new(start.settings),
            slots: RwLock::default(),
            reserved: std::sync::Mutex::default(),
            changes: Mutex::default(),
            turns: std::sync::Mutex::default(),
            set_ups: watch::Sender::new(0),
            stopping: watch::Sender::new(false),
            bells: std::sync::Mutex::default(),
        }
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

    pub(crate) fn slots(&self) -> RwLockReadGuard<'_, Slots> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn slots_mut(&self) -> RwLockWriteGuard<'_, Slots> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the turn to open, close, set up or remove what is called so.
    ///
    /// It belongs to the name, as the state's folders do: nobody opens a new
    /// project of a name before the old one has let go of them.
    pub(super) async fn turn_of(&self, name: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.entry(name.to_owned()).or_default().clone()
        };
        turn.lock_owned().await
    }

    /// Everything that is configured, sorted by name.
    pub(crate) fn views(&self) -> Vec<View> {
        self.slots().iter().map(|(name, slot)| view_of(name, slot)).collect()
    }

    pub(crate) fn view(&self, name: &str) -> Option<View> {
        self.slots().get(name).map(|slot| view_of(name, slot))
    }

    /// Gives a project another configuration; what runs by the old one ends by
    /// [`Registry::bring_up_to_date`].
    pub(super) fn replace_config(&self, config: ProjectConfig, claim: Claim) {
        if let Some(slot) = self.slots_mut().get_mut(&config.name) {
            match &mut slot.condition {
                Condition::Closed(why) => *why = Closed::not_yet(),
                // For this it needs not be opened anew, and whatever runs goes on.
                Condition::Open(open) => drop(open.paused.send_replace(config.auto.is_paused)),
            }
            slot.config = Some(config);
            slot.claim = Some(claim);
        }
    }

    /// Whether a project runs by what its file and the daemon's say now.
    pub(super) fn is_up_to_date(&self, name: &str, open: &Open) -> bool {
        let config = self.slots().get(name).and_then(|slot| slot.config.clone());
        config.is_some_and(|config| config.is_but_for_pause(&open.config))
            && *open.settings == self.settings()
    }

    /// Closes a project that may open again at once; what somebody has opened
    /// since is not the one that is meant.
    pub(crate) async fn close_for_now(&self, name: &str, meant: &Open) {
        let _turn = self.turn_of(name).await;
        self.close_in_turn(name, |open| open.is(meant)).await;
    }

    /// The same for whoever holds its turn: nobody opens it before it has let go
    /// of its state.
    pub(super) async fn close_in_turn(&self, name: &str, is_meant: impl Fn(&Open) -> bool) {
        let before = match self.slots_mut().get_mut(name) {
            Some(Slot { condition, .. }) => match condition {
                Condition::Open(open) if is_meant(open) => {
                    mem::replace(condition, Condition::Closed(Closed::not_yet()))
                }
                Condition::Open(_) | Condition::Closed(_) => return,
            },
            None => return,
        };
        if let Condition::Open(open) = before {
            open.project.close().await;
        }
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
        let mut set_ups = self.set_ups.subscribe();
        // What is being set up is no project yet: it ends by itself, and is taken back.
        let none_left = set_ups.wait_for(|count| *count == 0);
        drop(tokio::join!(join_all(open.iter().map(Project::close)), none_left));
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
            _ = stopping.wait_for(|stopping| *stopping) => Err(Refusal::Stopping.into()),
        }
    }

    /// Becomes true when the daemon ends.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }
}

/// One daemon mirrors a project once.
pub(super) fn check_only(slots: &Slots, open: &Open) -> Result<(), RequestError> {
    let id = open.project.project_id();
    let twin = slots.iter().find(|(name, slot)| match &slot.condition {
        Condition::Open(other) => **name != open.config.name && other.project.project_id() == id,
        Condition::Closed(_) => false,
    });
    twin.map_or(Ok(()), |(name, _)| Err(Overlap::SameProject(name.clone()).into()))
}

fn view_of(name: &str, slot: &Slot) -> View {
    let (phase, open, fault) = match &slot.condition {
        Condition::Open(open) => {
            let phase = open.project.phase();
            let fault = stop_of(&phase).or_else(|| open.project.backend_fault());
            (phase, Some(open.clone()), fault)
        }
        Condition::Closed(why) if why.fresh => (Phase::Busy("open"), None, None),
        Condition::Closed(why) => {
            let (reason, hint) = (why.reason.clone(), why.hint.clone());
            (Phase::Stopped { reason, hint }, None, Some(why.fault()))
        }
    };
    View { name: name.to_owned(), config: slot.config.clone(), phase, open, fault }
}

/// Why a project that runs is stopped.
pub(crate) fn stop_of(phase: &Phase) -> Option<ProjectFault> {
    let Phase::Stopped { reason, hint } = phase else { return None };
    let (message, hint) = (reason.clone(), hint.clone());
    Some(ProjectFault { class: FaultClass::Stopped, message, hint, of_backend: false })
}
