//! Pushes while the backend is away: kept, shown, and sent when it is back.

use std::fs;

use mirror_core::Digest;
use serde_json::Value;

use super::errors::message_has;
use crate::support::{Machine, World, eventually, same_trees};

/// The backend's disk is unmounted, or mounted again.
fn unmount(world: &World) {
    fs::rename(world.backend(), world.path("unmounted")).expect("the backend can go away");
}

fn mount(world: &World) {
    fs::rename(world.path("unmounted"), world.backend()).expect("the backend can come back");
}

#[track_caller]
fn queues(machine: &Machine) {
    let pushed = machine.tries(&["push"]).exits(4).result();
    assert_eq!(pushed["queued"], true, "{pushed}");
    assert!(pushed["commit"].is_null(), "{pushed}");
}

fn queue(machine: &Machine) -> Vec<Value> {
    let status = machine.asks(&["status", "--offline"]);
    status["queue"].as_array().expect("a list").clone()
}

/// The content of `a.md` in each commit that changed it, oldest first.
fn versions(machine: &Machine) -> Vec<String> {
    let history = machine.asks(&["history", "a.md"]);
    let versions = history["versions"].as_array().expect("a list");
    let digest = |version: &Value| version["sha256"].as_str().expect("a digest").to_owned();
    versions.iter().rev().map(digest).collect()
}

fn digests(contents: &[&str]) -> Vec<String> {
    contents.iter().map(|content| Digest::of(content.as_bytes()).to_string()).collect()
}

#[test]
fn queued_push_survives_a_kill_and_goes_out_before_the_next_push() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "milk\n"), ("b.md", "b\n")]);
    unmount(&world);
    laptop.writes("a.md", "bread\n");
    queues(&laptop);
    laptop.writes("a.md", "jam\n");
    laptop.loses_daemon();

    let waiting = queue(&laptop);
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert_eq!(waiting[0]["kind"], "push");
    assert_eq!(laptop.status_of("a.md")["status"], "local_ahead");
    mount(&world);
    laptop.runs(&["push"]).exits(0);

    assert_eq!(versions(&laptop), digests(&["milk\n", "bread\n", "jam\n"]));
    assert_eq!(queue(&laptop), [] as [Value; 0]);
    let desktop = world.next_machine("desktop");
    assert_eq!(desktop.reads("a.md"), "jam\n");
}

#[test]
fn daemon_sends_what_is_queued_by_itself_once_the_backend_is_back() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "milk\n"), ("b.md", "b\n")]);
    laptop.runs(&["config", "set", "poll_interval", "2s"]).exits(0);
    let head = world.head();
    unmount(&world);
    laptop.writes("a.md", "bread\n");
    queues(&laptop);
    queues(&laptop);
    laptop.writes("a.md", "jam\n");
    mount(&world);

    eventually("the daemon's round has sent it", || world.head() > head);
    eventually("nothing waits", || queue(&laptop).is_empty());

    assert_eq!(versions(&laptop), digests(&["milk\n", "bread\n"]));
    assert_eq!(laptop.reads("a.md"), "jam\n");
    assert_eq!(laptop.status_of("a.md")["status"], "local_ahead");
    laptop.runs(&["push"]).exits(0);
    assert_eq!(versions(&laptop), digests(&["milk\n", "bread\n", "jam\n"]));
}

#[test]
fn daemon_that_starts_sends_what_is_queued_though_nobody_asks_it_anything() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "milk\n")]);
    laptop.runs(&["config", "set", "poll_interval", "2s"]).exits(0);
    let head = world.head();
    unmount(&world);
    laptop.writes("a.md", "bread\n");
    queues(&laptop);
    laptop.runs(&["daemon", "stop"]).exits(0);
    mount(&world);

    laptop.runs(&["daemon", "start"]).exits(0);

    eventually("it has sent it", || world.head() > head);
}

#[test]
fn edits_of_two_machines_are_both_there_after_one_was_queued() {
    let world = World::new();
    let base = "one\ntwo\nthree\nfour\nfive\n";
    let laptop = world.first_machine("laptop", &[("a.md", base)]);
    let desktop = world.next_machine("desktop");
    unmount(&world);
    laptop.writes("a.md", base.replace("one", "ONE"));
    queues(&laptop);
    mount(&world);
    desktop.writes("a.md", base.replace("five", "FIVE"));
    desktop.runs(&["push"]).exits(0);

    laptop.syncs();
    desktop.syncs();

    let both = base.replace("one", "ONE").replace("five", "FIVE");
    assert_eq!((laptop.reads("a.md"), desktop.reads("a.md")), (both.clone(), both));
}

#[test]
fn nothing_to_queue_is_an_error_as_before() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "milk\n")]);
    unmount(&world);
    assert_eq!(laptop.fails(1, &["push"])["class"], "transient");
    laptop.writes("a.md", "bread\n");
    assert_eq!(laptop.fails(1, &["pull"])["class"], "transient");
    assert_eq!(queue(&laptop), [] as [Value; 0]);
    mount(&world);
    laptop.syncs();
}

#[test]
fn push_to_a_backend_that_is_away_is_queued_and_goes_out_by_itself() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let (head, away) = (laptop.head(), world.path("away"));
    fs::rename(world.backend(), &away).expect("the backend moves away");
    laptop.writes("a.md", "a, better\n");

    let pushed = laptop.tries(&["push"]).exits(4).result();

    assert_eq!((&pushed["queued"], &pushed["commit"]), (&Value::Bool(true), &Value::Null));
    let waiting = queue(&laptop);
    assert_eq!(
        (&waiting[0]["kind"], &waiting[0]["error"]["class"]),
        (&"push".into(), &"transient".into())
    );
    assert!(!world.backend().exists(), "the backend was made anew");
    // It survives a restart, and the working tree goes on changing meanwhile.
    laptop.loses_daemon();
    laptop.writes("a.md", "a, even better\n");
    assert_eq!(queue(&laptop).len(), 1);
    fs::rename(&away, world.backend()).expect("the backend comes back");
    eventually("the queued push is out", || queue(&laptop).is_empty());
    assert_eq!(laptop.head(), head + 1);
    assert_eq!(fs::read_to_string(world.backend().join("a.md")).expect("the view"), "a, better\n");
    assert_eq!(laptop.reads("a.md"), "a, even better\n");
    laptop.runs(&["push"]).exits(0);
    same_trees(&laptop.tree(), &world.view());
}

#[test]
fn queued_push_is_said_with_what_it_waits_for() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    fs::rename(world.backend(), world.path("away")).expect("the backend moves away");
    laptop.writes("a.md", "a, better\n");

    let pushed = laptop.runs(&["push"]).exits(4);

    assert!(pushed.stdout.contains("push queued to primary"), "{pushed:?}");
    assert!(pushed.stdout.contains("missing or not mounted"), "{pushed:?}");
}

#[test]
fn empty_mount_point_is_no_fork_and_work_goes_on_when_the_disk_is_back() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let disk = world.path("disk");
    fs::rename(world.backend(), &disk).expect("the disk goes away");
    fs::create_dir(world.backend()).expect("its mount point stays");
    laptop.writes("b.md", "b\n");

    for command in ["push", "sync"] {
        let pushed = laptop.tries(&[command]).exits(4).result();
        assert_eq!(pushed["queued"], true, "{command}: {pushed}");
    }
    let error = laptop.fails(1, &["pull"]);
    assert_eq!(error["class"], "transient", "{error}");
    message_has(&error, &["mounted"]);
    message_has(&queue(&laptop)[0]["error"], &["mounted"]);

    assert_eq!(world.view().len(), 0, "the mount point got a view");
    fs::remove_dir_all(world.backend()).expect("the mount point");
    fs::rename(&disk, world.backend()).expect("the disk is back");
    laptop.runs(&["push"]).exits(0);
    same_trees(&laptop.tree(), &world.view());
}
