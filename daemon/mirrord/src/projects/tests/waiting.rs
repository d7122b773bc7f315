//! Who waits for whom: what is slow in one project holds up no other.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::super::registry::{Condition, Open};
use super::*;
use crate::path_args::resolved;
use crate::symlinks::Symlinks;

/// Far below what a silent server, or a dead disk, makes wait.
const SOON: Duration = Duration::from_secs(8);

fn setting(project: &str, key: &str, value: &str) -> SetRequest {
    let (project, key, value) = (Some(project.into()), key.into(), value.into());
    SetRequest { project, key, value, shared: false }
}

/// Writes the file of a project that this machine has never read.
fn write_file(machine: &Registry, name: &str, root: &Path, url: &str) {
    let text = format!("root = \"{}\"\nurl = \"{url}\"\n", root.display());
    fs::write(machine.folders.project_file(name), text).unwrap();
}

fn open_of(machine: &Registry, name: &str) -> Open {
    match machine.slots().get(name).map(|slot| slot.condition.clone()) {
        Some(Condition::Open(open)) => open,
        other => panic!("{name} is {other:?}"),
    }
}

/// Opens a project at a server that never says a word; gives the connection.
async fn opening_at(
    server: &TcpListener,
    machine: &Arc<Registry>,
    name: &'static str,
) -> (tokio::net::TcpStream, JoinHandle<bool>) {
    let machine = machine.clone();
    let opening = tokio::spawn(async move { machine.open(name).await.is_ok() });
    let (connection, _) = server.accept().await.unwrap();
    (connection, opening)
}

#[tokio::test(flavor = "multi_thread")]
async fn project_that_waits_for_its_server_holds_up_no_command_of_others() {
    let world = World::new();
    let machine = world.machine("laptop");
    world.init(&machine, "notes", "nas").await.unwrap();
    let (server, url) = silent_server().await;
    write_file(&machine, "far", &world.at("far"), &url);
    machine.reload().await.unwrap();
    let (connection, opening) = opening_at(&server, &machine, "far").await;
    let shared = {
        let request = SetRequest { shared: true, ..setting("far", "exclude", "*.tmp") };
        let machine = machine.clone();
        tokio::spawn(async move { machine.set(request).await.is_ok() })
    };

    let others = async {
        machine.set(setting("notes", "poll_interval", "5s")).await.unwrap();
        machine.reload().await.unwrap();
        world.init(&machine, "notes2", "nas2").await.unwrap();
        machine.remove("notes", false).await.unwrap();
    };
    timeout(SOON, others).await.expect("nobody waits");

    assert!(!opening.is_finished() && !shared.is_finished());
    drop((server, connection));
    assert!(!opening.await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn removal_waits_for_an_opening_and_nothing_of_the_project_comes_back() {
    let world = World::new();
    let machine = world.machine("laptop");
    let (server, url) = silent_server().await;
    write_file(&machine, "far", &world.at("far"), &url);
    machine.reload().await.unwrap();
    let (connection, opening) = opening_at(&server, &machine, "far").await;

    let removal = {
        let machine = machine.clone();
        tokio::spawn(async move { machine.remove("far", false).await })
    };
    let went = tokio::spawn(async move {
        // A removal that doesn't wait would have ended by then.
        let held = tokio::time::timeout(Duration::from_millis(300), opening).await;
        assert!(held.is_err(), "the server still holds the opening");
        drop((server, connection));
    });
    removal.await.unwrap().unwrap();

    assert!(went.is_finished(), "the project was still being opened");
    assert_eq!(kept_of_projects(&machine), Vec::<PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_disk_holds_up_neither_other_projects_nor_the_start() {
    let world = World::new();
    let before = world.machine("laptop");
    world.init(&before, "notes", "nas").await.unwrap();
    let dead = world.at("dead");
    write_file(&before, "lost", &dead.join("lost"), &format!("folder:{}", dead.display()));
    before.close().await;
    drop(before);
    fs::write(&dead, "hangs while it stands").unwrap();
    let links = Symlinks::followed_by({
        let dead = dead.clone();
        move |path| {
            while path.starts_with(&dead) && dead.exists() {
                std::thread::sleep(Duration::from_millis(5));
            }
            resolved(path)
        }
    });
    let world = Arc::new(world);

    let used = async {
        let machine = {
            let world = world.clone();
            tokio::task::spawn_blocking(move || world.machine_with("laptop", &links)).await.unwrap()
        };
        assert_eq!(machine.at(&world.at("notes/sub")).await.unwrap(), "notes");
        assert_eq!(machine.at(&dead.join("lost/sub")).await.unwrap(), "lost");
        machine.check_config().await;
        machine.set(setting("notes", "poll_interval", "5s")).await.unwrap();
        machine.open("notes").await.unwrap();
    };
    let used = timeout(Duration::from_secs(20), used).await;

    // Or the test's own threads never end.
    fs::remove_file(&dead).unwrap();
    used.expect("nobody waits");
}

#[tokio::test(flavor = "multi_thread")]
async fn root_that_is_mounted_after_the_start_is_found_by_those_inside() {
    let world = World::new();
    let machine = world.machine("laptop");
    std::os::unix::fs::symlink(world.at("mount/notes"), world.at("link")).unwrap();
    write_file(&machine, "far", &world.at("link"), &format!("folder:{}", world.at("b").display()));
    machine.reload().await.unwrap();

    fs::create_dir_all(world.at("mount/notes/sub")).unwrap();

    assert_eq!(machine.at(&world.at("mount/notes/sub")).await.unwrap(), "far");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_files_for_one_project_one_alone_runs() {
    let world = World::new();
    let machine = world.machine("laptop");
    world.init(&machine, "notes", "nas").await.unwrap();
    machine.remove("notes", false).await.unwrap();
    let copied = Command::new("cp").arg("-r").args([world.at("nas"), world.at("copy")]).status();
    assert!(copied.unwrap().success());
    let folder = |name: &str| format!("folder:{}", world.at(name).display());
    // Often enough for two that look before either has entered itself.
    for _ in 0..10 {
        write_file(&machine, "one", &world.at("one"), &folder("nas"));
        write_file(&machine, "two", &world.at("two"), &folder("copy"));
        machine.reload().await.unwrap();

        let both = ["one", "two"].map(|name| {
            let machine = machine.clone();
            tokio::spawn(async move { machine.open(name).await.is_ok() })
        });
        let [one, two] = both;

        assert_eq!([one.await.unwrap(), two.await.unwrap()].iter().filter(|ran| **ran).count(), 1);
        for name in ["one", "two"] {
            machine.remove(name, false).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stale_handle_closes_only_itself() {
    let world = World::new();
    let machine = world.machine("laptop");
    world.init(&machine, "notes", "nas").await.unwrap();
    let stale = open_of(&machine, "notes");
    machine.set(setting("notes", "poll_interval", "5s")).await.unwrap();
    let fresh = machine.open("notes").await.unwrap();

    machine.look_at("notes", &stale).await;

    assert!(fresh.is(&open_of(&machine, "notes")));
    fresh.project.poll().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn project_whose_file_is_gone_is_dropped_by_a_reload() {
    let world = World::new();
    let machine = world.machine("laptop");
    world.init(&machine, "notes", "nas").await.unwrap();
    let open = open_of(&machine, "notes");
    fs::remove_file(machine.folders.project_file("notes")).unwrap();

    machine.reload().await.unwrap();

    assert!(machine.view("notes").is_none());
    assert!(open.project.poll().await.is_err());
}
