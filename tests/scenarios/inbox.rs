//! What others did, told to each reader from where it stopped.

use std::process::Stdio;

use serde_json::Value;

use crate::support::{Machine, World};

fn commits(inbox: &Value) -> Vec<u64> {
    let events = inbox["events"].as_array().expect("events");
    events.iter().map(|event| event["seq"].as_u64().expect("a number")).collect()
}

fn reads(machine: &Machine, reader: &str) -> Vec<u64> {
    commits(&machine.asks(&["inbox", "--reader", reader]))
}

#[track_caller]
fn pushes(machine: &Machine, path: &str, content: &str) -> u64 {
    machine.writes(path, content);
    machine.asks(&["push"])["commit"].as_u64().expect("a commit")
}

/// Both know of all that was before.
fn two(world: &World) -> (Machine, Machine) {
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let desktop = world.next_machine("desktop");
    for machine in [&laptop, &desktop] {
        machine.runs(&["inbox"]).exits(0);
        machine.runs(&["inbox", "--reader", "bot"]).exits(0);
    }
    (laptop, desktop)
}

#[test]
fn each_reader_hears_of_others_commits_once() {
    let world = World::new();
    let (laptop, desktop) = two(&world);
    let own = pushes(&laptop, "a.md", "mine\n");
    let seq = pushes(&desktop, "b.md", "tea\n");

    let peeked = laptop.asks(&["inbox", "--peek"]);
    assert_eq!((commits(&peeked), &peeked["unread"]), (vec![seq], &Value::from(0)));
    assert_eq!(peeked["events"][0]["machine"], "desktop");
    assert_eq!(peeked["reader"], "person");
    let text = laptop.runs(&["inbox"]).exits(0).stdout;
    assert!(text.contains("tester on desktop") && text.contains("A b.md"), "{text}");
    assert_eq!(reads(&laptop, "person"), Vec::<u64>::new());
    assert_eq!(reads(&laptop, "bot"), [seq]);
    assert_eq!(reads(&desktop, "person"), [own]);
    assert_eq!(laptop.runs(&["inbox"]).exits(0).stdout, "nothing new\n");
}

#[test]
fn every_project_is_told_of_at_once() {
    let world = World::new();
    let (laptop, desktop) = two(&world);
    let seq = pushes(&desktop, "b.md", "tea\n");

    let all = laptop.asks(&["inbox", "--all"]);

    assert_eq!(commits(&all["projects"][0]), [seq]);
    assert_eq!(all["projects"][0]["project"], "notes");
    assert!(all["projects"][0]["error"].is_null());
    assert_eq!(reads(&laptop, "person"), Vec::<u64>::new());
}

/// Killed with an answer on its way: it was not shown, and it is told again.
#[test]
fn what_nobody_could_read_is_told_again() {
    let world = World::new();
    let (laptop, desktop) = two(&world);
    let seq = pushes(&desktop, "b.md", "tea\n");
    laptop.runs(&["pull"]).exits(0);

    let mut deaf = laptop.mirrorctl(&["inbox", "--json"]);
    let (read, written) = std::io::pipe().expect("a pipe");
    drop(read);
    let ended = deaf.stdout(written).stderr(Stdio::null()).status().expect("it runs");
    assert!(ended.success());
    drop(deaf);
    laptop.loses_daemon();
    assert_eq!(reads(&laptop, "person"), [seq]);
    laptop.loses_daemon();
    assert_eq!(reads(&laptop, "person"), Vec::<u64>::new());
}

#[test]
fn reader_with_a_name_that_is_none_is_refused() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    for name in ["", "a b", "../a"] {
        let error = laptop.fails(2, &["inbox", "--reader", name]);
        assert_eq!(error["class"], "usage", "{name:?}");
    }
}
