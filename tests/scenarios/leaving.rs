//! Taking a project off a machine: what may stand nowhere else goes only when a
//! person says so.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::errors::message_has;
use crate::support::{Machine, World, files_below, text};

fn data_of(machine: &Machine, name: &str) -> PathBuf {
    machine.home().join("data/projects").join(name)
}

/// A machine with one stashed version and one queued push of two files, whose
/// backend is away.
fn with_something_kept(world: &World) -> Machine {
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("b.md", "b\n")]);
    laptop.writes("a.md", "never pushed\n");
    laptop.runs(&["restore", "a.md"]).exits(0);
    fs::rename(world.backend(), world.path("unmounted")).expect("the backend can go away");
    laptop.writes("b.md", "queued\n");
    laptop.writes("c.md", "queued too\n");
    laptop.tries(&["push"]).exits(4);
    laptop
}

fn mount(world: &World) {
    fs::rename(world.path("unmounted"), world.backend()).expect("the backend can come back");
}

fn stash_of(machine: &Machine, words: &[&str]) -> Vec<Value> {
    machine.asks(words)["stash"].as_array().expect("a list").clone()
}

#[track_caller]
fn is_refused(error: &Value) {
    assert_eq!(error["class"], "consent", "{error}");
    message_has(error, &["1 push waits", "1 stashed version", "--discard"]);
}

#[test]
fn removal_is_refused_while_anything_is_kept_and_names_what_it_drops() {
    let world = World::new();
    let laptop = with_something_kept(&world);
    let stashed = stash_of(&laptop, &["stash", "list"]);

    is_refused(&laptop.fails(1, &["remove", "notes"]));

    assert_eq!(stash_of(&laptop, &["stash", "list"]), stashed);
    assert_eq!(laptop.asks(&["queue", "list"])["queue"].as_array().map(Vec::len), Some(1));
    let removed = laptop.asks(&["remove", "notes", "--discard"]);
    assert_eq!(removed["done"], true);
    let dropped = &removed["discarded"];
    assert_eq!(dropped["stash"], json!(stashed));
    let files: Vec<_> = dropped["queue"][0]["files"].as_array().expect("files").iter().collect();
    let paths: Vec<_> = files.iter().map(|file| file["path"].as_str()).collect();
    assert_eq!(paths, [Some("b.md"), Some("c.md")]);
    assert!(!data_of(&laptop, "notes").exists());
    assert_eq!(laptop.reads("c.md"), "queued too\n");
}

#[test]
fn pending_conflict_keeps_its_project() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let desktop = world.next_machine("desktop");
    laptop.writes("a.md", "laptop's\n");
    laptop.runs(&["push"]).exits(0);
    desktop.writes("a.md", "desktop's\n");
    desktop.runs(&["sync", "--no-prompt"]).exits(3);

    let error = desktop.fails(1, &["remove", "notes"]);

    message_has(&error, &["1 conflict"]);
    desktop.runs(&["conflict", "take", "a.md", "local"]).exits(0);
    desktop.runs(&["remove", "notes"]).exits(0);
}

#[test]
fn project_that_can_not_be_opened_keeps_what_it_has_all_the_same() {
    let world = World::new();
    let laptop = with_something_kept(&world);
    let file = laptop.home().join("config/projects/notes.toml");
    fs::write(&file, "root = 3\n").expect("a broken file");
    laptop.loses_daemon();

    is_refused(&laptop.fails(1, &["remove", "notes"]));

    let kept = laptop.asks(&["stash", "list", "--all"])["projects"][0]["stash"].clone();
    assert_eq!(kept[0]["path"], "a.md");
}

#[test]
fn what_a_project_left_whose_file_is_gone_is_found_and_goes_to_nobody_else() {
    let world = World::new();
    let laptop = with_something_kept(&world);
    mount(&world);
    fs::remove_file(laptop.home().join("config/projects/notes.toml")).expect("removed by hand");
    laptop.runs(&["reload"]).exits(0);

    let projects = laptop.asks(&["projects"]);
    assert_eq!(projects["projects"], json!([]));
    assert_eq!(projects["left_over"][0]["name"], "notes");
    let listed = laptop.asks(&["stash", "list", "--all"])["projects"].clone();
    let id = listed[0]["stash"][0]["id"].as_str().expect("an id").to_owned();
    let shown = laptop.runs(&["--project", "notes", "stash", "show", &id]).exits(0);
    assert_eq!(shown.stdout, "never pushed\n");
    is_refused(&laptop.fails(1, &["remove", "notes"]));

    // Another project by this name gets none of it, and a queued push least of all.
    let (other, elsewhere) = (world.folder("other"), world.path("elsewhere"));
    let init = ["init", text(&other), "--to", text(&elsewhere), "--name", "notes"];
    let error = laptop.fails(1, &init);
    message_has(&error, &["earlier project", "1 push waits", "--name"]);
    assert!(data_of(&laptop, "notes").join("stash").join(&id).exists());

    // The same one has it again.
    laptop.runs(&["init", text(&laptop.root()), "--to", &world.url(), "--join"]).exits(0);
    laptop.runs(&["sync"]).exits(0);
    assert_eq!(stash_of(&laptop, &["stash", "list"])[0]["id"], json!(id));
    let desktop = world.next_machine("desktop");
    assert_eq!(desktop.reads("b.md"), "queued\n");
}

#[test]
fn left_over_copy_of_another_log_is_in_nobodys_way() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    fs::remove_file(laptop.home().join("config/projects/notes.toml")).expect("removed by hand");
    laptop.runs(&["reload"]).exits(0);
    let (other, elsewhere) = (world.folder("other"), world.path("elsewhere"));
    fs::write(other.join("x.md"), "x\n").expect("a file");

    let init = ["init", text(&other), "--to", text(&elsewhere), "--name", "notes"];
    laptop.runs(&init).exits(0);

    laptop.runs(&["--project", "notes", "push"]).exits(0);
    assert_eq!(fs::read_to_string(elsewhere.join("x.md")).expect("pushed"), "x\n");
}

#[test]
fn backend_of_a_quickstart_stays_whatever_is_removed() {
    let world = World::new();
    let laptop = world.machine("laptop");
    laptop.writes("mine.md", "mine\n");
    laptop.runs(&["quickstart", text(&laptop.root())]).exits(0);
    let backend = laptop.home().join("data/quickstart/notes");

    laptop.runs(&["remove", "notes", "--discard"]).exits(0);

    assert_eq!(fs::read_to_string(backend.join("mine.md")).expect("it stays"), "mine\n");
    laptop.runs(&["quickstart", text(&laptop.root())]).exits(0);
    assert_eq!(laptop.status_of("mine.md")["status"], "in_sync");
}

#[test]
fn dropped_pushes_go_to_the_stash_and_are_not_sent() {
    let world = World::new();
    let laptop = with_something_kept(&world);
    laptop.writes("b.md", "queued, second\n");
    laptop.tries(&["push"]).exits(4);
    let queue = laptop.asks(&["queue", "list"])["queue"].as_array().expect("a list").clone();
    assert_eq!(queue.len(), 2, "{queue:?}");
    assert_eq!(queue[0]["kind"], "push");
    assert!(queue[0]["next_at"].is_string() && queue[0]["error"]["class"].is_string());
    let first = queue[0]["id"].as_str().expect("an id");
    assert_eq!(laptop.fails(1, &["queue", "drop", "7ZZ"])["class"], "not_found");

    let dropped = laptop.asks(&["queue", "drop", first]);

    let stashed: Vec<_> = dropped["stash"].as_array().expect("a list").iter().collect();
    let paths: Vec<_> = stashed.iter().map(|kept| kept["path"].as_str()).collect();
    assert_eq!(paths, [Some("b.md"), Some("c.md")]);
    let id = stashed[0]["id"].as_str().expect("an id");
    assert_eq!(laptop.runs(&["stash", "show", id]).exits(0).stdout, "queued\n");
    // What was made on it goes out by itself.
    mount(&world);
    let head = world.head();
    laptop.runs(&["push", "b.md"]).exits(0);
    assert_eq!(world.head(), head + 1, "one push was left");
    let sent = fs::read_to_string(world.backend().join("b.md")).expect("it was sent");
    assert_eq!(sent, "queued, second\n");
    assert_eq!(laptop.status_of("c.md")["status"], "new_local");
}

#[test]
fn dropping_all_leaves_the_folder_as_it_is() {
    let world = World::new();
    let laptop = with_something_kept(&world);
    let (files, head) = (laptop.tree(), Path::new("_mirror"));
    assert!(!world.backend().join(head).exists());

    let told = laptop.runs(&["queue", "drop", "--all"]).exits(0);

    assert!(told.stdout.contains("in the stash"), "{told:?}");
    assert_eq!(laptop.asks(&["queue", "list"])["queue"], json!([]));
    assert_eq!(laptop.runs(&["queue", "drop", "--all"]).exits(0).stdout, "nothing waited\n");
    mount(&world);
    laptop.runs(&["pull"]).exits(0);
    crate::support::same_trees(&files, &laptop.tree());
    assert_eq!(laptop.status_of("b.md")["status"], "local_ahead");
}

/// Every file below the data of the project, by its name there.
fn kept(machine: &Machine) -> BTreeSet<String> {
    let data = data_of(machine, "notes");
    let below = |path: PathBuf| path.strip_prefix(&data).map(text).map(str::to_owned);
    files_below(&data).into_iter().filter_map(|path| below(path).ok()).collect()
}

/// What a command took away, by the folder in which it stood.
#[track_caller]
fn takes_from(machine: &Machine, code: i32, words: &[&str]) -> BTreeSet<String> {
    let before = kept(machine);
    machine.tries(words).exits(code);
    let gone: BTreeSet<String> = before.difference(&kept(machine)).cloned().collect();
    gone.iter().filter_map(|name| Some(name.split_once('/')?.0.to_owned())).collect()
}

#[test]
fn nothing_but_what_a_command_says_goes_from_the_data() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("b.md", "b\n")]);
    let desktop = world.next_machine("desktop");
    desktop.writes("b.md", "desktop's\n");
    desktop.runs(&["push"]).exits(0);
    laptop.writes("b.md", "laptop's\n");
    laptop.runs(&["sync", "--no-prompt"]).exits(3);
    laptop.writes("a.md", "never pushed\n");
    laptop.runs(&["restore", "a.md"]).exits(0);
    fs::rename(world.backend(), world.path("unmounted")).expect("the backend can go away");
    laptop.writes("c.md", "queued\n");
    laptop.tries(&["push", "c.md"]).exits(4);
    let folders = ["conflicts", "log", "notices", "queue", "stash"];
    let all = kept(&laptop);
    for folder in folders {
        assert!(all.iter().any(|name| name.starts_with(folder)), "nothing in {folder}: {all:?}");
    }

    let nothing = BTreeSet::new();
    let harmless: [(i32, &[&str]); 10] = [
        (0, &["status", "--offline"]),
        (1, &["pull"]),
        (1, &["remove", "notes"]),
        (0, &["stash", "list"]),
        (0, &["queue", "list"]),
        (0, &["conflict", "list"]),
        (0, &["config", "set", "poll_interval", "600"]),
        (0, &["reload"]),
        (0, &["daemon", "stop"]),
        (0, &["status", "--offline"]),
    ];
    for (code, words) in harmless {
        assert_eq!(takes_from(&laptop, code, words), nothing, "{words:?}");
    }
    let of = |folder: &str| BTreeSet::from([folder.to_owned()]);
    assert_eq!(takes_from(&laptop, 0, &["queue", "drop", "--all"]), of("queue"));
    mount(&world);
    assert_eq!(takes_from(&laptop, 0, &["conflict", "take", "b.md", "local"]), of("conflicts"));
    laptop.syncs();
    fs::remove_dir_all(laptop.home().join("cache")).expect("the cache may go");
    assert_eq!(takes_from(&laptop, 0, &["sync"]), nothing);
    assert_eq!(stash_of(&laptop, &["stash", "list"]).len(), 2);
}
