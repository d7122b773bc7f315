//! `init` and `clone` where no project can or should be: nothing is made, and
//! the error names what is in the way.

use std::fs;

use super::errors::{init, message_has, nothing_was_made};
use crate::support::{World, has_project, same_trees, text};

#[test]
fn project_folder_is_made_but_not_the_folders_above_it() {
    let world = World::new();
    let laptop = world.machine("laptop");
    let deep = world.path("missing/deeper");

    let error = laptop.fails(1, &init(&deep, &world.url()));

    message_has(&error, &["missing"]);
    assert!(!world.path("missing").exists());
    nothing_was_made(&world, &laptop);
}

#[test]
fn backend_that_is_away_makes_nothing() {
    let world = World::new();
    let laptop = world.machine("laptop");
    laptop.writes("a.md", "a\n");
    let url = format!("folder:{}", world.path("unplugged/disk").display());

    laptop.fails(1, &init(&laptop.root(), &url));
    laptop.fails(1, &["clone", &url, text(&world.path("copy"))]);

    assert!(!world.path("unplugged").exists());
    assert!(!world.path("copy").exists());
    nothing_was_made(&world, &laptop);
}

#[test]
fn clone_of_a_place_without_a_project_makes_nothing() {
    let world = World::new();
    let laptop = world.machine("laptop");
    fs::create_dir(world.backend()).expect("an empty backend");

    laptop.fails(1, &["clone", &world.url(), text(&laptop.root())]);

    assert!(!laptop.root().exists());
    nothing_was_made(&world, &laptop);
}

#[test]
fn clone_into_a_folder_with_files_changes_nothing() {
    let world = World::new();
    let _laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let desktop = world.machine("desktop");
    desktop.writes("mine.md", "mine\n");
    let before = desktop.tree();

    desktop.fails(1, &["clone", &world.url(), text(&desktop.root())]);

    same_trees(&before, &desktop.tree());
    assert_eq!(desktop.asks(&["projects"])["projects"], serde_json::json!([]));
}

#[test]
fn folder_that_belongs_to_another_project_is_refused_by_name() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("sub/a.md", "a\n")]);
    let second = format!("folder:{}", world.path("second").display());
    let (root, inside, above) = (laptop.root(), laptop.path("sub"), laptop.root());
    let above = above.parent().expect("a folder above");

    for folder in [&root, &inside, above] {
        let error = laptop.fails(1, &[&init(folder, &second)[..], &["--name", "other"]].concat());
        message_has(&error, &["notes"]);
    }

    assert!(!has_project(&world.path("second")));
    assert_eq!(laptop.asks(&["projects"])["projects"].as_array().map(Vec::len), Some(1));
}

#[test]
fn name_that_is_taken_is_refused() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let second = format!("folder:{}", world.path("second").display());
    let elsewhere = world.folder("elsewhere");

    let error = laptop.fails(1, &[&init(&elsewhere, &second)[..], &["--name", "notes"]].concat());

    message_has(&error, &["notes"]);
    assert!(!has_project(&world.path("second")));
}

#[test]
fn backend_and_project_inside_each_other_are_refused() {
    let world = World::new();
    let laptop = world.machine("laptop");
    laptop.writes("a.md", "a\n");
    let inside = format!("folder:{}", laptop.path("backend").display());
    let around = format!("folder:{}", laptop.root().parent().expect("a parent").display());

    for url in [&inside, &around] {
        laptop.fails(1, &init(&laptop.root(), url));
    }

    assert!(!laptop.path("backend").exists());
    nothing_was_made(&world, &laptop);
}
