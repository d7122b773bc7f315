//! One project on two machines: what one does, the other gets.

use std::thread;

use serde_json::Value;

use crate::support::{Machine, World, same_trees};

/// Both trees and the view hold the same files.
#[track_caller]
fn all_agree(world: &World, machines: &[&Machine]) {
    for machine in machines {
        same_trees(&machines[0].tree(), &machine.tree());
        same_trees(&machine.tree().without_modes(), &world.view());
    }
}

fn entries(machine: &Machine, limit: &str) -> Vec<Value> {
    let log = machine.asks(&["log", "--limit", limit]);
    log["entries"].as_array().expect("entries").clone()
}

/// Every entry of the log counts.
#[track_caller]
pub(super) fn nothing_is_void(machine: &Machine) {
    let void = entries(machine, "1000").into_iter().find(|entry| !entry["void"].is_null());
    assert_eq!(void, None);
}

#[test]
fn edits_of_different_files_meet_on_both_machines() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("b/c.md", "c\n")]);
    let desktop = world.next_machine("desktop");
    all_agree(&world, &[&laptop, &desktop]);

    laptop.writes("a.md", "a, better\n");
    laptop.writes("new.md", "from the laptop\n");
    desktop.writes("b/c.md", "c, better\n");
    laptop.runs(&["push"]).exits(0);
    desktop.syncs();
    laptop.runs(&["pull"]).exits(0);

    all_agree(&world, &[&laptop, &desktop]);
    assert_eq!(laptop.reads("b/c.md"), "c, better\n");
    assert_eq!(desktop.reads("new.md"), "from the laptop\n");
}

#[test]
fn push_is_one_commit_however_many_files_it_has() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[]);
    let before = laptop.head();

    for number in 0..50 {
        laptop.writes(format!("many/{number}.md"), number.to_string());
    }
    let pushed = laptop.asks(&["push"]);

    assert_eq!(pushed["commit"], before + 1);
    assert_eq!(pushed["files"].as_array().map(Vec::len), Some(50));
    assert_eq!(laptop.head(), before + 1);
}

#[test]
fn push_with_nothing_to_do_makes_no_commit() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let before = laptop.head();

    let pushed = laptop.asks(&["push"]);

    assert!(pushed["commit"].is_null(), "{pushed}");
    assert_eq!(laptop.head(), before);
}

#[test]
fn push_of_named_files_leaves_the_others() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("b.md", "b\n")]);
    let desktop = world.next_machine("desktop");

    laptop.writes("a.md", "a, better\n");
    laptop.writes("b.md", "b, better\n");
    laptop.runs(&["push", "./a.md"]).exits(0);
    desktop.runs(&["pull"]).exits(0);

    assert_eq!(desktop.reads("a.md"), "a, better\n");
    assert_eq!(desktop.reads("b.md"), "b\n");
    assert_eq!(laptop.status_of("b.md")["status"], "local_ahead");
}

#[test]
fn deletions_travel() {
    let world = World::new();
    let laptop =
        world.first_machine("laptop", &[("keep.md", "k"), ("old.md", "o"), ("x/y.md", "y")]);
    let desktop = world.next_machine("desktop");

    laptop.removes("old.md");
    laptop.runs(&["push"]).exits(0);
    desktop.runs(&["pull"]).exits(0);
    desktop.runs(&["delete", "x/y.md"]).exits(0);
    laptop.runs(&["pull"]).exits(0);

    all_agree(&world, &[&laptop, &desktop]);
    assert!(laptop.tree().has("keep.md"));
    assert_eq!(laptop.tree().len(), 1);
}

#[test]
fn dry_runs_change_nothing() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let (before, view) = (laptop.head(), world.view());

    laptop.writes("a.md", "a, better\n");
    laptop.writes("b.md", "b\n");
    let planned = laptop.asks(&["push", "--dry-run"]);

    assert_eq!(planned["dry_run"], true);
    assert_eq!(planned["files"].as_array().map(Vec::len), Some(2));
    assert_eq!(laptop.head(), before);
    same_trees(&view, &world.view());
}

#[test]
fn renames_are_seen() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("before.md", "a long story\n")]);
    let desktop = world.next_machine("desktop");

    std::fs::rename(laptop.path("before.md"), laptop.path("after.md")).expect("a rename");
    let pushed = laptop.runs(&["push"]).exits(0);
    desktop.runs(&["pull"]).exits(0);

    assert!(pushed.stdout.ends_with("\n1 renamed; plain files written\n"), "{pushed:?}");
    let changes = &entries(&desktop, "1")[0]["changes"];
    let renamed =
        changes.as_array().expect("changes").iter().find(|one| one["change"] == "renamed");
    let renamed = renamed.unwrap_or_else(|| panic!("no rename in {changes}"));
    assert_eq!(renamed["path"], "after.md");
    assert_eq!(renamed["from"], "before.md");
    all_agree(&world, &[&laptop, &desktop]);
}

#[test]
fn file_changed_on_both_sides_stays_as_it_is() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("b.md", "b\n")]);
    let desktop = world.next_machine("desktop");

    laptop.writes("a.md", "laptop\n");
    laptop.runs(&["push"]).exits(0);
    desktop.writes("a.md", "desktop\n");
    desktop.writes("b.md", "b, better\n");
    let pushed = desktop.tries(&["sync"]).exits(3).result();

    assert_eq!(pushed["conflicts"], serde_json::json!(["a.md"]));
    assert_eq!(desktop.reads("a.md"), "desktop\n");
    assert_eq!(desktop.status_of("a.md")["status"], "conflict");
    laptop.runs(&["pull"]).exits(0);
    assert_eq!(laptop.reads("a.md"), "laptop\n");
    assert_eq!(laptop.reads("b.md"), "b, better\n");
}

#[test]
fn pushes_at_the_same_moment_both_count() {
    const ROUNDS: usize = 100;
    let world = World::new();
    let laptop = world.first_machine("laptop", &[]);
    let desktop = world.next_machine("desktop");
    let before = laptop.head();

    for round in 0..ROUNDS {
        laptop.writes("laptop.md", round.to_string());
        desktop.writes("desktop.md", round.to_string());
        thread::scope(|scope| {
            scope.spawn(|| laptop.runs(&["push"]).exits(0));
            scope.spawn(|| desktop.runs(&["push"]).exits(0));
        });
    }
    laptop.syncs();
    desktop.syncs();

    all_agree(&world, &[&laptop, &desktop]);
    assert_eq!(laptop.reads("desktop.md"), (ROUNDS - 1).to_string());
    assert_eq!(desktop.head(), before + 2 * ROUNDS as u64);
    nothing_is_void(&laptop);
}
