//! What stands in a set-up's way, and what it leaves when it fails.

use std::fs;
use std::path::PathBuf;

use crate::projects::SetUpKind;
use crate::testing::{World, set_up};

#[tokio::test(flavor = "multi_thread")]
async fn file_of_a_project_that_was_not_read_yet_is_left_alone() {
    let world = World::new();
    let machine = world.machine("laptop");
    let file = machine.folders.project_file("notes");
    fs::write(&file, "# by hand\n").unwrap();

    let refused = world.init(&machine, "notes", "nas").await.unwrap_err();

    assert!(refused.message().contains("notes.toml"), "{}", refused.message());
    assert!(refused.hint().unwrap().contains("reload"));
    assert_eq!(fs::read_to_string(&file).unwrap(), "# by hand\n");
    assert!(!world.at("nas").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn set_up_that_fails_leaves_no_folders_of_ours_on_the_backend() {
    let world = World::new();
    let machine = world.machine("laptop");
    fs::create_dir_all(world.at("nas/_mirror")).unwrap();
    // Nothing can be written below a file.
    fs::write(world.at("nas/_mirror/log"), "").unwrap();

    let refused = world.init(&machine, "notes", "nas").await.unwrap_err();

    assert!(!refused.message().contains("stay"), "{}", refused.message());
    let left: Vec<PathBuf> =
        fs::read_dir(world.at("nas/_mirror")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [world.at("nas/_mirror/log")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn first_commit_that_landed_before_the_failure_is_told_of() {
    let world = World::new();
    let machine = world.machine("laptop");
    // The file that repeats the first commit can't be written.
    fs::create_dir_all(world.at("nas/_mirror/FORMAT")).unwrap();

    let refused = world.init(&machine, "notes", "nas").await.unwrap_err();

    assert!(refused.message().contains("stays on the backend"), "{}", refused.message());
    fs::remove_dir(world.at("nas/_mirror/FORMAT")).unwrap();
    assert!(world.init(&machine, "notes", "nas").await.unwrap().joined);
}

#[tokio::test(flavor = "multi_thread")]
async fn clones_without_a_name_go_on_side_by_side() {
    let world = World::new();
    let (laptop, desk) = (world.machine("laptop"), world.machine("desk"));
    for name in ["notes", "work"] {
        fs::create_dir_all(world.at(name)).unwrap();
        world.init(&laptop, name, &format!("nas-{name}")).await.unwrap();
    }

    let plan = |name: &str| {
        let (copy, backend) = (format!("copy-{name}"), format!("nas-{name}"));
        world.plan(SetUpKind::Clone { pull: true }, &copy, &backend)
    };
    let (one, other) = tokio::join!(set_up(&desk, plan("notes")), set_up(&desk, plan("work")));

    assert_eq!(
        (one.unwrap().config.name, other.unwrap().config.name),
        ("notes".into(), "work".into())
    );
}
