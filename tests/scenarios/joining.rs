//! `init` where a project stands already: nobody joins one by mistake.

use std::fs;

use serde_json::json;

use super::errors::message_has;
use crate::support::{Session, World, text};

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
