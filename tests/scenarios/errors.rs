//! Every mistake that a new user makes: what is said, the exit code, and that
//! nothing is left half-made.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Machine, World, binaries, run, same_trees, text};

/// No project was set up, here or on the backend.
#[track_caller]
pub(super) fn nothing_was_made(world: &World, machine: &Machine) {
    assert_eq!(machine.asks(&["projects"])["projects"], serde_json::json!([]));
    assert!(!world.holds_a_project(), "the backend holds a project");
}

#[track_caller]
pub(super) fn message_has(error: &Value, words: &[&str]) {
    let told = format!("{} {}", error["message"], error["hint"]).to_lowercase();
    for word in words {
        assert!(told.contains(&word.to_lowercase()), "{word:?} in {error:#}");
    }
}

pub(super) fn init<'a>(root: &'a Path, url: &'a str) -> [&'a str; 4] {
    ["init", text(root), "--to", url]
}

#[test]
fn client_without_a_daemon_says_where_it_looked() {
    let world = World::new();
    let laptop = world.machine("laptop");
    let alone = world.folder("alone").join("mirrorctl");
    // Another process copies it: were the copy open for writing here, a child
    // of another test could inherit that, and Linux runs no file that is.
    let copied = Command::new("cp").arg(binaries().join("mirrorctl")).arg(&alone).status();
    assert!(copied.is_ok_and(|status| status.success()), "no copy of the client");

    let mut command = laptop.command(&alone);
    command.env("PATH", world.folder("empty")).env("MIRRORD_BIN", "/nowhere/mirrord").arg("status");

    run(command).exits(5).says("mirrord").says("MIRRORD_BIN");
}

#[test]
fn missing_project_folder_deletes_nothing() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("b.md", "b\n")]);
    let (view, root) = (world.view(), laptop.root());
    fs::rename(&root, world.path("moved")).expect("the project folder moves away");

    for command in ["push", "sync", "pull"] {
        let error = laptop.fails(1, &["--project", "notes", command]);
        assert_eq!(error["class"], "consent", "{command}");
        message_has(&error, &[text(&root), "mount or restore", "config set root"]);
    }

    same_trees(&view, &world.view());
    assert!(!root.exists(), "the project folder was made anew");
}

#[test]
fn emptied_project_folder_asks_before_it_deletes() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("b.md", "b\n")]);
    let view = world.view();
    laptop.removes("a.md");
    laptop.removes("b.md");

    let error = laptop.fails(1, &["push"]);

    assert_eq!(error["class"], "consent");
    message_has(&error, &["--allow-deletes"]);
    same_trees(&view, &world.view());
    laptop.runs(&["push", "--allow-deletes"]).exits(0);
    assert_eq!(world.view().len(), 0);
}

#[test]
fn command_outside_any_project_says_how_to_make_one() {
    let world = World::new();
    let laptop = world.machine("laptop");

    for command in ["status", "push", "log", "diff"] {
        let error = laptop.fails(1, &[command]);
        message_has(&error, &["init"]);
    }
}

#[test]
fn unknown_path_is_an_error() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let head = laptop.head();
    laptop.writes("a.md", "a, better\n");

    for command in ["push", "pull", "diff", "delete"] {
        let error = laptop.fails(1, &[command, "nope.md"]);
        assert_eq!(error["class"], "not_found", "{command}");
        message_has(&error, &["nope.md"]);
    }

    assert_eq!(laptop.head(), head);
}

#[test]
fn unknown_project_is_an_error() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);

    for command in [&["--project", "nope", "status"][..], &["remove", "nope"]] {
        let error = laptop.fails(1, command);
        message_has(&error, &["nope"]);
    }
}

#[test]
fn mistyped_commands_and_urls_are_usage_errors() {
    let world = World::new();
    let laptop = world.machine("laptop");
    laptop.writes("a.md", "a\n");
    let url = world.url().replacen("folder:", "fodler:", 1);

    let error = laptop.fails(2, &init(&laptop.root(), &url));
    message_has(&error, &["fodler", "folder"]);
    laptop.runs(&["psuh"]).exits(2).says("push");
    laptop.runs(&["push", "--nope"]).exits(2).says("--nope");
    laptop.runs(&["init"]).exits(2).says("--to");

    nothing_was_made(&world, &laptop);
}

#[test]
fn broken_project_file_is_named_and_stops_no_other_project() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    laptop.runs(&["quickstart"]).exits(0);
    let file = project_file(&laptop, "notes");
    let good = fs::read_to_string(&file).expect("the project's file");
    fs::write(&file, format!("pol_interval = 5\n{good}")).expect("a mistake");

    let mut check = laptop.mirrorctl(&["--json", "config", "check"]);
    check.current_dir(world.path("laptop"));
    let findings = run(check).result().to_string();
    let sample = laptop.asks(&["--project", "mirrord-sample", "status"]);

    for words in ["notes.toml", "pol_interval", "poll_interval", "fail"] {
        assert!(findings.contains(words), "{words} in {findings}");
    }
    assert_eq!(sample["state"], "idle");
}

fn project_file(machine: &Machine, name: &str) -> PathBuf {
    machine.home().join(format!("config/projects/{name}.toml"))
}

#[test]
fn broken_daemon_settings_are_named_with_their_place() {
    let world = World::new();
    let laptop = world.machine("laptop");
    fs::create_dir_all(laptop.home().join("config")).expect("a config folder");
    fs::write(laptop.home().join("config/mirrord.toml"), "machine = [\n").expect("a mistake");

    laptop.runs(&["projects"]).exits(5).says("mirrord.toml");
}
