//! A folder of an agent that is the same on several machines, but for what is of
//! one machine alone.

use std::fs;
use std::path::{Path, PathBuf};

use mirror_core::Digest;
use serde_json::{Value, json};

use crate::support::{Machine, Tree, World, logged, same_trees, text};

/// What must not leave a machine, below the home folder.
const KEPT: [&str; 8] = [
    ".claude.json",
    ".claude/.credentials.json",
    ".claude/settings.local.json",
    ".claude/history.jsonl",
    ".claude/projects/-home-ann/0b1c.jsonl",
    ".claude/projects/-home-ann/0b1c/tool-results/a.txt",
    ".claude/todos/a.json",
    ".codex/auth.json",
];

const SHARED: [&str; 3] =
    [".claude/CLAUDE.md", ".claude/rules/style.md", ".claude/projects/-home-ann/memory/MEMORY.md"];

fn person(machine: &Machine) -> PathBuf {
    machine.home().parent().expect("a folder around it").join("person")
}

fn write(root: &Path, name: &str, content: &str) {
    let file = root.join(name);
    fs::create_dir_all(file.parent().expect("a folder")).expect("it can be made");
    fs::write(file, content).expect("a file can be written");
}

fn paths(status: &Value) -> Vec<&str> {
    let files = status["files"].as_array().expect("a list");
    files.iter().map(|file| file["path"].as_str().expect("text")).collect()
}

#[test]
fn what_an_agent_keeps_to_its_machine_never_leaves() {
    let world = World::new();
    let laptop = world.machine("laptop");
    let home = person(&laptop);
    for name in KEPT.into_iter().chain(SHARED) {
        write(&home, name, &format!("{name} of the laptop\n"));
    }
    // No rule of a person takes it either.
    write(&home, ".mirrorignore", "!.credentials.json\n!todos/\n");

    laptop.runs(&laptop.words_of_init(&home)).exits(0);
    laptop.runs(&["--project", "person", "sync"]).exits(0);

    for name in KEPT {
        assert!(!world.view().has(name), "{name}");
        let refused = laptop.tries(&["--project", "person", "push", name]);
        refused.exits(1).says("keeps it to its machine");
    }
    let status = laptop.asks(&["--project", "person", "status", "--long"]);
    assert_eq!(paths(&status), [SHARED[0], SHARED[2], SHARED[1], ".mirrorignore"]);
}

#[test]
fn a_link_of_rules_brings_nothing_of_an_agent_along() {
    let world = World::new();
    let laptop = world.machine("laptop");
    let home = person(&laptop);
    write(&home, ".claude/.credentials.json", "secret\n");
    let link = home.join(".mirrorignore");
    std::os::unix::fs::symlink(".claude/.credentials.json", link).expect("a link can be made");

    laptop.runs(&laptop.words_of_init(&home));
    laptop.runs(&["--project", "person", "sync"]);

    assert!(!world.view().has(".claude/.credentials.json"));
}

/// Puts a commit into the log that brings these files, each with the content of one
/// that is there.
fn plant(world: &World, source: &str, names: &[&str]) {
    let head = world.head();
    let entry = |seq| logged(world, seq);
    let changes =
        (1..=head).rev().flat_map(|seq| entry(seq)["changes"].as_array().cloned()).flatten();
    let to = changes.into_iter().find(|change| change["path"] == source).expect("it is there");
    let changes = names.iter().map(|name| json!({"path": name, "from": null, "to": to["to"]}));
    let parent = fs::read(world.entry(head)).expect("the newest entry");
    let commit = json!({
        "format": 1, "seq": head + 1, "id": format!("01J{:023}", head + 1),
        "parent": Digest::of(&parent).to_string(), "time": "2026-01-01T00:00:00Z",
        "user": "mallory", "machine": "elsewhere", "machine_id": "01J00000000000000000000001",
        "action": "push", "tag": null, "message": null, "changes": changes.collect::<Vec<_>>(),
        "resolved": [], "packs": [],
    });
    fs::write(world.entry(head + 1), commit.to_string()).expect("an entry can be written");
}

#[test]
fn a_hostile_commit_changes_nothing_that_an_agent_keeps() {
    let world = World::new();
    let laptop = world.machine("laptop");
    let home = person(&laptop);
    write(&home, ".claude/CLAUDE.md", "hostile\n");
    write(&home, ".claude/.credentials.json", "mine\n");
    laptop.runs(&laptop.words_of_init(&home)).exits(0);
    laptop.runs(&["--project", "person", "push"]).exits(0);
    let before = Tree::read(&home);

    plant(&world, ".claude/CLAUDE.md", &[&KEPT[..], &[".claude/rules/new.md"]].concat());
    laptop.runs(&["--project", "person", "sync"]).exits(0);

    same_trees(&before, &Tree::read(&home).without(".claude/rules"));
    assert!(home.join(".claude/rules/new.md").exists(), "the rest of the commit came");
    let output = text(&home.join(".claude")).to_owned();
    for command in
        [vec!["pull", KEPT[1]], vec!["restore", KEPT[1]], vec!["sync", "--strategy", "keep-remote"]]
    {
        laptop.runs(&[&["--project", "person"], &command[..]].concat());
        same_trees(&before, &Tree::read(&home).without(".claude/rules"));
    }
    // Another machine may look at such files elsewhere, but not write them there.
    let desktop = world.machine("desktop");
    desktop.clones();
    assert!(!desktop.path(".claude/.credentials.json").exists());
    desktop.runs(&["restore", "--output", &output]);
    same_trees(&before, &Tree::read(&home).without(".claude/rules").without(".claude/.claude"));
    assert!(!home.join(".claude/.claude/.credentials.json").exists());
    let head = logged(&world, world.head());
    assert_eq!(head["user"], "mallory", "nothing was deleted for it either: {head}");
}
