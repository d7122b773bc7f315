//! Projects come and go on a machine with a home of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mirror_engine::Phase;
use mirror_storage::FaultClass;
use tokio::sync::mpsc;

use super::{Registry, SetRequest, SetUp, SetUpKind, SetUpOutcome, Start};
use crate::config::{DaemonSettings, Environment};
use crate::error::RequestError;
use crate::folders::Folders;
use crate::logging::LogControl;
use crate::url::BackendUrl;
use crate::{machine, parts};

/// A place with any number of machines, which reach each other by folders.
struct World {
    _place: tempfile::TempDir,
    path: PathBuf,
}

impl World {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().canonicalize().unwrap();
        fs::create_dir_all(path.join("notes")).unwrap();
        fs::write(path.join("notes/a.md"), "a").unwrap();
        Self { _place: place, path }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn machine(&self, name: &str) -> Arc<Registry> {
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
            outside: parts::outside(),
            log: LogControl::idle(),
            environment,
            folders,
        };
        Arc::new(Registry::new(start).unwrap())
    }

    fn plan(&self, kind: SetUpKind, folder: &str, backend: &str) -> SetUp {
        SetUp {
            kind,
            folder: self.at(folder),
            url: BackendUrl::Folder(self.at(backend)),
            name: None,
            patterns: Vec::new(),
            excludes: Vec::new(),
            settings: Vec::new(),
        }
    }

    async fn init(&self, on: &Registry, folder: &str, backend: &str) -> Outcome {
        set_up(on, self.plan(SetUpKind::Init { push: true }, folder, backend)).await
    }

    async fn clone(&self, on: &Registry, backend: &str, folder: &str) -> Outcome {
        set_up(on, self.plan(SetUpKind::Clone { pull: true }, folder, backend)).await
    }
}

type Outcome = Result<SetUpOutcome, RequestError>;

async fn set_up(on: &Registry, plan: SetUp) -> Outcome {
    let (events, mut unheard) = mpsc::channel(64);
    let drain = tokio::spawn(async move { while unheard.recv().await.is_some() {} });
    let outcome = on.set_up(plan, events).await;
    drain.abort();
    outcome
}

/// Everything that a machine keeps of any project.
fn kept_of_projects(machine: &Registry) -> Vec<PathBuf> {
    let folders = &machine.folders;
    [&folders.state, &folders.data, &folders.cache]
        .into_iter()
        .flat_map(|folder| fs::read_dir(folder.join("projects")).into_iter().flatten())
        .chain(fs::read_dir(folders.project_files()).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect()
}

fn text(file: &Path) -> Option<String> {
    fs::read_to_string(file).ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn project_made_on_one_machine_is_cloned_on_another() {
    let world = World::new();
    let (laptop, desk) = (world.machine("laptop"), world.machine("desk"));

    let made = world.init(&laptop, "notes", "nas").await.unwrap();
    let joined = world.clone(&desk, "nas", "copy").await.unwrap();

    assert!(!made.joined && joined.joined);
    assert_eq!((made.project_id, "notes"), (joined.project_id, joined.config.name.as_str()));
    assert_eq!(text(&world.at("copy/a.md")).as_deref(), Some("a"));
}

#[tokio::test(flavor = "multi_thread")]
async fn clone_that_fails_leaves_nothing() {
    let world = World::new();
    let machine = world.machine("laptop");
    fs::create_dir(world.at("empty")).unwrap();

    let refused = world.clone(&machine, "empty", "copy").await.unwrap_err();

    assert_eq!(refused.class(), FaultClass::NotFound);
    assert!(!world.at("copy").exists());
    assert_eq!(kept_of_projects(&machine), Vec::<PathBuf>::new());
    assert_eq!(fs::read_dir(world.at("empty")).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn folder_that_is_not_empty_is_not_cloned_into() {
    let world = World::new();
    let (laptop, desk) = (world.machine("laptop"), world.machine("desk"));
    world.init(&laptop, "notes", "nas").await.unwrap();
    fs::create_dir(world.at("copy")).unwrap();
    fs::write(world.at("copy/mine.md"), "mine").unwrap();

    let refused = world.clone(&desk, "nas", "copy").await.unwrap_err();

    assert!(refused.message().contains("not empty"), "{}", refused.message());
    assert_eq!(text(&world.at("copy/mine.md")).as_deref(), Some("mine"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_last_component_of_a_missing_path_is_made() {
    let world = World::new();
    let machine = world.machine("laptop");

    let refused = world.init(&machine, "notes", "gone/nas").await.unwrap_err();

    assert!(refused.message().contains("there is no folder"), "{}", refused.message());
    assert!(!world.at("gone").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn second_machine_is_refused_where_a_sync_program_copies() {
    let world = World::new();
    let (laptop, desk) = (world.machine("laptop"), world.machine("desk"));
    fs::create_dir_all(world.at("shared/.stfolder")).unwrap();

    world.init(&laptop, "notes", "shared/nas").await.unwrap();
    let refused = world.clone(&desk, "shared/nas", "copy").await.unwrap_err();

    assert!(refused.message().contains("Syncthing"), "{}", refused.message());
    assert!(!world.at("copy").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn removed_project_leaves_its_files_and_its_backend() {
    let world = World::new();
    let machine = world.machine("laptop");
    world.init(&machine, "notes", "nas").await.unwrap();

    machine.remove("notes").await.unwrap();

    assert_eq!(kept_of_projects(&machine), Vec::<PathBuf>::new());
    assert_eq!(text(&world.at("notes/a.md")).as_deref(), Some("a"));
    assert_eq!(text(&world.at("nas/a.md")).as_deref(), Some("a"));
    assert!(world.init(&machine, "notes", "nas").await.unwrap().joined);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_file_leaves_a_running_project_as_it_was_and_is_named() {
    let world = World::new();
    let machine = world.machine("laptop");
    world.init(&machine, "notes", "nas").await.unwrap();
    let file = machine.folders.project_file("notes");
    let good = text(&file).unwrap();

    fs::write(&file, format!("{good}pol_interval = 5\n")).unwrap();
    let problem = machine.reload().await.unwrap_err();

    assert!(problem.message().contains("notes.toml:3"), "{}", problem.message());
    assert_eq!(machine.view("notes").unwrap().phase, Phase::Idle);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_project_goes_on_after_a_reload_once_its_backend_is_back() {
    let world = World::new();
    let (laptop, desk) = (world.machine("laptop"), world.machine("desk"));
    world.init(&laptop, "notes", "nas").await.unwrap();
    fs::create_dir(world.at("other")).unwrap();
    world.init(&desk, "other", "elsewhere").await.unwrap();
    for glob in ["*.a", "*.b", "*.c"] {
        let request = SetRequest {
            project: Some("other".into()),
            key: "exclude".into(),
            value: glob.into(),
            shared: true,
        };
        desk.set(request).await.unwrap();
    }
    let swap = |from: &str, to: &str| fs::rename(world.at(from), world.at(to)).unwrap();
    let phase = || laptop.view("notes").unwrap().phase;
    let poll = async || laptop.open("notes").await.unwrap().project.poll().await;

    swap("nas", "kept");
    swap("elsewhere", "nas");
    poll().await.unwrap_err();
    assert!(matches!(phase(), Phase::Stopped { .. }), "{:?}", phase());
    let still = laptop.reload().await.unwrap_err();
    assert_eq!(still.class(), FaultClass::Stopped);
    assert!(still.message().contains("\"notes\" is stopped"), "{}", still.message());
    assert!(matches!(phase(), Phase::Stopped { .. }), "{:?}", phase());

    swap("nas", "elsewhere");
    swap("kept", "nas");
    laptop.reload().await.unwrap();
    assert_eq!(phase(), Phase::Idle);
    poll().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_file_stops_that_project_alone_at_start() {
    let world = World::new();
    let before = world.machine("laptop");
    world.init(&before, "notes", "nas").await.unwrap();
    before.close().await;
    fs::write(before.folders.project_file("odd"), "root = \"/odd\"\nurl = 3\n").unwrap();
    drop(before);

    let machine = world.machine("laptop");

    assert!(machine.open("notes").await.is_ok());
    assert!(matches!(machine.view("odd").unwrap().phase, Phase::Stopped { .. }));
    assert_eq!(machine.at(Path::new("/odd/sub")).unwrap(), "odd");
}

#[tokio::test(flavor = "multi_thread")]
async fn setting_that_would_be_wrong_is_not_written() {
    let world = World::new();
    let machine = world.machine("laptop");
    world.init(&machine, "notes", "nas").await.unwrap();
    let file = machine.folders.project_file("notes");
    let before = text(&file);
    let set = |key: &str, value: &str| {
        let request = SetRequest {
            project: Some("notes".into()),
            key: key.into(),
            value: value.into(),
            shared: false,
        };
        machine.set(request)
    };

    assert!(set("poll_interval", "1").await.is_err());
    assert!(set("url", "stfp://host").await.is_err());
    assert_eq!(text(&file), before);
    set("poll_interval", "5s").await.unwrap();
    assert!(text(&file).unwrap().contains("poll_interval = \"5s\""));
    assert!(machine.open("notes").await.is_ok());
}
