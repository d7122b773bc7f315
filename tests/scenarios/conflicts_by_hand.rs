//! A person at a terminal settles what was changed on both sides.

use std::fs;

use super::conflicts::{conflicting, waiting};
use crate::support::{Machine, Session, World, text};

/// `sync` at a terminal, with an editor that does what these lines of shell
/// say to the file `$1`.
fn sync_with(world: &World, machine: &Machine, editor: &str) -> Session {
    let program = world.path("editor");
    fs::write(&program, format!("shift\n{editor}\n")).expect("written");
    let mut command = machine.mirrorctl(&["sync"]);
    command
        .env("NO_COLOR", "1")
        .env("EDITOR", "false")
        .env("VISUAL", format!("sh {} --wait", text(&program)));
    Session::of(command)
}

fn sync(world: &World, machine: &Machine) -> Session {
    sync_with(world, machine, "exit 1")
}

/// The ids in the stash.
fn stashed(machine: &Machine) -> Vec<String> {
    let listed = machine.asks(&["stash", "list"]);
    let ids = listed["stash"].as_array().expect("a list").iter();
    ids.map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn person_sees_three_sides_and_keeps_one() {
    for (answer, expected) in [("h\n", "oats\n"), ("t\n", "soy\n"), ("laptop\n", "soy\n")] {
        let world = World::new();
        let (laptop, desktop) = conflicting(&world, b"soy\n", b"oats\n");

        let mut session = sync(&world, &desktop);
        session.shows("a.md  changed on both sides");
        session.shows("by tester on laptop");
        session.shows("here   | oats");
        session.shows("base   | milk");
        session.shows("laptop | soy");
        session.shows("[q]uit? ");
        session.types(answer);
        let shown = session.exits(0);
        for stashed in stashed(&desktop) {
            assert!(shown.contains(&stashed), "{shown}");
        }

        laptop.runs(&["pull"]).exits(0);
        assert_eq!(desktop.reads("a.md"), expected);
        assert_eq!(laptop.reads("a.md"), expected);
    }
}

#[test]
fn person_edits_and_cannot_leave_marks_behind() {
    let world = World::new();
    let (laptop, desktop) = conflicting(&world, b"soy\n", b"oats\n");

    let once = world.path("once");
    let script =
        format!("if [ -e {0} ]; then echo 'soy and oats' > \"$1\"; else : > {0}; fi", text(&once));
    let mut session = sync_with(&world, &desktop, &script);
    session.shows("[q]uit? ");
    session.types("e\n");
    session.shows("error:");
    session.shows("[q]uit? ");
    assert_eq!(desktop.reads("a.md"), "oats\n");
    session.types("e\n");
    session.exits(0);

    laptop.runs(&["pull"]).exits(0);
    assert_eq!(laptop.reads("a.md"), "soy and oats\n");
}

#[test]
fn person_skips_and_nothing_is_changed() {
    let world = World::new();
    let (laptop, desktop) = conflicting(&world, b"soy\n", b"oats\n");
    let before = laptop.head();

    let mut session = sync(&world, &desktop);
    session.shows("[q]uit? ");
    session.types("s\n");
    session.exits(3);

    assert_eq!(desktop.reads("a.md"), "oats\n");
    assert_eq!(laptop.head(), before);
    assert_eq!(waiting(&desktop).len(), 1);
}

#[test]
fn ctrl_c_leaves_everything_as_it_is() {
    let world = World::new();
    let (_laptop, desktop) = conflicting(&world, b"soy\n", b"oats\n");

    let mut session = sync(&world, &desktop);
    session.shows("[q]uit? ");
    session.interrupts();
    session.exits(130);

    assert_eq!(desktop.reads("a.md"), "oats\n");
    assert_eq!(waiting(&desktop).len(), 1);
}

#[test]
fn file_that_moved_while_a_person_thought_is_shown_anew() {
    let world = World::new();
    let (laptop, desktop) = conflicting(&world, b"soy\n", b"oats\n");

    let mut session = sync(&world, &desktop);
    session.shows("laptop | soy");
    session.shows("[q]uit? ");
    laptop.writes("a.md", "hemp\n");
    laptop.runs(&["push"]).exits(0);
    session.types("l\n");
    session.shows("changed meanwhile");
    session.shows("laptop | hemp");
    session.shows("[q]uit? ");
    session.types("l\n");
    session.exits(0);

    laptop.runs(&["pull"]).exits(0);
    assert_eq!(laptop.reads("a.md"), "oats\n");
    let versions = laptop.asks(&["history", "a.md"]);
    let versions = versions["versions"].as_array().expect("versions").len();
    assert!(versions >= 4, "milk, soy, hemp and oats: {versions}");
}
