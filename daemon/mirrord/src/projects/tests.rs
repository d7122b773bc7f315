//! Projects come and go on a machine with a home of its own.

mod setting_up;
mod waiting;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mirror_engine::Phase;
use mirror_storage::FaultClass;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::{Registry, SetRequest, SetUpKind};
use crate::error::Refusal;
use crate::testing::{World, set_up};

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

    machine.remove("notes", false).await.unwrap();

    assert_eq!(kept_of_projects(&machine), Vec::<PathBuf>::new());
    assert_eq!(text(&world.at("notes/a.md")).as_deref(), Some("a"));
    assert_eq!(text(&world.at("nas/a.md")).as_deref(), Some("a"));
    let again =
        world.plan(SetUpKind::Init { push: true, join: true, consent: false }, "notes", "nas");
    assert!(set_up(&machine, again).await.unwrap().joined);
}

#[tokio::test(flavor = "multi_thread")]
async fn removal_that_can_not_remove_all_says_so_and_leaves_no_project() {
    let world = World::new();
    let machine = world.machine("laptop");
    world.init(&machine, "notes", "nas").await.unwrap();
    // Something that is no folder can't be emptied as one.
    let [state, data, cache] = machine.folders.of_project("notes");
    fs::remove_dir_all(&state).unwrap();
    fs::write(&state, "").unwrap();

    let failed = machine.remove("notes", false).await.unwrap_err();

    assert!(failed.message().contains("can't remove"), "{}", failed.message());
    assert!(machine.view("notes").is_none(), "nobody can use what is half gone");
    assert!(!data.exists() && !cache.exists(), "one that stays keeps no other");
    fs::remove_file(&state).unwrap();
    let again =
        world.plan(SetUpKind::Init { push: true, join: true, consent: false }, "notes", "nas");
    assert!(set_up(&machine, again).await.unwrap().joined);
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
    assert_eq!(machine.at(Path::new("/odd/sub")).await.unwrap(), "odd");
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
    assert!(set("key_file", "/k").await.is_err());
    assert_eq!(text(&file), before);
    set("poll_interval", "5s").await.unwrap();
    assert!(text(&file).unwrap().contains("poll_interval = \"5s\""));
    assert!(machine.open("notes").await.is_ok());
}

/// A server that takes a connection and never says a word.
async fn silent_server() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, format!("sftp://127.0.0.1:{port}/~/notes"))
}

#[tokio::test(flavor = "multi_thread")]
async fn server_that_nobody_listens_at_makes_nothing() {
    let world = World::new();
    let machine = world.machine("laptop");
    let (listener, url) = silent_server().await;
    drop(listener);
    for (kind, folder) in [
        (SetUpKind::Init { push: false, join: false, consent: false }, "notes"),
        (SetUpKind::Clone { pull: true }, "copy"),
    ] {
        let refused = set_up(&machine, world.plan_for(kind, folder, &url)).await.unwrap_err();
        assert_eq!(refused.class(), FaultClass::Transient, "{}", refused.message());
    }
    assert!(!world.at("copy").exists());
    assert_eq!(kept_of_projects(&machine), Vec::<PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_server_holds_up_neither_its_project_nor_others() {
    let world = World::new();
    let machine = world.machine("laptop");
    world.init(&machine, "notes", "nas").await.unwrap();
    let (_listener, url) = silent_server().await;
    let waiting = {
        let (machine, elsewhere) = (machine.clone(), url.replace("/~/notes", "/~/other"));
        let plan = world.plan_for(SetUpKind::Clone { pull: true }, "copy", &elsewhere);
        tokio::spawn(async move { set_up(&machine, plan).await })
    };
    let file = machine.folders.project_file("notes");
    let moved =
        text(&file).unwrap().replace(&format!("folder:{}", world.at("nas").display()), &url);
    fs::write(&file, moved).unwrap();

    let looked = async {
        machine.reload().await.unwrap();
        let open = machine.open("notes").await.unwrap();
        open.project.status(true).await.unwrap()
    };

    // Less than ssh itself waits for a server's first word.
    let report = timeout(Duration::from_secs(12), looked).await.expect("nobody waits");
    assert_eq!((report.head, report.offline), (2, true));
    assert!(!waiting.is_finished());
    machine.stop();
    let ended = timeout(Duration::from_secs(5), waiting).await.expect("the daemon ends");
    assert!(matches!(ended.unwrap().unwrap_err().as_raised(), Some(Refusal::Stopping)));
}
