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

/// A folder of Claude Code in the home folder of a machine.
fn claude_home(machine: &Machine, files: &[(&str, &str)]) -> PathBuf {
    let folder = person(machine).join(".claude");
    for (name, content) in files {
        write(&folder, name, content);
    }
    folder
}

const PROJECT: [&str; 2] = ["--project", "claude-home"];

#[test]
fn home_of_claude_is_the_same_on_two_machines() {
    let world = World::new();
    let laptop = world.machine("laptop");
    let files = [
        ("CLAUDE.md", "be brief\n"),
        ("rules/style.md", "tabs\n"),
        ("agent-memory/reviewer/MEMORY.md", "# Reviews\n\n- one\n"),
        ("skills/deploy/SKILL.md", "deploy\n"),
        ("commands/fix.md", "fix\n"),
        ("settings.json", "{}\n"),
        (".credentials.json", "secret\n"),
        ("projects/-home-ann/0b1c.jsonl", "{}\n"),
    ];
    let here = claude_home(&laptop, &files);
    let words = ["init", "--preset", "claude-home", "--with", "skills", "--to", &world.url()];
    laptop.runs(&words).exits(0);
    laptop.runs(&[&PROJECT[..], &["push"]].concat()).exits(0);

    let desktop = world.machine("desktop");
    let there =
        claude_home(&desktop, &[(".credentials.json", "another\n"), ("settings.json", "[]\n")]);
    let words = ["init", "--preset", "claude-home", "--to", &world.url(), "--join"];
    desktop.runs(&words).exits(0);
    desktop.runs(&[&PROJECT[..], &["sync"]].concat()).exits(0);

    for name in ["CLAUDE.md", "rules/style.md", "agent-memory/reviewer/MEMORY.md"] {
        let read = |root: &Path| fs::read_to_string(root.join(name)).expect("it is there");
        assert_eq!(read(&there), read(&here), "{name}");
    }
    assert!(!there.join("commands").exists() && !there.join("projects").exists());
    assert_eq!(fs::read_to_string(there.join(".credentials.json")).expect("it is"), "another\n");
    assert_eq!(fs::read_to_string(there.join("settings.json")).expect("it is"), "[]\n");

    // Both learn something, and nobody is asked about it.
    let index = "agent-memory/reviewer/MEMORY.md";
    write(&here, index, "# Reviews\n\n- one\n- of the laptop\n");
    write(&there, index, "# Reviews\n\n- one\n- of the desktop\n");
    laptop.runs(&[&PROJECT[..], &["push"]].concat()).exits(0);
    desktop.runs(&[&PROJECT[..], &["sync"]].concat()).exits(0);
    laptop.runs(&[&PROJECT[..], &["sync"]].concat()).exits(0);
    for root in [&here, &there] {
        let text = fs::read_to_string(root.join(index)).expect("it is there");
        assert_eq!(text, "# Reviews\n\n- one\n- of the desktop\n- of the laptop\n");
    }
}

#[test]
fn a_preset_that_is_not_the_projects_is_refused() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let desktop = world.machine("desktop");
    claude_home(&desktop, &[("CLAUDE.md", "a\n")]);
    let words = ["init", "--preset", "claude-home", "--to", &world.url(), "--join"];
    desktop.runs(&words).exits(2).says("began with no preset");
    assert_eq!(desktop.asks(&["projects"])["projects"], json!([]));
    desktop
        .runs(&["init", "--preset", "claude", "--to", &world.url()])
        .exits(2)
        .says("claude-home");
    let words = ["init", "--preset", "notes", "--with", "skills", "--to", &world.url()];
    desktop.runs(&words).exits(2).says("no part");
    drop(laptop);
}

/// Puts a commit into the log that brings these files, each with the content of one
/// that is there.
pub(super) fn plant(world: &World, source: &str, names: &[&str]) {
    let head = world.head();
    let entry = |seq| logged(world, seq);
    let changes =
        (1..=head).rev().filter_map(|seq| entry(seq)["changes"].as_array().cloned()).flatten();
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
    world.plants_entry(head + 1, commit.to_string());
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
