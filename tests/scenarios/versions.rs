//! Whatever takes a person's version out of a folder or a view, the commands alone
//! bring it back: `history` lists it, `show` and `restore --from` give its bytes.

use std::fs;

use mirror_core::Digest;
use serde_json::Value;

use super::conflicts::conflicting;
use crate::support::{Machine, World, text};

const FIVE: &str = "one\ntwo\nthree\nfour\nfive\n";

fn digest(content: &[u8]) -> String {
    Digest::of(content).to_string()
}

/// What `history` lists of a path with this content.
fn listed(machine: &Machine, path: &str, content: &[u8]) -> Vec<Value> {
    let history = machine.asks(&["history", path]);
    let versions = history["versions"].as_array().expect("versions").clone();
    versions.into_iter().filter(|version| version["sha256"] == digest(content)).collect()
}

/// Gets a version back by what `history` says of it, in every way there is.
#[track_caller]
fn gets_back(machine: &Machine, path: &str, content: &[u8], role: &str) {
    let versions = listed(machine, path, content);
    let roles: Vec<_> = versions.iter().map(|version| version["role"].clone()).collect();
    assert!(roles.contains(&role.into()), "{path} is {role} in {versions:?}");
    let stashed = versions.iter().find(|version| version["role"] == "stash");
    assert!(stashed.is_none_or(|version| version["stash_id"].is_string()), "{versions:?}");

    let beginning = &digest(content)[..8];
    let shown = machine.runs(&["show", &format!("{path}@{beginning}")]).exits(0);
    assert_eq!(shown.stdout.as_bytes(), content, "{path}@{beginning}");
    let told = machine.asks(&["show", &format!("{path}@{beginning}")]);
    assert_eq!((&told["sha256"], &told["path"]), (&digest(content).into(), &path.into()));
    machine.runs(&["diff", path, "--from", beginning]).exits(0);
    machine.runs(&["restore", path, "--from", beginning]).exits(0);
    assert_eq!(fs::read(machine.path(path)).expect("it is there"), content, "{path} restored");
}

fn writes_outside(world: &World, path: &str, content: &str) {
    fs::write(world.backend().join(path), content).expect("the view can be written");
}

/// The laptop and the view have changed the same line of `a.md`, and a push of the
/// laptop's has met the other.
fn edited_outside(world: &World) -> (Machine, String, String) {
    let laptop = world.first_machine("laptop", &[("a.md", FIVE)]);
    laptop.syncs();
    let (here, there) = (FIVE.replace("one", "one, here"), FIVE.replace("one", "one, there"));
    laptop.writes("a.md", &here);
    writes_outside(world, "a.md", &there);
    laptop.tries(&["push"]).exits(3);
    (laptop, here, there)
}

#[test]
fn own_side_of_an_applied_result_comes_back() {
    let world = World::new();
    let (_laptop, desktop) = conflicting(&world, b"soy\n", b"a long precious text\n");
    desktop.tries(&["sync"]).exits(3);
    let merged = world.path("merged");
    fs::write(&merged, "the wrong file\n").expect("written");

    desktop.runs(&["conflict", "apply", "a.md", "--merged-file", text(&merged)]).exits(0);

    gets_back(&desktop, "a.md", b"a long precious text\n", "input");
    gets_back(&desktop, "a.md", b"soy\n", "committed");
    gets_back(&desktop, "a.md", b"the wrong file\n", "committed");
}

#[test]
fn own_side_that_was_not_taken_comes_back_and_its_id_is_told() {
    for side in ["remote", "there", "laptop"] {
        let world = World::new();
        let (_laptop, desktop) = conflicting(&world, b"soy\n", b"oats\n");
        desktop.tries(&["sync"]).exits(3);

        let taken = desktop.asks(&["conflict", "take", "a.md", side]);

        let [stashed] = &listed(&desktop, "a.md", b"oats\n")[..] else { panic!("it is listed") };
        assert!(taken["stash_id"].is_string(), "{taken}");
        assert_eq!(taken["stash_id"], stashed["stash_id"]);
        gets_back(&desktop, "a.md", b"oats\n", "stash");
    }
}

#[test]
fn both_sides_of_a_merge_come_back_on_every_machine() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", FIVE)]);
    let desktop = world.next_machine("desktop");
    let (one, five) = (FIVE.replace("one", "ONE"), FIVE.replace("five", "FIVE"));
    laptop.writes("a.md", &one);
    laptop.runs(&["push"]).exits(0);
    desktop.writes("a.md", &five);
    desktop.runs(&["sync"]).exits(0);
    laptop.runs(&["pull"]).exits(0);

    for machine in [&desktop, &laptop] {
        gets_back(machine, "a.md", five.as_bytes(), "input");
        gets_back(machine, "a.md", one.as_bytes(), "committed");
    }
}

#[test]
fn edit_of_the_view_comes_back_whatever_was_made_of_it() {
    for taken in ["here", "there", "apply"] {
        let world = World::new();
        let (laptop, here, there) = edited_outside(&world);
        let merged = world.path("merged");
        fs::write(&merged, "something else\n").expect("written");
        match taken {
            "apply" => {
                laptop.runs(&["conflict", "apply", "a.md", "--merged-file", text(&merged)]).exits(0)
            }
            side => laptop.runs(&["conflict", "take", "a.md", side]).exits(0),
        };
        laptop.syncs();

        let role = if taken == "there" { "committed" } else { "input" };
        gets_back(&laptop, "a.md", there.as_bytes(), role);
        gets_back(&laptop, "a.md", here.as_bytes(), "committed");
    }
}

#[test]
fn edit_of_the_view_that_was_merged_comes_back() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", FIVE)]);
    laptop.syncs();
    let (here, there) = (FIVE.replace("one", "one, here"), FIVE.replace("five", "five, there"));
    laptop.writes("a.md", &here);
    writes_outside(&world, "a.md", &there);
    laptop.runs(&["push"]).exits(0);
    laptop.syncs();

    gets_back(&laptop, "a.md", there.as_bytes(), "input");
}

#[test]
fn version_that_a_strategy_did_not_keep_comes_back() {
    for (strategy, content, role) in
        [("keep-local", "soy\n", "committed"), ("keep-remote", "oats\n", "stash")]
    {
        let world = World::new();
        let (_laptop, desktop) = conflicting(&world, b"soy\n", b"oats\n");
        desktop.runs(&["sync", "--strategy", strategy]).exits(0);
        gets_back(&desktop, "a.md", content.as_bytes(), role);
    }
}

#[test]
fn version_that_a_restore_or_another_wrote_over_comes_back() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "one\n")]);
    laptop.writes("a.md", "never pushed\n");
    laptop.runs(&["restore", "a.md"]).exits(0);
    gets_back(&laptop, "a.md", b"never pushed\n", "stash");

    laptop.writes("a.md", "nor was this\n");
    let id = listed(&laptop, "a.md", b"never pushed\n")[0]["stash_id"].clone();
    laptop.runs(&["stash", "restore", id.as_str().expect("an id")]).exits(0);
    gets_back(&laptop, "a.md", b"nor was this\n", "stash");

    laptop.writes("a.md", "nor this\n");
    let beginning = &digest(b"never pushed\n")[..8];
    laptop.runs(&["restore", "a.md", "--from", beginning]).exits(0);
    gets_back(&laptop, "a.md", b"nor this\n", "stash");
}

#[test]
fn deleted_and_forced_versions_come_back() {
    let world = World::new();
    let (_laptop, desktop) = conflicting(&world, b"soy\n", b"oats\n");
    desktop.runs(&["push", "--force-local"]).exits(0);
    gets_back(&desktop, "a.md", b"soy\n", "committed");

    desktop.runs(&["delete", "b.md"]).exits(0);
    gets_back(&desktop, "b.md", b"b\n", "committed");
}

#[test]
fn older_version_that_was_put_back_in_the_view_comes_back() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "one\n")]);
    laptop.writes("a.md", "one, two\n");
    laptop.syncs();
    writes_outside(&world, "a.md", "one\n");
    laptop.syncs();
    gets_back(&laptop, "a.md", b"one\n", "committed");
}

#[test]
fn binary_version_comes_back_byte_for_byte() {
    let world = World::new();
    let (_laptop, desktop) = conflicting(&world, b"\0\xffsoy", b"\0\xfeoats");
    desktop.tries(&["sync"]).exits(3);
    desktop.runs(&["conflict", "take", "a.md", "there"]).exits(0);

    let beginning = &digest(b"\0\xfeoats")[..8];
    let output = world.path("then");
    let output_words = ["restore", "a.md", "--from", beginning, "--output", text(&output)];
    desktop.runs(&output_words).exits(0);
    assert_eq!(fs::read(output.join("a.md")).expect("written"), b"\0\xfeoats");
    let told = desktop.asks(&["show", &format!("a.md@{beginning}")]);
    assert_eq!(told["encoding"], "base64");
    desktop.runs(&["restore", "a.md", "--from", beginning]).exits(0);
    assert_eq!(fs::read(desktop.path("a.md")).expect("read"), b"\0\xfeoats");
}

#[test]
fn version_is_shown_by_its_commit_and_one_that_is_none_is_refused() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "one\n"), ("me@home.md", "mine\n")]);
    let first = laptop.head();
    laptop.writes("a.md", "two\n");
    laptop.runs(&["push"]).exits(0);

    let shows = |target: &str| laptop.runs(&["show", target]).exits(0).stdout;
    assert_eq!(shows("a.md"), "two\n");
    for target in [format!("a.md@{first}"), format!("a.md@#{first}")] {
        assert_eq!(shows(&target), "one\n", "{target}");
    }
    assert_eq!(shows("a.md@latest"), "two\n");
    assert_eq!(shows("me@home.md"), "mine\n", "a name may have an @ in it");
    assert_eq!(laptop.asks(&["show", &format!("a.md@{first}")])["seq"], first);

    let words = |target: &str| laptop.fails(1, &["show", target]);
    let other = words(&format!("me@home.md@{}", &digest(b"one\n")[..10]));
    assert_eq!(other["class"], "not_found", "{other}");
    assert!(other["message"].as_str().expect("words").contains("but a.md has"), "{other}");
    assert_eq!(words("nowhere.md")["class"], "not_found");
    let short = laptop.fails(2, &["show", "a.md@abcdef"]);
    assert!(short["hint"].as_str().expect("a hint").contains("8 digits"), "{short}");
    let two = laptop.fails(2, &["restore", "--from", &digest(b"one\n")[..8]]);
    assert!(two["message"].as_str().expect("words").contains("name that file"), "{two}");
}
