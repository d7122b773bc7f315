//! People and other tools write into the plain files on the backend.

use std::fs;

use mirror_core::Digest;
use serde_json::Value;

use crate::support::{Machine, World, eventually, same_trees};

const FIVE: &str = "one\ntwo\nthree\nfour\nfive\n";

fn writes_outside(world: &World, path: &str, content: &str) {
    let file = world.backend().join(path);
    fs::create_dir_all(file.parent().expect("it lies in a folder")).expect("a folder");
    fs::write(file, content).expect("the view can be written");
}

fn actions(machine: &Machine) -> Vec<Value> {
    let log = machine.asks(&["log", "--limit", "100"]);
    log["entries"].as_array().expect("entries").iter().map(|e| e["action"].clone()).collect()
}

#[test]
fn sync_brings_an_edit_of_the_view_to_every_machine() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", FIVE), ("b.md", FIVE)]);
    let desktop = world.next_machine("desktop");
    laptop.syncs();

    writes_outside(&world, "a.md", &format!("{FIVE}six, by hand\n"));
    writes_outside(&world, "notes/new.md", "by hand\n");
    laptop.syncs();
    desktop.syncs();

    for machine in [&laptop, &desktop] {
        assert_eq!(machine.reads("a.md"), format!("{FIVE}six, by hand\n"));
        assert_eq!(machine.reads("notes/new.md"), "by hand\n");
        same_trees(&machine.tree().without_modes(), &world.view());
    }
    assert!(actions(&desktop).contains(&"external".into()), "{:?}", actions(&desktop));
    let head = laptop.head();
    laptop.syncs();
    desktop.syncs();
    assert_eq!(laptop.head(), head, "nothing goes back and forth");
}

#[test]
fn edit_of_the_view_and_an_edit_here_are_merged() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", FIVE)]);
    let desktop = world.next_machine("desktop");
    laptop.syncs();

    laptop.writes("a.md", FIVE.replace("one", "one, from the laptop"));
    writes_outside(&world, "a.md", &FIVE.replace("five", "five, by hand"));
    laptop.syncs();
    desktop.syncs();

    let merged = "one, from the laptop\ntwo\nthree\nfour\nfive, by hand\n";
    assert_eq!((laptop.reads("a.md"), desktop.reads("a.md")), (merged.into(), merged.into()));
    same_trees(&laptop.tree().without_modes(), &world.view());
}

#[test]
fn edit_of_the_view_that_does_not_merge_waits_and_is_settled_by_name() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", FIVE)]);
    laptop.syncs();

    // A push meets it: its own commit stands, and the view is left as it is.
    laptop.writes("a.md", FIVE.replace("one", "one, from the laptop"));
    writes_outside(&world, "a.md", &FIVE.replace("one", "one, written by hand"));
    let pushed = laptop.tries(&["push"]).exits(3).result();
    assert_eq!(pushed["conflicts"][0], "a.md", "{pushed}");
    let conflict = &laptop.asks(&["conflict", "list"])["conflicts"][0];
    assert_eq!((&conflict["path"], &conflict["place"]), (&"a.md".into(), &"primary".into()));
    assert!(conflict["remote_by"].is_null(), "{conflict}");
    let digest = |text: &str| Digest::of(text.as_bytes()).to_string();
    assert_eq!(conflict["local"], digest(&laptop.reads("a.md")), "local is this folder");
    assert_eq!(conflict["remote"], digest(&FIVE.replace("one", "one, written by hand")));

    laptop.runs(&["conflict", "take", "a.md", "primary"]).exits(0);
    laptop.syncs();

    assert_eq!(laptop.reads("a.md"), FIVE.replace("one", "one, written by hand"));
    same_trees(&laptop.tree().without_modes(), &world.view());
}

#[test]
fn emptying_the_view_empties_no_machine() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", FIVE), ("b.md", FIVE)]);
    laptop.runs(&["config", "set", "poll_interval", "2s"]).exits(0);
    laptop.syncs();
    let head = laptop.head();

    for path in ["a.md", "b.md"] {
        fs::remove_file(world.backend().join(path)).expect("it was shown");
    }

    // It takes two looks until what is missing is believed, and shown again.
    eventually("the files are shown again", || {
        laptop.syncs();
        assert_eq!((laptop.reads("a.md"), laptop.reads("b.md")), (FIVE.into(), FIVE.into()));
        laptop.tree().without_modes() == world.view()
    });
    assert_eq!(laptop.head(), head, "nobody deleted anything");
}

#[test]
fn strategy_settles_an_edit_of_the_view_and_says_so() {
    let by_hand = FIVE.replace("one", "one, written by hand");
    let from_laptop = FIVE.replace("one", "one, from the laptop");
    for (strategy, expected) in [("keep-local", &from_laptop), ("keep-remote", &by_hand)] {
        let world = World::new();
        let laptop = world.first_machine("laptop", &[("a.md", FIVE)]);
        laptop.syncs();
        laptop.writes("a.md", &from_laptop);
        writes_outside(&world, "a.md", &by_hand);
        laptop.tries(&["push"]).exits(3);
        laptop.tries(&["sync", "--strategy", "merge"]).exits(3);

        let synced = laptop.asks(&["sync", "--strategy", strategy]);

        assert_eq!(synced["conflicts"], serde_json::json!([]), "{synced}");
        assert_eq!(laptop.reads("a.md"), *expected, "{strategy}");
        assert!(
            laptop.asks(&["conflict", "list"])["conflicts"].as_array().expect("a list").is_empty()
        );
        same_trees(&laptop.tree().without_modes(), &world.view());
    }
}
