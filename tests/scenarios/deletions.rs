//! Nothing is deleted that nobody meant to delete.

use std::fs;

use serde_json::Value;

use crate::support::{Machine, Mount, Session, World, same_trees};

const FILES: usize = 40;

/// More than four, and more than a quarter of all.
const MANY: usize = 25;

fn path(number: usize) -> String {
    format!("{number}.md")
}

/// Two machines that agree on many files.
fn full_world() -> (World, Machine, Machine) {
    let world = World::new();
    let laptop = world.machine("laptop");
    for number in 0..FILES {
        laptop.writes(path(number), format!("{number}\n"));
    }
    laptop.inits();
    laptop.runs(&["push"]).exits(0);
    let desktop = world.next_machine("desktop");
    (world, laptop, desktop)
}

/// Nothing happens, and the error says what would make it happen.
#[track_caller]
fn asks_first(machine: &Machine, command: &str) {
    let tree = machine.tree();
    let error = machine.fails(1, &[command]);
    assert_eq!(error["class"], "consent", "{command}: {error}");
    assert!(error["hint"].to_string().contains("--allow-deletes"), "{command}: {error}");
    let first = error["deletions"]["first"][0].as_str().expect("the first is named");
    assert!(error["message"].to_string().contains(first), "{command}: {error}");
    assert_eq!(error["deletions"]["folders"][0]["folder"], "", "{command}: {error}");
    same_trees(&tree, &machine.tree());
}

#[test]
fn many_deletions_are_asked_for_before_they_are_pushed() {
    let (world, laptop, desktop) = full_world();
    let view = world.view();
    (0..MANY).for_each(|number| laptop.removes(&path(number)));
    laptop.writes("39.md", "an edit that waits with them\n");

    for command in ["push", "sync"] {
        asks_first(&laptop, command);
    }
    same_trees(&view, &world.view());

    laptop.runs(&["push", "--allow-deletes"]).exits(0);
    // The commit carries the consent: nobody is asked again elsewhere.
    desktop.runs(&["pull"]).exits(0);
    assert_eq!(desktop.tree().len(), FILES - MANY);
    same_trees(&desktop.tree(), &world.view());
}

#[test]
fn person_at_a_terminal_is_asked_and_decides() {
    let (world, laptop, _desktop) = full_world();
    let view = world.view();
    (0..MANY).for_each(|number| laptop.removes(&path(number)));

    let mut session = Session::of(laptop.mirrorctl(&["push"]));
    session.shows("25 deletions");
    session.shows("25 in the project's folder");
    session.shows("[y/N]");
    session.types("n\n");
    session.exits(1);
    same_trees(&view, &world.view());

    let mut session = Session::of(laptop.mirrorctl(&["push"]));
    session.shows("[y/N]");
    session.types("y\n");
    session.exits(0);
    assert_eq!(world.view().len(), FILES - MANY);
}

#[test]
fn many_deletions_in_small_commits_are_asked_for_before_they_are_pulled() {
    let (world, laptop, desktop) = full_world();
    (0..8).for_each(|number| laptop.removes(&path(number)));
    laptop.runs(&["push"]).exits(0);
    let other = world.next_machine("other");
    (8..16).for_each(|number| other.removes(&path(number)));
    other.runs(&["push"]).exits(0);

    for command in ["pull", "sync"] {
        asks_first(&desktop, command);
    }
    assert_eq!(desktop.tree().len(), FILES);

    desktop.runs(&["pull", "--allow-deletes"]).exits(0);
    same_trees(&desktop.tree(), &world.view());
}

#[test]
fn few_deletions_at_a_time_add_up_within_the_hour() {
    let (world, laptop, _desktop) = full_world();
    for number in 0..8 {
        laptop.removes(&path(number));
        laptop.runs(&["push"]).exits(0);
    }
    let view = world.view();
    laptop.removes(&path(8));

    asks_first(&laptop, "push");

    same_trees(&view, &world.view());
}

#[test]
fn file_edited_here_stays_when_it_is_deleted_elsewhere() {
    let (world, laptop, desktop) = full_world();
    laptop.removes("1.md");
    laptop.removes("2.md");
    laptop.runs(&["push"]).exits(0);
    desktop.writes("1.md", "edited\n");

    let synced = desktop.asks(&["sync"]);

    assert_eq!(synced["conflicts"], serde_json::json!([]), "{synced}");
    assert_eq!(desktop.reads("1.md"), "edited\n");
    assert!(!desktop.tree().has("2.md"));
    laptop.syncs();
    assert_eq!(laptop.reads("1.md"), "edited\n");
    same_trees(&laptop.tree(), &desktop.tree());
    same_trees(&laptop.tree(), &world.view());
}

#[test]
fn file_deleted_here_comes_back_when_it_is_edited_elsewhere() {
    let (world, laptop, desktop) = full_world();
    laptop.writes("1.md", "edited\n");
    laptop.runs(&["push"]).exits(0);
    desktop.removes("1.md");
    desktop.removes("2.md");

    let synced = desktop.asks(&["sync"]);

    assert_eq!(synced["conflicts"], serde_json::json!([]), "{synced}");
    assert_eq!(desktop.reads("1.md"), "edited\n");
    assert!(!desktop.tree().has("2.md"));
    laptop.syncs();
    assert_eq!(laptop.reads("1.md"), "edited\n");
    assert!(!laptop.tree().has("2.md"));
    same_trees(&laptop.tree(), &world.view());
}

#[test]
fn edit_that_won_over_a_deletion_is_told_of() {
    let (_world, laptop, desktop) = full_world();
    laptop.removes("1.md");
    laptop.writes("2.md", "edited\n");
    laptop.runs(&["push"]).exits(0);
    desktop.writes("1.md", "edited\n");
    desktop.removes("2.md");

    let synced = desktop.asks(&["sync"]);

    let notices = synced["notices"].as_array().expect("notices");
    for path in ["1.md", "2.md"] {
        let is_told = |notice: &Value| notice.to_string().contains(path);
        assert!(notices.iter().any(is_told), "{path} in {synced:#}");
    }
}

#[test]
fn folder_that_vanished_or_is_empty_never_empties_the_backend() {
    let (world, laptop, desktop) = full_world();
    desktop.writes("2.md", "something to pull\n");
    desktop.syncs();
    let view = world.view();
    let (root, aside) = (laptop.root(), world.path("aside"));
    fs::rename(&root, &aside).expect("the folder goes away");

    for empty in [false, true] {
        if empty {
            fs::create_dir(&root).expect("an empty folder in its place");
        }
        for command in ["push", "sync", "pull"] {
            let error = laptop.fails(1, &["--project", "notes", command]);
            assert_eq!(error["class"], "consent", "{command}: {error}");
        }
        same_trees(&view, &world.view());
    }
    desktop.syncs();
    assert_eq!(desktop.tree().len(), FILES);

    fs::remove_dir(&root).expect("it is still empty");
    fs::rename(&aside, &root).expect("the folder is back");
    laptop.writes("1.md", "edited\n");
    laptop.syncs();
    assert_eq!(world.view().len(), FILES);
}

#[test]
fn another_disk_in_the_place_of_the_folder_deletes_nothing() {
    let (world, laptop, desktop) = full_world();
    desktop.writes("2.md", "something to pull\n");
    desktop.syncs();
    let view = world.view();
    let Some(mount) = Mount::of_size(&laptop.root(), 1024) else {
        return;
    };
    // Not empty either: an old copy, or another project's files.
    laptop.writes("1.md", "from another disk\n");

    for command in ["push", "sync", "pull"] {
        let error = laptop.fails(1, &["--project", "notes", command]);
        assert_eq!(error["class"], "consent", "{command}: {error}");
    }

    same_trees(&view, &world.view());
    drop(mount);
    laptop.syncs();
    desktop.syncs();
    same_trees(&laptop.tree(), &desktop.tree());
    assert_eq!(laptop.tree().len(), FILES);
    assert_eq!(laptop.reads("1.md"), "1\n");
}

#[test]
fn folder_deleted_with_all_its_files_is_one_deletion_that_travels() {
    let world = World::new();
    let files = [("a.md", "a\n"), ("deep/b.md", "b\n"), ("deep/er/c.md", "c\n")];
    let laptop = world.first_machine("laptop", &files);
    let desktop = world.next_machine("desktop");
    fs::remove_dir_all(laptop.path("deep")).expect("the folder goes");

    laptop.syncs();
    desktop.syncs();

    for left in [desktop.path("deep"), world.backend().join("deep")] {
        assert!(!left.exists(), "an empty folder is left: {}", left.display());
    }
    assert_eq!(desktop.reads("a.md"), "a\n");
}
