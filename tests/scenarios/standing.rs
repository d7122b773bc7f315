//! What is said of a project whose backend, folder or log is not as it should be:
//! never that all is well, always what is wrong and how old the answer is.

use std::fs;

use serde_json::Value;

use super::errors::message_has;
use crate::support::{Machine, World, same_trees, text};

fn story() -> (World, Machine) {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    laptop.writes("a.md", "a, better\n");
    laptop.runs(&["push"]).exits(0);
    (world, laptop)
}

/// What `status` says, with the error that it has to tell of.
#[track_caller]
pub(super) fn wrong(machine: &Machine, class: &str) -> (Value, Value) {
    let status = machine.asks(&["--project", "notes", "status"]);
    let error = status["error"].clone();
    assert_eq!(error["class"], class, "{status:#}");
    for key in ["message", "hint"] {
        assert!(error[key].is_string(), "no {key}: {error:#}");
    }
    (status, error)
}

/// No sentence for people says that this is how things are now.
#[track_caller]
pub(super) fn people_are_told(machine: &Machine, words: &[&str]) {
    for command in [&["status"][..], &["status", "--short"], &["status", "--skipped"]] {
        let command = [&["--project", "notes"], command].concat();
        let told = machine.runs(&command).exits(0);
        let told = format!("{}{}", told.stdout, told.stderr);
        for word in words {
            assert!(told.contains(word), "{command:?} does not say {word:?}: {told}");
        }
        assert!(!told.contains("the head"), "{command:?} calls something the head: {told}");
    }
}

#[test]
fn empty_mount_point_is_no_all_clear() {
    let (world, laptop) = story();
    let seen = laptop.asks(&["status"])["checked_at"].clone();
    fs::rename(world.backend(), world.path("unmounted")).expect("the disk goes");
    world.folder("backend");

    let (status, error) = wrong(&laptop, "transient");

    message_has(&error, &["nothing of the project", text(&world.backend()), "mounted"]);
    assert_eq!(error["backend"], "primary");
    assert_eq!((&status["head"], &status["offline"]), (&3.into(), &true.into()));
    assert_eq!((&status["state"], &status["checked_at"]), (&"idle".into(), &seen));
    assert_eq!(status["summary"]["in_sync"], 1);
    people_are_told(&laptop, &["mounted", "hint:"]);
    for command in [&["projects"][..], &["daemon", "status"]] {
        let listed = laptop.asks(command);
        message_has(&listed["projects"][0]["error"], &["mounted"]);
        assert!(laptop.runs(command).exits(0).stdout.contains("mounted"), "{command:?}");
    }
    let conflicts = laptop.asks(&["conflict", "list"]);
    message_has(&conflicts["error"], &["mounted"]);

    fs::remove_dir(world.backend()).expect("the mount point is empty");
    fs::rename(world.path("unmounted"), world.backend()).expect("the disk is back");
    let status = laptop.asks(&["status"]);
    assert_eq!((&status["error"], &status["offline"]), (&Value::Null, &false.into()));
    assert_eq!(laptop.asks(&["projects"])["projects"][0]["error"], Value::Null);
}

#[test]
fn server_that_was_rolled_back_stops_the_project_and_its_head_stays_known() {
    let (world, laptop) = story();
    let seen = laptop.asks(&["status"])["checked_at"].clone();
    let newest = fs::read(world.entry(3)).expect("the newest entry");
    fs::remove_file(world.entry(3)).expect("an older backup has it not");
    laptop.writes("new.md", "edit\n");

    for is_restarted in [false, true] {
        if is_restarted {
            laptop.loses_daemon();
        }
        let (status, error) = wrong(&laptop, "stopped");
        message_has(&error, &["entry 3", "mirrorctl reload"]);
        assert_eq!((&status["state"], &status["head"]), (&"stopped".into(), &3.into()));
        assert_eq!((&status["offline"], &status["checked_at"]), (&true.into(), &seen));
        assert_eq!(
            (&status["files_known"], &status["files"][0]["status"]),
            (&true.into(), &"new_local".into())
        );
        people_are_told(&laptop, &["entry 3", "mirrorctl reload"]);
        let skipped = laptop.runs(&["status", "--skipped"]);
        assert!(!skipped.stdout.contains("nothing is skipped"), "{}", skipped.stdout);
        let error = laptop.fails(1, &["sync"]);
        message_has(&error, &["mirrorctl reload"]);
        message_has(&laptop.asks(&["projects"])["projects"][0]["error"], &["entry 3"]);
    }

    world.plants_entry(3, newest);
    laptop.runs(&["reload"]).exits(0);
    assert_eq!(laptop.asks(&["status"])["error"], Value::Null);
    laptop.syncs();
    same_trees(&laptop.tree().without_modes(), &world.view().without_modes());
}

#[test]
fn head_that_is_another_one_is_seen_by_status() {
    let (world, laptop) = story();
    let newest = fs::read_to_string(world.entry(3)).expect("the newest entry");
    let other = newest.replace("\"tester\"", "\"somebody\"");
    assert_ne!(newest, other);
    fs::remove_file(world.entry(3)).expect("an entry");
    world.plants_entry(3, other);

    let (status, error) = wrong(&laptop, "stopped");

    message_has(&error, &["entry 3"]);
    assert_eq!(status["head"], 3);
}

#[test]
fn missing_project_folder_is_told_and_not_failed_on() {
    let (world, laptop) = story();
    fs::rename(laptop.root(), world.path("moved")).expect("the folder moves away");

    let (status, error) = wrong(&laptop, "consent");

    message_has(&error, &[text(&laptop.root()), "mount or restore", "config set root"]);
    assert_eq!((&status["files"], &status["files_known"]), (&Value::Array(vec![]), &false.into()));
    assert_eq!((&status["head"], &status["offline"]), (&3.into(), &false.into()));
    let told = laptop.runs(&["--project", "notes", "status"]).exits(0);
    assert!(told.stdout.contains("is missing") && !told.stdout.contains("in sync"), "{told:?}");
    let told = laptop.runs(&["--project", "notes", "status", "--skipped"]).exits(0);
    assert!(!told.stdout.contains("nothing is skipped"), "{told:?}");
}

#[test]
fn folder_that_moved_is_known_again_once_it_is_told_where() {
    let (world, laptop) = story();
    laptop.writes("a.md", "edited before it moved\n");
    let (old, moved) = (laptop.root(), world.path("moved"));
    fs::rename(&old, &moved).expect("the folder moves away");
    let (_, error) = wrong(&laptop, "consent");
    let hint = error["hint"].as_str().expect("a hint");
    assert!(hint.contains("`mirrorctl --project \"notes\" config set root DIR`"), "{hint}");

    laptop.asks(&["--project", "notes", "config", "set", "root", text(&moved)]);

    let status = laptop.asks(&["--project", "notes", "status"]);
    assert_eq!((&status["root"], &status["error"]), (&text(&moved).into(), &Value::Null));
    assert_eq!(status["summary"]["deleted_local"], 0, "{status:#}");
    laptop.tries(&["--project", "notes", "sync", "--no-prompt"]).exits(3);
    laptop.asks(&["--project", "notes", "conflict", "take", "a.md", "here"]);
    assert_eq!(fs::read(moved.join("a.md")).expect("it stays"), b"edited before it moved\n");
    laptop.runs(&["--project", "notes", "sync"]).exits(0);
    assert!(!old.exists(), "the old folder was made anew");
}

#[test]
fn project_whose_file_is_wrong_says_what_to_do() {
    let (_world, laptop) = story();
    let file = laptop.home().join("config/projects/notes.toml");
    let good = fs::read_to_string(&file).expect("the project's file");
    laptop.loses_daemon();
    fs::write(&file, format!("pol_interval = 5\n{good}")).expect("a mistake");

    let (status, error) = wrong(&laptop, "usage");

    message_has(&error, &["pol_interval", "poll_interval"]);
    assert_eq!((&status["state"], &status["files_known"]), (&"stopped".into(), &false.into()));
}

#[test]
fn left_over_project_that_can_not_be_read_is_named_with_what_is_wrong() {
    let (world, laptop) = story();
    laptop.loses_daemon();
    fs::remove_file(laptop.home().join("config/projects/notes.toml")).expect("its file");
    let data = laptop.home().join("data/projects/notes");
    fs::create_dir_all(&data).expect("its data");
    fs::remove_dir_all(data.join("stash")).ok();
    fs::write(data.join("stash"), "no folder").expect("what can't be looked at");

    let listed = laptop.asks(&["projects"]);

    let left = &listed["left_over"][0];
    assert_eq!((&left["name"], left["error"]["message"].is_string()), (&"notes".into(), true));
    assert!(left["error"]["hint"].is_string(), "{left:#}");
    let told = laptop.runs(&["projects"]).exits(0).stdout;
    assert!(told.contains("notes is not mirrored any more"), "{told}");
    let stash = laptop.tries(&["stash", "list", "--all"]).exits(1).result();
    assert_eq!(stash["projects"][0]["project"], "notes");
    assert!(stash["projects"][0]["error"]["hint"].is_string(), "{stash:#}");
    drop(world);
}
