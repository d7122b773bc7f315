//! What happens in a project, told to whoever looks on.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Machine, World, eventually, processes};

/// A `watch --json` in the background, which ends with this.
struct Watcher {
    process: std::process::Child,
    told: PathBuf,
}

impl Watcher {
    fn of(world: &World, machine: &Machine) -> Self {
        let told = world.path("told.json");
        let mut command = machine.mirrorctl(&["watch", "--json"]);
        command.stdout(File::create(&told).expect("made")).stderr(Stdio::null());
        let process = command.spawn().expect("it starts");
        let watcher = Self { process, told };
        watcher.hears("how it stands", |event| event["state"] == "idle");
        watcher
    }

    fn events(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.told).expect("read");
        let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let document = |line: &str| serde_json::from_str::<Value>(line).expect("one document");
        whole.map(|line| document(line)["result"].take()).collect()
    }

    #[track_caller]
    fn hears(&self, what: &str, is_it: impl Fn(&Value) -> bool) {
        eventually(what, || self.events().iter().any(&is_it));
    }

    fn commits(&self) -> Vec<u64> {
        self.events().iter().filter_map(|event| event["entry"]["seq"].as_u64()).collect()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn pushes(machine: &Machine, path: &str, content: &str) {
    machine.writes(path, content);
    machine.runs(&["push"]).exits(0);
}

#[test]
fn each_event_is_told_once_whatever_becomes_of_the_daemon() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let desktop = world.next_machine("desktop");
    let head = laptop.head();
    let mut watcher = Watcher::of(&world, &laptop);

    pushes(&desktop, "b.md", "b\n");
    watcher.hears("the commit of another machine", |event| event["entry"]["machine"] == "desktop");
    laptop.loses_daemon();
    pushes(&desktop, "a.md", "a, better\n");
    pushes(&desktop, "c.md", "c\n");
    laptop.writes("a.md", "a, otherwise\n");
    laptop.runs(&["sync", "--no-prompt"]).exits(3);
    let is_conflict = |event: &Value| event["event"] == "conflict" && event["path"] == "a.md";
    watcher.hears("the conflict", |event| is_conflict(event) && event["over"] == false);
    laptop.runs(&["conflict", "take", "a.md", "local"]).exits(0);
    watcher.hears("its end", |event| is_conflict(event) && event["over"] == true);
    eventually("the commit that settles it", || watcher.commits().len() == 4);
    assert_eq!(watcher.commits(), (head + 1..=head + 4).collect::<Vec<_>>());

    let pid = i32::try_from(watcher.process.id()).expect("a pid");
    processes::send(pid, Signal::INT);
    assert_eq!(watcher.process.wait().expect("it ends").code(), Some(130));
}

#[test]
fn one_look_tells_what_is_new_and_what_waits() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let desktop = world.next_machine("desktop");
    laptop.runs(&["watch", "--once"]).exits(0);
    assert_eq!(laptop.runs(&["watch", "--once"]).exits(0).stdout, "nothing new\n");

    pushes(&desktop, "b\u{202e}.md", "b\n");
    let line = laptop.runs(&["watch-all", "--once", "--format", "line"]).exits(0).stdout;
    assert!(line.contains("notes  #") && line.contains("b\\u{202e}.md"), "{line}");
    assert_eq!(laptop.runs(&["watch", "--once", "--quiet"]).exits(0).stdout, "");
    assert!(laptop.runs(&["watch", "--once", "--reader", "cron"]).exits(0).stdout.contains('#'));

    pushes(&desktop, "a.md", "a, better\n");
    laptop.writes("a.md", "a, otherwise\n");
    laptop.runs(&["sync", "--no-prompt"]).exits(3);
    let waits = laptop.runs(&["watch", "--once", "--quiet"]).exits(3).stdout;
    assert!(waits.contains("conflict: a.md"), "{waits}");

    fs::rename(world.backend(), world.path("away")).expect("moved");
    let away = laptop.runs(&["watch", "--once", "--format", "json"]).exits(1).stdout;
    assert!(away.contains("\"event\":\"fault\""), "{away}");
    fs::rename(world.path("away"), world.backend()).expect("moved back");
}
