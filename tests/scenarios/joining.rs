//! `init` where a project stands already: nobody joins one by mistake.

use std::fs;

use serde_json::json;

use super::errors::message_has;
use crate::support::{Machine, Session, World, text};

#[test]
fn init_on_the_place_of_another_project_says_which_and_makes_nothing() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("b.md", "b\n")]);
    let desktop = world.machine("desktop");
    desktop.writes("mine.md", "mine\n");
    let (root, url) = (desktop.root(), world.url());
    let init = ["init", text(&root), "--to", &url, "--name", "work"];

    let error = desktop.fails(1, &init);

    assert_eq!(error["class"], "consent");
    let parts = ["the project", "tester on laptop", "2 files", "**/*", "--join"];
    message_has(&error, &parts);
    assert_eq!(desktop.asks(&["projects"])["projects"], json!([]));
    assert!(!desktop.home().join("data/projects/work").exists());
    assert_eq!(fs::read_dir(&root).expect("listed").count(), 1, "something came here");

    let joined = desktop.asks(&[&init[..], &["--join"]].concat());
    assert_eq!(joined["joined"], true);
    assert_eq!(desktop.reads("a.md"), "a\n");
    drop(laptop);
}

#[test]
fn person_at_a_terminal_is_asked_before_a_project_is_joined() {
    let world = World::new();
    let _laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let desktop = world.machine("desktop");
    desktop.writes("mine.md", "mine\n");
    let (root, url) = (desktop.root(), world.url());
    let init = ["init", text(&root), "--to", &url];

    let mut session = Session::of(desktop.mirrorctl(&init));
    session.shows("made by tester on laptop");
    session.shows("Join it with");
    session.types("\n");
    let shown = session.exits(1);
    assert!(shown.contains("not joined; nothing was made"), "{shown}");
    assert_eq!(desktop.asks(&["projects"])["projects"], json!([]));

    let mut session = Session::of(desktop.mirrorctl(&init));
    session.shows("Join it with");
    session.types("y\n");
    session.exits(0);
    assert_eq!(desktop.reads("a.md"), "a\n");
}

#[test]
fn machine_that_made_a_project_is_asked_as_well_once_that_is_done() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    laptop.runs(&["remove", "notes"]).exits(0);
    let other = world.folder("other");

    let error = laptop.fails(1, &["init", text(&other), "--to", &world.url()]);

    message_has(&error, &["the project", "--join"]);
    assert!(!other.join("a.md").exists());
    let again = laptop.fails(1, &["init", text(&laptop.root()), "--to", &world.url()]);
    assert_eq!(again["class"], "consent");
}

/// A machine that knew a part of the project and lost its settings; meanwhile all of that
/// part was deleted, which is little elsewhere.
fn knew_what_is_deleted(world: &World) -> Machine {
    let laptop = world.machine("laptop");
    for number in 0..30 {
        laptop.writes(format!("f{number}.md"), "f\n");
    }
    for number in 0..6 {
        laptop.writes(format!("sub/{number}.md"), "sub\n");
    }
    laptop.inits();
    laptop.runs(&["push"]).exits(0);
    let desktop = world.machine("desktop");
    let (root, url) = (desktop.root(), world.url());
    let clone = ["clone", &url, text(&root), "--pattern", "sub/*"];
    desktop.runs(&clone).exits(0);
    desktop.loses_daemon();
    fs::remove_file(desktop.home().join("config/projects/notes.toml")).expect("lost");
    for number in 0..6 {
        laptop.removes(&format!("sub/{number}.md"));
    }
    laptop.runs(&["push"]).exits(0);
    desktop
}

#[test]
fn joining_that_deletes_much_here_names_an_option_that_init_has() {
    let world = World::new();
    let desktop = knew_what_is_deleted(&world);
    let (root, url) = (desktop.root(), world.url());
    let join =
        ["init", text(&root), "--to", &url, "--name", "notes", "--pattern", "sub/*", "--join"];

    let refused = desktop.fails(1, &join);

    assert_eq!((&refused["class"], &refused["deletions"]["count"]), (&"consent".into(), &6.into()));
    message_has(&refused, &["nothing was done", "--allow-deletes"]);
    assert!(desktop.path("sub/0.md").exists());
    let joined = desktop.asks(&[&join[..], &["--allow-deletes"]].concat());
    assert_eq!(joined["joined"], true);
    assert!(!desktop.path("sub/0.md").exists());
}

#[test]
fn person_is_asked_about_the_project_and_then_about_what_it_deletes() {
    let world = World::new();
    let desktop = knew_what_is_deleted(&world);
    let (root, url) = (desktop.root(), world.url());
    let init = ["init", text(&root), "--to", &url, "--name", "notes", "--pattern", "sub/*"];

    for (answer, code, is_there) in [("n\n", 1, true), ("y\n", 0, false)] {
        let mut asked = Session::of(desktop.mirrorctl(&init));
        asked.shows("Join it with");
        asked.types("y\n");
        asked.shows("Go on? [y/N] ");
        asked.types(answer);
        asked.exits(code);
        assert_eq!(desktop.path("sub/0.md").exists(), is_there);
    }
}

#[test]
fn clone_over_a_folder_with_files_says_how_it_can_join() {
    let world = World::new();
    let _laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let desktop = world.machine("desktop");
    desktop.writes("mine.md", "mine\n");

    let refused = desktop.fails(1, &["clone", &world.url(), text(&desktop.root())]);

    message_has(&refused, &["is not empty", "mirrorctl init DIR --to URL --join"]);
    assert_eq!(fs::read_dir(desktop.root()).expect("listed").count(), 1);
}
