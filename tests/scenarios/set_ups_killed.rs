//! `init`, `clone` and `quickstart` whose daemon is killed at every step: the
//! next start repairs what is there or has nothing of it, and the same command
//! goes on.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Machine, World, same_trees, text};

/// All that stands below these folders, by path and by size.
fn steps(folders: &[PathBuf]) -> BTreeSet<(PathBuf, u64)> {
    let mut found = BTreeSet::new();
    for folder in folders {
        collect(folder, &mut found);
    }
    found
}

fn collect(folder: &Path, found: &mut BTreeSet<(PathBuf, u64)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        // A file may go while it is looked at.
        let Ok(about) = path.symlink_metadata() else { continue };
        found.insert((path.clone(), if about.is_dir() { 0 } else { about.len() }));
        if about.is_dir() {
            collect(&path, found);
        }
    }
}

/// Runs a command, and kills the daemon once so many steps of it were seen.
/// `false` when it came to its end before.
fn is_killed_after(count: usize, machine: &Machine, words: &[&str], places: &[PathBuf]) -> bool {
    machine.runs(&["daemon", "start"]).exits(0);
    let before = steps(places);
    let mut running = machine.starts(words);
    let mut seen = BTreeSet::new();
    while seen.len() < count && !running.has_ended() {
        seen.extend(steps(places).difference(&before).cloned());
    }
    let killed = !running.has_ended();
    machine.loses_daemon();
    running.ends();
    killed
}

/// A command of a new machine, killed after ever more steps until it ends first.
fn every_kill_is_repaired(set_up: impl Fn(&World, &Machine) -> Vec<String>) {
    for round in 1.. {
        let world = World::new();
        let machine = world.machine("laptop");
        let words = set_up(&world, &machine);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let home = machine.home();
        let places = [home.join("config"), home.join("data"), home.join("state"), machine.root()];
        let killed = is_killed_after(round * round, &machine, &words, &places);

        machine.runs(&["config", "check"]).exits(0);
        let again = machine.tries(&words);
        let is_done = again.code == Some(1) && again.stderr.contains("is already the project");
        assert!(is_done || again.code == Some(0), "after {round}: {again:#?}");
        machine.runs(&["--project", "notes", "sync"]).exits(0);
        let listed = machine.asks(&["projects"])["projects"].clone();
        assert_eq!(listed[0]["state"], "idle", "after {round}: {listed}");
        assert_eq!(listed.as_array().map(Vec::len), Some(1));
        if let Some(at) = listed[0]["url"].as_str().and_then(|url| url.strip_prefix("folder:")) {
            let view = crate::support::Tree::read_but(Path::new(at), &["_mirror"]);
            same_trees(&machine.tree(), &view);
        }
        let left = fs::read_dir(home.join("config/projects")).expect("listed").count();
        assert_eq!(left, 1, "a half-written file stays");
        if !killed {
            return;
        }
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn every_kill_of_an_init_is_repaired() {
    every_kill_is_repaired(|_, laptop| {
        laptop.writes("a.md", "a\n");
        owned(&laptop.words_of_init(&laptop.root()))
    });
}

#[test]
fn every_kill_of_a_clone_is_repaired() {
    every_kill_is_repaired(|world, laptop| {
        let files: Vec<_> = (0..9).map(|number| (format!("{number}.md"), "x\n")).collect();
        let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
        drop(world.first_machine("desktop", &files));
        owned(&laptop.words_of_clone(&laptop.root()))
    });
}

#[test]
fn every_kill_of_a_quickstart_is_repaired() {
    every_kill_is_repaired(|_, laptop| {
        laptop.writes("a.md", "a\n");
        owned(&["quickstart", text(&laptop.root())])
    });
}

#[test]
fn file_that_an_editor_was_writing_is_read_once_it_is_whole() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let file = laptop.home().join("config/projects/notes.toml");
    let whole = fs::read_to_string(&file).expect("settings");
    laptop.loses_daemon();
    fs::write(&file, &whole[..whole.len() / 2]).expect("half of it");
    laptop.fails(2, &["push"]);

    fs::write(&file, whole).expect("all of it");

    laptop.runs(&["push"]).exits(0);
}
