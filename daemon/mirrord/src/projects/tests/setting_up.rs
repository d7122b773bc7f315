//! What stands in a set-up's way, and what it leaves when it fails.

use std::fs;
use std::path::PathBuf;

use mirror_storage::FaultClass;

use crate::projects::cancellation::Cancellation;
use crate::projects::{SetUp, SetUpKind};
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

#[tokio::test(flavor = "multi_thread")]
async fn joining_is_refused_with_another_sharing_than_the_project_has() {
    let world = World::new();
    let (laptop, desk) = (world.machine("laptop"), world.machine("desk"));
    world.init(&laptop, "notes", "nas").await.unwrap();
    let plan = |mode: &str| {
        let join = SetUpKind::Init { push: true, join: true, consent: false };
        let settings = vec![("shared_mode".to_owned(), mode.to_owned())];
        SetUp { settings, ..world.plan(join, "desk-notes", "nas") }
    };
    fs::create_dir_all(world.at("desk-notes")).unwrap();

    let refused = set_up(&desk, plan("group")).await.unwrap_err();

    assert_eq!(refused.class(), FaultClass::Usage);
    assert!(refused.message().contains("shared_mode \"private\""), "{}", refused.message());
    assert!(refused.hint().unwrap().contains("config set --shared"));
    assert!(!desk.folders.project_file("desk-notes").exists());
    // Said as it is, it is what was meant.
    assert!(set_up(&desk, plan("private")).await.unwrap().joined);
}

#[tokio::test(flavor = "multi_thread")]
async fn folder_that_does_not_say_for_whom_it_is_is_taken_for_nobodys() {
    let world = World::new();
    let machine = world.machine("laptop");
    // A path of which nobody can say what is there.
    let backend = format!("{}/nas", "x".repeat(300));

    let refused = world.init(&machine, "notes", &backend).await.unwrap_err();

    assert!(refused.message().contains("for whom"), "{}", refused.message());
}

/// The notes that set-ups are under way.
fn notes_of(machine: &crate::projects::Registry) -> usize {
    fs::read_dir(machine.folders.state.join("set-ups")).map_or(0, Iterator::count)
}

/// A set-up of `notes` on `nas` that made the first commit and went no further; the
/// backend is made anew since.
async fn begun_on_another_backend(world: &World, machine: &crate::projects::Registry) {
    fs::create_dir_all(world.at("nas/_mirror/FORMAT")).unwrap();
    let refused = world.init(machine, "notes", "nas").await.unwrap_err();
    assert!(refused.message().contains("stays on the backend"), "{}", refused.message());
    assert_eq!(notes_of(machine), 1);
    fs::remove_dir_all(world.at("nas")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn set_up_that_was_begun_before_joins_no_other_project_unasked() {
    let world = World::new();
    let machine = world.machine("laptop");
    begun_on_another_backend(&world, &machine).await;
    // This very machine makes another project there.
    fs::create_dir_all(world.at("other")).unwrap();
    fs::write(world.at("other/theirs.md"), "b").unwrap();
    world.init(&machine, "other", "nas").await.unwrap();
    machine.remove("other", false).await.unwrap();

    let refused = world.init(&machine, "notes", "nas").await.unwrap_err();

    assert_eq!(refused.class(), FaultClass::Consent, "{}", refused.message());
    assert!(!world.at("notes/theirs.md").exists());
    assert_eq!(notes_of(&machine), 0, "it is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn note_of_a_set_up_goes_once_nothing_of_it_stands() {
    let world = World::new();
    let machine = world.machine("laptop");
    begun_on_another_backend(&world, &machine).await;
    fs::create_dir_all(world.at("nas/_mirror")).unwrap();
    fs::write(world.at("nas/_mirror/log"), "").unwrap();

    world.init(&machine, "notes", "nas").await.unwrap_err();

    assert_eq!(notes_of(&machine), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn set_up_asks_before_it_makes_or_looks_at_anything() {
    let world = World::new();
    let (laptop, desk) = (world.machine("laptop"), world.machine("desk"));
    world.init(&laptop, "notes", "nas").await.unwrap();
    let plan =
        world.plan(SetUpKind::Init { push: true, join: false, consent: false }, "new", "nas");
    let (events, mut told) = tokio::sync::mpsc::channel(64);

    let refused = desk.set_up(plan, events, &Cancellation::new()).await.unwrap_err();

    assert_eq!(refused.class(), FaultClass::Consent, "{}", refused.message());
    assert!(told.recv().await.is_none(), "something was said before");
    assert!(!world.at("new").exists());
    assert_eq!(notes_of(&desk), 0);
    let left = fs::read_dir(desk.folders.data.join("projects")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "data of a project that was not made");
}
