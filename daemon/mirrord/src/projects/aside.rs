//! What can be asked of a project that can't be opened, or that is mirrored no more,
//! and what can be done for it: by what this machine has of it. Its log is left alone.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mirror_engine::outside::ManualWatch;
use mirror_engine::real::LocalDisk;
use mirror_engine::store::{MemoryStore, SledStore, Store, StoreError};
use mirror_engine::{
    EngineError, NoBackend, Parts, Project, ProjectFault, ProjectSpec, StatusReport, recorded_root,
};
use mirror_storage::{Backend, FaultClass};
use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

use super::registry::{Condition, Registry};
use crate::backends;
use crate::config::ProjectConfig;
use crate::error::{Explained, RequestError};
use crate::wire;

/// How long somebody else may look at the project, or try to open it.
const BRIEFLY: Duration = Duration::from_millis(300);

/// A project by what this machine has of it.
pub(crate) struct Aside {
    pub(crate) name: String,
    pub(crate) project: Project,
    /// By which files of it are named; `None` where its settings are gone.
    pub(crate) root: Option<PathBuf>,
    /// Whether its folder may be looked at and written into: by its own settings.
    pub(crate) has_folder: bool,
    /// Why it does not run.
    pub(crate) fault: ProjectFault,
    /// Nobody opens it while it can be changed.
    _turn: Option<OwnedMutexGuard<()>>,
}

/// Why a project that does not run can't be helped with its own.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AsideError {
    #[error("the settings of {0:?} don't say any more where its folder is")]
    NoFolder(String),

    #[error("{message}")]
    Stopped { class: FaultClass, message: String, hint: Option<String> },
}

impl AsideError {
    pub(crate) fn of(aside: &Aside) -> Self {
        let ProjectFault { class, message, hint, .. } = aside.fault.clone();
        Self::Stopped { class, message, hint }
    }
}

impl Explained for AsideError {
    fn class(&self) -> FaultClass {
        match self {
            Self::NoFolder(_) => FaultClass::Usage,
            Self::Stopped { class, .. } => *class,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoFolder(_) => Some("say with --output DIR where to write it".to_owned()),
            Self::Stopped { hint, .. } => hint.clone(),
        }
    }
}

/// What is known of it before anything is opened.
struct Found {
    config: Option<ProjectConfig>,
    root: Option<PathBuf>,
    fault: ProjectFault,
}

/// What it stands on.
struct Copies {
    parts: Parts,
    spec: ProjectSpec,
    /// Whether what was agreed on is among it.
    has_state: bool,
}

impl Aside {
    /// Lets go of its state, so that it can be opened.
    pub(crate) async fn close(self) {
        self.project.close().await;
    }
}

impl Registry {
    /// For questions: all stays as it is. `None` where it runs by now or is being
    /// opened, and where what is here can't be read.
    pub(crate) async fn look_aside(&self, name: &str) -> Option<Aside> {
        // Nobody opens it meanwhile; who does already will know more soon.
        let _turn = timeout(BRIEFLY, self.turn_of(name)).await.ok()?;
        let found = self.found(name)?;
        let copies = self.copies_of(name, found.config.as_ref());
        self.look_by(name, found, copies).await
    }

    /// For what sets versions aside and brings them back: nobody opens it until the
    /// answer is dropped.
    pub(crate) async fn keep_aside(&self, name: &str) -> Option<Result<Aside, RequestError>> {
        let turn = timeout(BRIEFLY, self.turn_of(name)).await.ok()?;
        let Found { config, root, fault } = self.found(name)?;
        let has_folder = config.is_some();
        let opened = match self.originals_of(name, config.as_ref()) {
            Ok(Copies { parts, spec, .. }) => {
                Project::keep_aside(spec, parts, &fault).await.map_err(RequestError::from)
            }
            Err(error) => Err(error),
        };
        let name = name.to_owned();
        Some(opened.map(|project| Aside {
            name,
            project,
            root,
            has_folder,
            fault,
            _turn: Some(turn),
        }))
    }

    /// The project's status as it was known; `None` where nothing was read yet, or it
    /// is being opened.
    pub(crate) async fn last_known(&self, name: &str) -> Option<(ProjectConfig, StatusReport)> {
        let _turn = timeout(BRIEFLY, self.turn_of(name)).await.ok()?;
        let found = self.found(name)?;
        let config = found.config.clone()?;
        let copies = self.copies_of(name, Some(&config));
        let has_state = copies.has_state;
        let aside = self.look_by(name, found, copies).await?;
        if aside.project.head() == 0 {
            return None;
        }
        let report = aside.project.status(true).await.ok()?;
        // Without what was agreed on, every file would look like a new one.
        let files_known = report.files_known && has_state;
        let report = match files_known {
            true => report,
            false => StatusReport { files_known, files: Vec::new(), ..report },
        };
        Some((config, report))
    }

    async fn look_by(&self, name: &str, found: Found, copies: Copies) -> Option<Aside> {
        let Found { config, root, fault } = found;
        let Copies { parts, spec, .. } = copies;
        let project = match Project::look_aside(spec, parts, &fault).await {
            Ok(project) => project,
            Err(error) => {
                tracing::warn!(project = name, %error, "what is here of it can't be read");
                return None;
            }
        };
        let (name, has_folder) = (name.to_owned(), config.is_some());
        Some(Aside { name, project, root, has_folder, fault, _turn: None })
    }

    fn found(&self, name: &str) -> Option<Found> {
        if self.is_left_over(name) {
            return Some(Found { config: None, root: None, fault: not_mirrored(name) });
        }
        let slots = self.slots();
        let slot = slots.get(name)?;
        let Condition::Closed(why) = &slot.condition else { return None };
        let config = slot.config.clone();
        let root = config.as_ref().map(|config| config.root.clone());
        let root = root.or_else(|| slot.root().map(Path::to_owned));
        Some(Found { config, root, fault: why.fault() })
    }

    /// What is there, with a copy of the state. Makes nothing.
    fn copies_of(&self, name: &str, config: Option<&ProjectConfig>) -> Copies {
        let [state, ..] = self.folders.of_project(name);
        let index = state.join("index");
        let store = SledStore::open_kept(&index).ok();
        let copy = store.and_then(|store| MemoryStore::copy_of(&store).ok());
        let has_state = copy.is_some();
        self.of_parts(name, config, Arc::new(copy.unwrap_or_default()), has_state)
    }

    /// The same with the state itself, where there is one.
    fn originals_of(
        &self,
        name: &str,
        config: Option<&ProjectConfig>,
    ) -> Result<Copies, RequestError> {
        let [state, ..] = self.folders.of_project(name);
        let index = state.join("index");
        if !index.is_dir() {
            return Ok(self.of_parts(name, config, Arc::new(MemoryStore::new()), false));
        }
        match SledStore::open_kept(&index) {
            Ok(store) => Ok(self.of_parts(name, config, Arc::new(store), true)),
            // It says nothing against what is there.
            Err(error @ StoreError::Full) => Err(EngineError::from(error).into()),
            // The next to open it begins without it, too.
            Err(error) => {
                tracing::warn!(project = name, %error, "its state can't be read");
                Ok(self.of_parts(name, config, Arc::new(MemoryStore::new()), false))
            }
        }
    }

    fn of_parts(
        &self,
        name: &str,
        config: Option<&ProjectConfig>,
        store: Arc<dyn Store>,
        has_state: bool,
    ) -> Copies {
        let [state, data, cache] = self.folders.of_project(name);
        let backend: Arc<dyn Backend> = match config {
            Some(config) => self.backends.open(&config.url, &config.settings).backend,
            None => Arc::new(NoBackend),
        };
        let spec = match config {
            Some(config) => self.spec_of(config),
            None => ProjectSpec {
                name: name.to_owned(),
                // By which the state is known again.
                root: recorded_root(store.as_ref()).unwrap_or_default(),
                backend_name: backends::PRIMARY.to_owned(),
                narrowing: None,
                hold: true,
                author: self.author(),
                poll_interval: self.settings().poll(),
            },
        };
        // What nobody's settings say is a project's folder is not touched.
        let own = self.own_places();
        let tree = match config {
            Some(config) => wire::tree_of(config, own),
            None => Arc::new(wire::tree_at(&state.join("no-folder"), own)),
        };
        let parts = Parts {
            backend,
            tree,
            watch: Arc::new(ManualWatch),
            store,
            data: Arc::new(LocalDisk::at(data)),
            cache: Arc::new(LocalDisk::at(cache)),
            outside: self.outside.clone(),
        };
        Copies { parts, spec, has_state }
    }
}

fn not_mirrored(name: &str) -> ProjectFault {
    ProjectFault {
        class: FaultClass::NotFound,
        message: format!("the project {name:?} is not mirrored here any more"),
        hint: Some(
            "`mirrorctl stash restore ID --output DIR` writes out what it left; `init --join` of \
             the same project takes it over"
                .to_owned(),
        ),
        of_backend: false,
    }
}
