//! A project that doesn't run, or is none any more: what it keeps of a person's can be
//! looked at, set aside and had back by commands alone.

use std::fs;

use mirror_core::Digest;
use serde_json::Value;

use super::errors::message_has;
use crate::support::{Machine, World, text};

const STASHED: &str = "never pushed\n";
const HERE: &str = "laptop's\n";
const QUEUED: &str = "queued\n";

/// What keeps a project from running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    RolledBack,
    AnotherProject,
    WrongSettings,
    NoFolder,
    SettingsGone,
}

use Trouble::{AnotherProject, NoFolder, RolledBack, SettingsGone, WrongSettings};

const ALL: [Trouble; 5] = [RolledBack, AnotherProject, WrongSettings, NoFolder, SettingsGone];

/// A machine with a stashed version, a conflict and a queued push, and then in trouble.
fn story(trouble: Trouble) -> (World, Machine) {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("b.md", "b\n")]);
    let desktop = world.next_machine("desktop");
    desktop.writes("b.md", "desktop's\n");
    desktop.runs(&["push"]).exits(0);
    laptop.writes("b.md", HERE);
    laptop.runs(&["sync", "--no-prompt"]).exits(3);
    laptop.writes("a.md", STASHED);
    laptop.runs(&["restore", "a.md"]).exits(0);
    fs::rename(world.backend(), world.path("unmounted")).expect("the backend can go away");
    laptop.writes("c.md", QUEUED);
    laptop.tries(&["push", "c.md"]).exits(4);
    laptop.loses_daemon();
    fs::rename(world.path("unmounted"), world.backend()).expect("it comes back");
    let file = laptop.home().join("config/projects/notes.toml");
    match trouble {
        RolledBack => fs::remove_file(world.entry(world.head())).expect("an older backup"),
        AnotherProject => {
            fs::remove_dir_all(world.backend()).expect("it goes");
            let other = world.machine("other");
            other.writes("x.md", "x\n");
            other.inits();
            other.runs(&["push"]).exits(0);
        }
        WrongSettings => fs::write(&file, "root = 3\n").expect("a broken file"),
        NoFolder => fs::rename(laptop.root(), world.path("moved")).expect("it moves"),
        SettingsGone => fs::remove_file(&file).expect("removed by hand"),
    }
    (world, laptop)
}

/// The words of a command about the project, from anywhere.
fn of_notes<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&["--project", "notes"], words].concat()
}

fn asks(machine: &Machine, words: &[&str]) -> Value {
    machine.asks(&of_notes(words))
}

fn prints(machine: &Machine, words: &[&str]) -> String {
    machine.runs(&of_notes(words)).exits(0).stdout
}

fn begins(content: &str) -> String {
    Digest::of(content.as_bytes()).to_string()[..8].to_owned()
}

/// What stands in the stash of the data folder.
fn files_of_stash(machine: &Machine) -> Vec<std::path::PathBuf> {
    let stash = machine.home().join("data/projects/notes/stash");
    let files = fs::read_dir(stash).into_iter().flatten().flatten();
    files.map(|file| file.path()).collect()
}

/// Role and content's digest of each version that `history` lists.
fn roles(history: &Value, content: &str) -> Vec<Value> {
    let versions = history["versions"].as_array().expect("versions").iter();
    let digest = Value::from(Digest::of(content.as_bytes()).to_string());
    versions.filter(|one| one["sha256"] == digest).map(|one| one["role"].clone()).collect()
}

#[test]
fn what_is_kept_is_listed_and_shown_whatever_keeps_the_project_from_running() {
    for trouble in ALL {
        let (_world, laptop) = story(trouble);

        let queue = asks(&laptop, &["queue", "list"]);
        assert_eq!(queue["queue"][0]["files"][0]["path"], "c.md", "{trouble:?}: {queue:#}");
        let conflicts = asks(&laptop, &["conflict", "list"]);
        assert_eq!(conflicts["conflicts"][0]["path"], "b.md", "{trouble:?}: {conflicts:#}");
        let conflict = asks(&laptop, &["conflict", "show", "b.md"]);
        assert_eq!(
            (&conflict["local_text"], &conflict["remote_text"]),
            (&HERE.into(), &"desktop's\n".into())
        );
        for answer in [&conflicts, &conflict] {
            assert!(answer["error"]["message"].is_string(), "{trouble:?}: {answer:#}");
        }
        // Without its folder it runs all the same.
        assert_eq!(queue["error"].is_null(), trouble == NoFolder, "{trouble:?}: {queue:#}");
        let history = asks(&laptop, &["history", "c.md"]);
        assert_eq!(roles(&history, QUEUED), ["queued"], "{trouble:?}: {history:#}");
        let versions = asks(&laptop, &["history", "a.md"]);
        assert_eq!(roles(&versions, STASHED), ["stash"], "{trouble:?}: {versions:#}");
        assert_eq!(roles(&asks(&laptop, &["history", "b.md"]), HERE), ["conflict"]);
        for (path, content) in [("a.md", STASHED), ("b.md", HERE), ("c.md", QUEUED)] {
            let version = format!("{path}@{}", begins(content));
            assert_eq!(prints(&laptop, &["show", &version]), content, "{trouble:?}");
        }
    }
}

#[test]
fn stashed_version_is_written_out_whatever_keeps_the_project_from_running() {
    for trouble in ALL {
        let (world, laptop) = story(trouble);
        let id =
            asks(&laptop, &["stash", "list"])["stash"][0]["id"].as_str().expect("an id").to_owned();
        let output = world.path("out");

        prints(&laptop, &["stash", "restore", &id, "--output", text(&output)]);
        let queued = begins(QUEUED);
        prints(&laptop, &["restore", "c.md", "--from", &queued, "--output", text(&output)]);

        let read = |path| fs::read_to_string(output.join(path)).expect("it was written");
        assert_eq!((read("a.md"), read("c.md")), (STASHED.to_owned(), QUEUED.to_owned()));
        let words = of_notes(&["stash", "restore", &id]);
        match trouble {
            RolledBack | AnotherProject => {
                laptop.writes("a.md", "written since\n");
                laptop.runs(&words).exits(0);
                assert_eq!(laptop.reads("a.md"), STASHED);
                let stash = asks(&laptop, &["stash", "list"]);
                assert_eq!(stash["stash"].as_array().map(Vec::len), Some(2), "{stash:#}");
            }
            WrongSettings | SettingsGone => {
                message_has(&laptop.fails(2, &words), &["--output"]);
            }
            NoFolder => assert_eq!(laptop.fails(1, &words)["class"], "consent"),
        }
    }
}

#[test]
fn stashed_version_is_dropped_only_by_a_word_whatever_keeps_the_project_from_running() {
    for trouble in ALL {
        let (_world, laptop) = story(trouble);
        let before = asks(&laptop, &["stash", "list"])["stash"].clone();
        let id = before[0]["id"].as_str().expect("an id").to_owned();

        for words in [&["stash", "drop", &id][..], &["stash", "drop", "--all"]] {
            let refused = laptop.fails(1, &of_notes(words));
            assert_eq!(refused["class"], "consent", "{trouble:?}: {refused:#}");
            message_has(&refused, &["1 stashed version", "nothing was done", "--yes"]);
        }
        let unknown = of_notes(&["stash", "drop", &id, "0ZZZ", "--yes"]);
        assert_eq!(laptop.fails(1, &unknown)["class"], "not_found");
        assert_eq!(asks(&laptop, &["stash", "list"])["stash"], before, "{trouble:?}");

        let dropped = asks(&laptop, &["stash", "drop", &id[..25], "--yes"]);

        assert_eq!(dropped["dropped"], before, "{trouble:?}");
        assert_eq!(asks(&laptop, &["stash", "list"])["stash"], Value::Array(Vec::new()));
        let nothing = asks(&laptop, &["stash", "drop", "--all"]);
        assert_eq!(nothing["dropped"], Value::Array(Vec::new()), "nobody has to be asked");
        assert!(files_of_stash(&laptop).is_empty(), "{trouble:?}");
        // What else is kept stays.
        assert_eq!(asks(&laptop, &["queue", "list"])["queue"].as_array().map(Vec::len), Some(1));
    }
}

#[test]
fn queued_push_is_set_aside_whatever_keeps_the_project_from_running() {
    for trouble in ALL {
        let (_world, laptop) = story(trouble);

        let dropped = asks(&laptop, &["queue", "drop", "--all"]);

        let stashed = &dropped["stash"][0];
        assert_eq!(stashed["path"], "c.md", "{trouble:?}: {dropped:#}");
        assert_eq!(asks(&laptop, &["queue", "list"])["queue"], Value::Array(Vec::new()));
        let id = stashed["id"].as_str().expect("an id");
        assert_eq!(prints(&laptop, &["stash", "show", id]), QUEUED);
        laptop.loses_daemon();
        assert_eq!(prints(&laptop, &["stash", "show", id]), QUEUED);
    }
}

#[test]
fn last_copy_of_a_commit_that_the_backend_has_lost_is_not_removed_unasked() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "one\n")]);
    let desktop = world.next_machine("desktop");
    for text in ["two, that is lost\n", "three, that is lost\n"] {
        laptop.writes("a.md", text);
        laptop.runs(&["push"]).exits(0);
        desktop.runs(&["pull"]).exits(0);
    }
    desktop.loses_daemon();
    for _ in 0..2 {
        fs::remove_file(world.entry(world.head())).expect("an older backup");
    }
    fs::remove_dir_all(world.backend().join("_mirror/packs")).expect("an older backup");
    let digest = Digest::of(b"two, that is lost\n").to_string();

    let refused = desktop.fails(1, &["remove", "notes"]);

    assert_eq!(refused["class"], "consent", "{refused}");
    message_has(&refused, &["nothing was removed", "show PATH@DIGEST"]);
    let version = format!("a.md@{digest}");
    assert_eq!(prints(&desktop, &["show", &version]), "two, that is lost\n");
    desktop.runs(&["remove", "notes", "--discard"]).exits(0);
}

#[test]
fn first_hint_of_a_stopped_project_loses_nothing() {
    let (world, laptop) = story(RolledBack);

    let error = laptop.fails(1, &["sync"]);
    let refused = laptop.fails(1, &["remove", "notes"]);

    for hint in [&error["hint"], &refused["hint"]] {
        let hint = hint.as_str().expect("a hint");
        let harmless = hint.find("queue drop --all").expect("how to keep what waits");
        assert!(hint.find("--discard").is_none_or(|lost| harmless < lost), "{hint}");
    }
    // As the hints say: nothing is lost on the way out.
    asks(&laptop, &["queue", "drop", "--all"]);
    let output = world.path("out");
    for stashed in asks(&laptop, &["stash", "list"])["stash"].as_array().expect("a list") {
        let id = stashed["id"].as_str().expect("an id");
        asks(&laptop, &["stash", "restore", id, "--output", text(&output)]);
    }
    laptop.runs(&["remove", "notes", "--discard"]).exits(0);
    assert_eq!(fs::read_to_string(output.join("c.md")).expect("it is there"), QUEUED);
    assert_eq!((laptop.reads("b.md"), laptop.reads("c.md")), (HERE.to_owned(), QUEUED.to_owned()));
}
