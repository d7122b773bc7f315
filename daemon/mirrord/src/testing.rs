//! Machines with homes of their own, for tests.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::block_in_place;

use crate::config::{DaemonSettings, Environment};
use crate::error::RequestError;
use crate::folders::Folders;
use crate::logging::LogControl;
use crate::projects::cancellation::Cancellation;
use crate::projects::{Registry, SetUp, SetUpKind, SetUpOutcome, Start};
use crate::services::BackendUrl;
use crate::symlinks::Symlinks;
use crate::{machine, wire};

/// A place with any number of machines, which reach each other by folders.
pub(crate) struct World {
    _place: tempfile::TempDir,
    path: PathBuf,
}

impl World {
    pub(crate) fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().canonicalize().unwrap();
        fs::create_dir_all(path.join("notes")).unwrap();
        fs::write(path.join("notes/a.md"), "a").unwrap();
        Self { _place: place, path }
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn machine(&self, name: &str) -> Arc<Registry> {
        self.machine_with(name, &Symlinks::default())
    }

    pub(crate) fn machine_with(&self, name: &str, links: &Symlinks) -> Arc<Registry> {
        let home = self.at(name);
        let folders = Folders {
            config: home.join("config"),
            data: home.join("data"),
            state: home.join("state"),
            cache: home.join("cache"),
            home,
        };
        folders.prepare().unwrap();
        let environment = Environment::default();
        let start = Start {
            settings: DaemonSettings::open(&folders.daemon_file(), &environment).unwrap(),
            machine_id: machine::id_in(&folders.config, &folders.state).unwrap(),
            outside: wire::outside(),
            log: LogControl::idle(),
            links: links.clone(),
            environment,
            folders,
        };
        let started = block_in_place(|| Handle::current().block_on(Registry::new(start)));
        Arc::new(started.unwrap())
    }

    pub(crate) fn plan(&self, kind: SetUpKind, folder: &str, backend: &str) -> SetUp {
        SetUp {
            kind,
            folder: self.at(folder),
            url: BackendUrl::of_folder(&self.at(backend)).unwrap(),
            name: None,
            preset: None,
            patterns: Vec::new(),
            excludes: Vec::new(),
            gitignore: false,
            settings: Vec::new(),
        }
    }

    /// A plan for a backend that is no folder of this world.
    pub(crate) fn plan_for(&self, kind: SetUpKind, folder: &str, url: &str) -> SetUp {
        SetUp { url: BackendUrl::parse(url).unwrap(), ..self.plan(kind, folder, "") }
    }

    pub(crate) async fn init(&self, on: &Registry, folder: &str, backend: &str) -> Outcome {
        set_up(
            on,
            self.plan(SetUpKind::Init { push: true, join: false, consent: false }, folder, backend),
        )
        .await
    }

    pub(crate) async fn clone(&self, on: &Registry, backend: &str, folder: &str) -> Outcome {
        set_up(on, self.plan(SetUpKind::Clone { pull: true }, folder, backend)).await
    }
}

pub(crate) type Outcome = Result<SetUpOutcome, RequestError>;

pub(crate) async fn set_up(on: &Registry, plan: SetUp) -> Outcome {
    let (events, mut unheard) = mpsc::channel(64);
    let drain = tokio::spawn(async move { while unheard.recv().await.is_some() {} });
    let outcome = on.set_up(plan, events, &Cancellation::new()).await;
    drain.abort();
    outcome
}
