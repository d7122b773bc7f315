//! Files that were changed on both sides: what merges, what waits, and how
//! agents and scripts settle it.

use std::fs;
use std::thread;

use mirror_core::Digest;
use serde_json::{Value, json};

use crate::support::{Machine, World, text};

/// Two machines; `a.md` was changed by each, the desktop's is not pushed.
pub(super) fn conflicting(world: &World, laptop: &[u8], desktop: &[u8]) -> (Machine, Machine) {
    let one = world.first_machine("laptop", &[("a.md", "milk\n"), ("b.md", "b\n")]);
    let other = world.next_machine("desktop");
    one.writes("a.md", laptop);
    one.runs(&["push"]).exits(0);
    other.writes("a.md", desktop);
    (one, other)
}

#[track_caller]
pub(super) fn waiting(machine: &Machine) -> Vec<Value> {
    let listed = machine.asks(&["conflict", "list"]);
    listed["conflicts"].as_array().expect("a list").clone()
}

#[track_caller]
fn token(machine: &Machine, path: &str) -> String {
    let shown = machine.asks(&["conflict", "show", path]);
    shown["token"].as_str().expect("a token").to_owned()
}

fn bytes(machine: &Machine, path: &str) -> Vec<u8> {
    fs::read(machine.path(path)).expect("the file can be read")
}

#[test]
fn edits_that_lie_apart_merge_by_themselves_on_both_machines() {
    let world = World::new();
    let base = "one\ntwo\nthree\nfour\nfive\n";
    let laptop = world.first_machine("laptop", &[("a.md", base)]);
    let desktop = world.next_machine("desktop");
    laptop.writes("a.md", base.replace("one", "ONE"));
    laptop.runs(&["push"]).exits(0);
    desktop.writes("a.md", base.replace("five", "FIVE"));

    let synced = desktop.asks(&["sync"]);
    laptop.runs(&["pull"]).exits(0);

    assert_eq!(synced["files"][0]["action"], "merged", "{synced}");
    assert_eq!(desktop.reads("a.md"), "ONE\ntwo\nthree\nfour\nFIVE\n");
    assert_eq!(laptop.reads("a.md"), desktop.reads("a.md"));
    assert!(waiting(&desktop).is_empty());
}

#[test]
fn conflict_waits_while_everything_else_goes_on() {
    let world = World::new();
    let (laptop, desktop) = conflicting(&world, b"soy\n", b"oats\n");
    desktop.writes("b.md", "b, better\n");

    let synced = desktop.tries(&["sync"]).exits(3).result();

    assert_eq!(synced["conflicts"], json!(["a.md"]));
    let waiting = waiting(&desktop);
    let [conflict] = &waiting[..] else { panic!("one conflict in {waiting:?}") };
    assert_eq!((&conflict["path"], &conflict["kind"]), (&json!("a.md"), &json!("edit_edit")));
    assert_eq!(conflict["remote_by"]["machine"], "laptop");
    assert_eq!(desktop.reads("a.md"), "oats\n");
    assert_eq!(desktop.status_of("a.md")["status"], "conflict");
    laptop.runs(&["pull"]).exits(0);
    assert_eq!(laptop.reads("a.md"), "soy\n");
    assert_eq!(laptop.reads("b.md"), "b, better\n");
}

#[test]
fn agent_applies_what_it_made_of_both_sides() {
    let world = World::new();
    let (laptop, desktop) = conflicting(&world, b"soy\n", b"oats\n");
    desktop.tries(&["sync"]).exits(3);

    let shown = desktop.asks(&["conflict", "show", "a.md"]);
    assert_eq!(shown["base_text"], "milk\n");
    assert_eq!(shown["local_text"], "oats\n");
    assert_eq!(shown["remote_text"], "soy\n");
    let merged = world.path("merged");
    fs::write(&merged, "soy and oats\n").expect("written");
    let token = shown["token"].as_str().expect("a token");
    let apply = ["conflict", "apply", "a.md", "--merged-file", text(&merged), "--token", token];
    let applied = desktop.asks(&apply);
    laptop.runs(&["pull"]).exits(0);

    assert_eq!(applied["resolution"], "merged");
    assert!(applied["commit"].is_u64(), "{applied}");
    assert_eq!(desktop.reads("a.md"), "soy and oats\n");
    assert_eq!(laptop.reads("a.md"), "soy and oats\n");
    assert!(waiting(&desktop).is_empty());
    desktop.runs(&["sync"]).exits(0);
}

#[test]
fn marks_and_diff_are_printed_as_they_are() {
    let world = World::new();
    let (_laptop, desktop) = conflicting(&world, b"soy\n", b"oats\n");
    desktop.tries(&["sync"]).exits(3);

    let marked = desktop.runs(&["conflict", "show", "a.md", "--format", "markers"]).exits(0);
    let diff = desktop.runs(&["conflict", "show", "a.md", "--format", "diff"]).exits(0);
    let piped = desktop.runs(&["conflict", "show", "a.md"]).exits(0);
    let laptops = format!("#{} by tester on laptop", desktop.head());

    assert_eq!(
        marked.stdout,
        format!("<<<<<<< here\noats\n||||||| base\nmilk\n=======\nsoy\n>>>>>>> {laptops}\n")
    );
    assert!(
        diff.stdout.starts_with(&format!("--- head/a.md\t{laptops}\n+++ here/a.md\n")),
        "{diff:?}"
    );
    assert!(diff.stdout.contains("-soy\n+oats\n"), "{diff:?}");
    assert_eq!(piped.stdout, marked.stdout, "what is no terminal takes text");
}

#[test]
fn decision_about_what_has_moved_is_refused_and_changes_nothing() {
    let world = World::new();
    let (laptop, desktop) = conflicting(&world, b"soy\n", b"oats\n");
    desktop.tries(&["sync"]).exits(3);
    let merged = world.path("merged");
    fs::write(&merged, "soy and oats\n").expect("written");
    let seen = token(&desktop, "a.md");
    let apply = ["conflict", "apply", "a.md", "--merged-file", text(&merged), "--token", &seen];

    desktop.writes("a.md", "oats, no: rice\n");
    let here = desktop.tries(&apply).exits(3).result();
    assert_eq!(here["error"]["class"], "conflict");
    assert_eq!(desktop.reads("a.md"), "oats, no: rice\n");

    let seen = token(&desktop, "a.md");
    laptop.writes("a.md", "soy, no: hemp\n");
    laptop.runs(&["push"]).exits(0);
    let head = laptop.head();
    desktop.tries(&["conflict", "take", "a.md", "local", "--token", &seen]).exits(3);
    assert_eq!(desktop.reads("a.md"), "oats, no: rice\n");
    assert_eq!(laptop.head(), head);
    assert_ne!(token(&desktop, "a.md"), seen);
}

#[test]
fn leftover_marks_are_refused() {
    let world = World::new();
    let (_laptop, desktop) = conflicting(&world, b"soy\n", b"oats\n");
    desktop.tries(&["sync"]).exits(3);
    let marked = desktop.runs(&["conflict", "show", "a.md", "--format", "markers"]).exits(0);
    let merged = world.path("merged");
    fs::write(&merged, &marked.stdout).expect("written");

    let error = desktop.fails(1, &["conflict", "apply", "a.md", "--merged-file", text(&merged)]);

    assert_eq!(error["class"], "rejected");
    assert_eq!(desktop.reads("a.md"), "oats\n");
    assert_eq!(waiting(&desktop).len(), 1);
}

#[test]
fn binary_side_is_taken_byte_for_byte() {
    let (laptop_bytes, desktop_bytes) = (b"\0\xff\r\nlaptop", b"\0\xfe\ndesktop");
    for (side, expected) in [("local", &desktop_bytes[..]), ("remote", &laptop_bytes[..])] {
        let world = World::new();
        let (laptop, desktop) = conflicting(&world, laptop_bytes, desktop_bytes);
        desktop.tries(&["sync"]).exits(3);
        let shown = desktop.asks(&["conflict", "show", "a.md"]);
        assert_eq!((&shown["binary"], &shown["encoding"]), (&json!(true), &json!("base64")));

        let taken = desktop.asks(&["conflict", "take", "a.md", side]);
        laptop.runs(&["pull"]).exits(0);

        assert_eq!(taken["resolution"], side);
        assert_eq!(bytes(&desktop, "a.md"), expected, "{side}");
        assert_eq!(bytes(&laptop, "a.md"), expected, "{side}");
        assert!(waiting(&desktop).is_empty());
    }
}

#[test]
fn large_file_is_settled_though_no_message_shows_it() {
    let world = World::new();
    let large = "all of it is text\n".repeat(300_000);
    let (laptop, desktop) = conflicting(&world, b"soy\n", large.as_bytes());
    desktop.tries(&["sync"]).exits(3);

    let shown = desktop.asks(&["conflict", "show", "a.md"]);
    assert!(shown["local"].is_string() && shown["local_text"].is_null(), "{}", shown["local"]);
    assert_eq!(shown["remote_text"], "soy\n");
    let merged = world.path("merged");
    fs::write(&merged, format!("soy\n{large}")).expect("written");
    desktop.runs(&["conflict", "apply", "a.md", "--merged-file", text(&merged)]).exits(0);
    laptop.runs(&["pull"]).exits(0);

    assert_eq!(bytes(&laptop, "a.md"), fs::read(merged).expect("read"));
}

#[test]
fn strategy_settles_what_does_not_merge() {
    for (strategy, expected) in [("keep-local", "oats\n"), ("keep-remote", "soy\n")] {
        let world = World::new();
        let (laptop, desktop) = conflicting(&world, b"soy\n", b"oats\n");

        desktop.runs(&["sync", "--strategy", strategy]).exits(0);
        laptop.runs(&["pull"]).exits(0);

        assert_eq!(desktop.reads("a.md"), expected, "{strategy}");
        assert_eq!(laptop.reads("a.md"), expected, "{strategy}");
    }
    let world = World::new();
    let (_laptop, desktop) = conflicting(&world, b"soy\n", b"oats\n");
    desktop.runs(&["sync", "--strategy", "merge"]).exits(3);
    assert_eq!(desktop.reads("a.md"), "oats\n");
}

#[test]
fn result_may_stay_here_until_the_next_push() {
    let world = World::new();
    let (laptop, desktop) = conflicting(&world, b"soy\n", b"oats\n");
    desktop.tries(&["sync"]).exits(3);
    let before = laptop.head();

    let taken = desktop.asks(&["conflict", "take", "a.md", "local", "--no-push"]);

    assert!(taken["commit"].is_null(), "{taken}");
    assert_eq!(laptop.head(), before);
    desktop.runs(&["push"]).exits(0);
    laptop.runs(&["pull"]).exits(0);
    assert_eq!(laptop.reads("a.md"), "oats\n");
}

#[test]
fn file_without_a_conflict_is_named() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let error = laptop.fails(1, &["conflict", "show", "a.md"]);
    assert_eq!(error["class"], "not_found");
    laptop.fails(1, &["conflict", "take", "a.md", "local"]);
}

/// Ten lines; the laptop's edits are in the first, the desktop's in the last.
fn page(first: &str, last: &str) -> String {
    format!("{first}\n2\n3\n4\n5\n6\n7\n8\n9\n{last}\n")
}

/// Syncs both at once; who is left with a conflict keeps their own.
fn sync_at_once(machines: [&Machine; 2]) {
    thread::scope(|scope| {
        for machine in machines {
            scope.spawn(move || {
                let synced = machine.tries(&["sync"]);
                match synced.code {
                    Some(0) => {}
                    Some(3) => drop(machine.asks(&["conflict", "take", "a.md", "local"])),
                    _ => panic!("{synced:?}"),
                }
            });
        }
    });
    for machine in machines.into_iter().chain(machines) {
        machine.syncs();
    }
}

#[test]
fn edits_of_one_file_at_the_same_moment_all_count() {
    edits_at_the_same_moment_all_count(&World::new());
}

/// The story, wherever the backend lies.
pub(super) fn edits_at_the_same_moment_all_count(world: &World) {
    const ROUNDS: usize = 100;
    let laptop = world.first_machine("laptop", &[("a.md", &page("first", "last"))]);
    let desktop = world.next_machine("desktop");
    let mut overwriting = Vec::new();

    for round in 0..ROUNDS {
        let (ours, theirs) = (format!("laptop {round}"), format!("desktop {round}"));
        let now = laptop.reads("a.md");
        let lines: Vec<_> = now.lines().collect();
        let (first, last) = (lines[0], lines[9]);
        if round % 2 == 0 {
            laptop.writes("a.md", page(&ours, last));
            desktop.writes("a.md", page(first, &theirs));
        } else {
            let edits = [page(&ours, last), page(&theirs, last)];
            laptop.writes("a.md", &edits[0]);
            desktop.writes("a.md", &edits[1]);
            overwriting.extend(edits);
        }

        sync_at_once([&laptop, &desktop]);

        assert_eq!(laptop.reads("a.md"), desktop.reads("a.md"), "round {round}");
        if round % 2 == 0 {
            assert_eq!(laptop.reads("a.md"), page(&ours, &theirs), "round {round}");
        }
    }

    let versions = laptop.asks(&["history", "a.md"]);
    let versions = versions["versions"].as_array().expect("versions");
    for edit in overwriting {
        let digest = Digest::of(edit.as_bytes()).to_string();
        let is_kept = versions.iter().any(|version| version["sha256"] == digest);
        assert!(is_kept, "lost: {edit}");
    }
}
