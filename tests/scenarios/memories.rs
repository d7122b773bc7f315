//! What an agent remembers of a project is the same on machines where the project lies
//! on different paths.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{Machine, World, eventually};

const HOME: [&str; 2] = ["--project", "claude-home"];

fn person(machine: &Machine) -> PathBuf {
    machine.home().parent().expect("a folder around it").join("person")
}

fn write(file: &Path, content: &str) {
    fs::create_dir_all(file.parent().expect("a folder")).expect("it can be made");
    fs::write(file, content).expect("a file can be written");
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn syncs(machine: &Machine) {
    machine.runs(&[&HOME[..], &["sync"]].concat()).exits(0);
}

/// A machine with a checkout of `notes` and a mirrored home of Claude Code.
struct Desk {
    machine: Machine,
    code: PathBuf,
    /// Where Claude Code looks for its memory of the checkout.
    folder: PathBuf,
}

impl Desk {
    fn new(world: &World, name: &str, way: &str, more: &[&str]) -> Self {
        let machine = world.machine(name);
        let code = person(&machine).join(way);
        let remote = "[core]\n[remote \"origin\"]\n\turl = git@github.com:ann/notes.git\n";
        write(&code.join(".git/config"), remote);
        write(&person(&machine).join(".claude/CLAUDE.md"), "be brief\n");
        let url = world.url();
        let words = ["init", "--preset", "claude-home", "--to", &url];
        machine.runs(&[&words[..], more].concat()).exits(0);
        let real = code.canonicalize().expect("it is there");
        let slug: String = real.to_str().expect("text").chars().map(letter).collect();
        let folder = person(&machine).join(".claude/projects").join(slug).join("memory");
        Self { machine, code, folder }
    }

    fn code(&self) -> &str {
        self.code.to_str().expect("text")
    }

    fn maps(&self) -> Value {
        self.machine.asks(&["memory", "map", self.code()])
    }
}

fn letter(letter: char) -> char {
    if letter.is_ascii_alphanumeric() { letter } else { '-' }
}

fn two() -> (World, Desk, Desk) {
    let world = World::new();
    let laptop = Desk::new(&world, "laptop", "code/notes", &[]);
    let desktop = Desk::new(&world, "desktop", "work/my notes", &["--join"]);
    (world, laptop, desktop)
}

const PAGE: &str = "---\nname: build\nmetadata:\n  modified: 2026-11-30T10:00:00Z\n---\nuse make\n";

#[test]
fn memory_of_one_project_meets_on_two_machines() {
    let (world, laptop, desktop) = two();
    write(&laptop.folder.join("MEMORY.md"), "# Index\n\n- one\n");
    write(&laptop.folder.join("build.md"), PAGE);
    write(&laptop.folder.parent().expect("one").join("0b1c.jsonl"), "a transcript\n");
    let mapped = laptop.maps();
    assert_eq!(mapped["name"], "ann-notes");
    assert_eq!(mapped["folder"], laptop.folder.to_str().expect("text"));
    syncs(&laptop.machine);
    syncs(&desktop.machine);
    let shared = json!({
        "name": "ann-notes", "root": null, "folder": null, "files": 2, "state": "unmapped",
    });
    assert_eq!(desktop.machine.asks(&["memory", "list"])["memories"], json!([shared]));
    desktop.maps();
    syncs(&desktop.machine);
    assert_eq!(read(&desktop.folder.join("build.md")), PAGE);

    let index = |more: &str| format!("# Index\n\n- one\n{more}");
    let page = |day: &str, text: &str| PAGE.replace("11-30", day).replace("use make", text);
    write(&laptop.folder.join("MEMORY.md"), &index("- of the laptop\n"));
    write(&desktop.folder.join("MEMORY.md"), &index("- of the desktop\n"));
    write(&laptop.folder.join("build.md"), &page("12-01", "use make"));
    write(&desktop.folder.join("build.md"), &page("12-02", "use ninja"));
    for machine in [&laptop.machine, &desktop.machine, &laptop.machine] {
        syncs(machine);
    }

    for name in ["MEMORY.md", "build.md"] {
        assert_eq!(read(&laptop.folder.join(name)), read(&desktop.folder.join(name)), "{name}");
        assert_eq!(
            read(&world.backend().join("memory/ann-notes").join(name)),
            read(&laptop.folder.join(name))
        );
    }
    let text = read(&laptop.folder.join("MEMORY.md"));
    assert!(text.contains("of the laptop") && text.contains("of the desktop"), "{text}");
    assert!(read(&laptop.folder.join("build.md")).contains("12-02"));
    assert!(!world.view().has("projects/x") && world.view().has("CLAUDE.md"));
    assert!(!person(&desktop.machine).join(".claude/memory").exists());
    assert!(!world.backend().join("projects").exists());
}

/// Both have mapped a memory of one line, and have it.
fn two_that_share() -> (World, Desk, Desk) {
    let (world, laptop, desktop) = two();
    write(&laptop.folder.join("MEMORY.md"), "- one\n");
    laptop.maps();
    desktop.maps();
    syncs(&laptop.machine);
    syncs(&desktop.machine);
    (world, laptop, desktop)
}

#[test]
fn a_swept_folder_deletes_nothing_for_others() {
    let (world, laptop, desktop) = two_that_share();

    fs::remove_dir_all(person(&laptop.machine).join(".claude/projects")).expect("it can go");
    syncs(&laptop.machine);
    let state =
        |desk: &Desk| desk.machine.asks(&["memory", "list"])["memories"][0]["state"].clone();
    assert_eq!(state(&laptop), "missing");
    // The agent makes it anew, and writes what it knows by then.
    write(&laptop.folder.join("MEMORY.md"), "- two\n");
    laptop.machine.loses_daemon();
    syncs(&laptop.machine);
    assert_eq!(state(&laptop), "replaced");
    syncs(&desktop.machine);
    assert_eq!(read(&desktop.folder.join("MEMORY.md")), "- one\n");
    assert_eq!(read(&world.backend().join("memory/ann-notes/MEMORY.md")), "- one\n");
    assert_eq!(read(&laptop.folder.join("MEMORY.md")), "- two\n");

    laptop.maps();
    assert_eq!(state(&laptop), "mapped");
    laptop.machine.tries(&[&HOME[..], &["sync"]].concat()).exits(3);
    let conflicts = laptop.machine.asks(&[&HOME[..], &["conflict", "list"]].concat());
    assert_eq!(conflicts["conflicts"][0]["path"], "memory/ann-notes/MEMORY.md");
}

#[test]
fn what_is_unmapped_stays_everywhere() {
    let (world, laptop, desktop) = two_that_share();

    let unmapped = desktop.machine.asks(&["memory", "unmap", "ann-notes"]);
    assert_eq!(unmapped["folder"], desktop.folder.to_str().expect("text"));
    syncs(&desktop.machine);
    write(&laptop.folder.join("MEMORY.md"), "- two\n");
    syncs(&laptop.machine);
    syncs(&desktop.machine);

    assert_eq!(read(&desktop.folder.join("MEMORY.md")), "- one\n");
    assert_eq!(read(&world.backend().join("memory/ann-notes/MEMORY.md")), "- two\n");
    desktop.machine.tries(&["memory", "unmap", "ann-nots"]).exits(1);
}

#[test]
fn one_name_has_one_folder_and_one_folder_one_name() {
    let (_world, laptop, _) = two();
    let machine = &laptop.machine;
    laptop.maps();
    let second = person(machine).join("code/second");
    write(&second.join("a.md"), "a");
    let second = second.to_str().expect("text");
    machine.tries(&["memory", "map", second, "ann-notes"]).exits(1).says("autoMemoryDirectory");
    machine.tries(&["memory", "map", laptop.code(), "other"]).exits(1).says("ann-notes");
    machine.tries(&["memory", "map", second]).exits(2).says("DIR NAME");
    machine.tries(&["memory", "map", second, "../x"]).exits(2).says("begins with");
    let home = person(machine).join(".claude");
    let rules = home.join("rules");
    for folder in [&home, &rules, &person(machine)] {
        let folder = folder.to_str().expect("text");
        machine.tries(&["memory", "map", second, "other", "--folder", folder]).exits(1);
    }
    machine.runs(&["memory", "map", second, "other"]).exits(0);
    let listed = machine.asks(&["memory", "list"]);
    assert_eq!(listed["memories"].as_array().expect("a list").len(), 2);
}

#[test]
fn a_save_in_a_mapped_folder_goes_by_itself() {
    let (world, laptop, _) = two();
    laptop.maps();
    let elsewhere = person(&laptop.machine).join("elsewhere");
    let words = ["memory", "map", laptop.code(), "far", "--folder"];
    let far = elsewhere.to_str().expect("text");
    laptop.machine.runs(&["memory", "unmap", "ann-notes"]).exits(0);
    laptop.machine.runs(&[&words[..], &[far]].concat()).exits(0);
    syncs(&laptop.machine);
    laptop.machine.runs(&[&HOME[..], &["config", "set", "auto", "push"]].concat()).exits(0);
    laptop.machine.runs(&[&HOME[..], &["config", "set", "auto_quiet", "1"]].concat()).exits(0);
    laptop.machine.asks(&[&HOME[..], &["status"]].concat());

    write(&elsewhere.join("MEMORY.md"), "- one\n");

    let shown = world.backend().join("memory/far/MEMORY.md");
    eventually("the save is on the backend", || shown.exists());
    write(&elsewhere.join("MEMORY.md"), "- two\n");
    eventually("so is the next one", || fs::read_to_string(&shown).is_ok_and(|it| it == "- two\n"));
}

#[test]
fn a_file_of_a_memory_is_named_by_where_it_lies_or_by_its_shared_name() {
    let (_world, laptop, _) = two();
    write(&laptop.folder.join("MEMORY.md"), "- one\n");
    write(&laptop.folder.join("other.md"), "other\n");
    laptop.maps();
    let real = laptop.folder.join("MEMORY.md");
    let real = real.to_str().expect("text");
    let pushed = laptop.machine.asks(&[&HOME[..], &["push", real]].concat());
    assert_eq!(pushed["files"].as_array().expect("a list").len(), 1, "{pushed}");
    assert_eq!(pushed["files"][0]["path"], "memory/ann-notes/MEMORY.md");
    let shared = ["history", "memory/ann-notes/MEMORY.md"];
    laptop.machine.runs(&[&HOME[..], &shared].concat()).exits(0);
    let other = ["push", "memory/other/a.md"];
    laptop.machine.tries(&[&HOME[..], &other].concat()).exits(1);
}

#[test]
fn without_a_mirrored_home_nothing_can_be_mapped() {
    let world = World::new();
    let laptop = world.machine("laptop");
    laptop.inits();
    let root = laptop.root();
    let root = root.to_str().expect("text");
    laptop.tries(&["memory", "map", root, "notes"]).exits(1).says("claude-home");
    let named = ["--project", root, "memory", "list"];
    laptop.tries(&named).exits(2).says("claude-home");
}
