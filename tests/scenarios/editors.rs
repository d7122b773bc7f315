//! Programs save a thousand times a second while daemons push and pull the same
//! files. No saved line is lost: it stands in a tree, the history or the stash.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Machine, World, files_below, run, same_trees};

/// How long the programs work.
const WORK: Duration = Duration::from_secs(4);

/// Each saves about a thousand times a second, so many times in a row.
const PAUSE: Duration = Duration::from_micros(900);
const BURST: usize = 40;

/// How long it rests then: a file that never rests is never replaced.
const REST: Duration = Duration::from_millis(350);

/// On a busy machine it may take a while until a file is replaced at all.
const MOST_ROUNDS: usize = 500;

/// How a program saves a file, each of them a file of its own.
#[derive(Clone, Copy, Debug)]
enum Habit {
    Append,
    /// Empties the file and writes all of it again.
    Rewrite,
    /// Writes a copy beside it and renames that over it.
    Replace,
    /// Renames it to a backup and writes it anew.
    Backup,
    /// Removes it and writes it anew.
    Recreate,
}

const HABITS: [Habit; 5] =
    [Habit::Append, Habit::Rewrite, Habit::Replace, Habit::Backup, Habit::Recreate];

impl Habit {
    fn path(self) -> String {
        format!("{self:?}.md").to_lowercase()
    }

    /// Adds a line to what stands there. `false` when the file had lost its last
    /// name before the line was in it: keeping it open so long is beyond promise.
    fn adds(self, place: &Path, line: &str) -> bool {
        if let Self::Append = self {
            let file = OpenOptions::new().append(true).create(true).open(place);
            return write(&file.expect("the file opens"), line);
        }
        let text = fs::read_to_string(place).unwrap_or_default() + line;
        // Neither swap files nor backups are mirrored.
        let beside = place.with_extension("md~");
        match self {
            Self::Replace => {
                fs::write(&beside, text).expect("a new file");
                fs::rename(&beside, place).expect("a rename");
                return true;
            }
            // Gone for a moment is fine.
            Self::Backup => drop(fs::rename(place, &beside)),
            Self::Recreate => drop(fs::remove_file(place)),
            Self::Append | Self::Rewrite => {}
        }
        write(&File::create(place).expect("the file opens"), &text)
    }
}

fn write(mut file: &File, text: &str) -> bool {
    file.write_all(text.as_bytes()).expect("room for a line");
    file.metadata().expect("an open file").nlink() > 0
}

/// Tells programs to stop, also when the test fails meanwhile: the scope that
/// they run in waits for them.
struct Stops<'a>(&'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Saves in one way until told to stop; gives the lines that must be found.
fn works(machine: &Machine, habit: Habit, is_over: &AtomicBool) -> Vec<String> {
    let place = machine.path(habit.path());
    let mut lines = Vec::new();
    for save in 0_usize.. {
        if is_over.load(Ordering::Acquire) {
            break;
        }
        let line = format!("{habit:?} {save};\n");
        if habit.adds(&place, &line) {
            lines.push(line);
        }
        thread::sleep(if save % BURST == 0 { REST } else { PAUSE });
    }
    lines
}

/// Commands that bring files away from a machine, and to it.
const WAYS: [[&[&str]; 2]; 3] = [
    [&["push", "--force-local"], &["pull"]],
    [&["sync", "--strategy", "keep-local"], &["sync", "--strategy", "keep-remote"]],
    [&["push"], &["sync", "--strategy", "keep-local"]],
];

/// Moves files both ways, one machine after the other, for as long as programs
/// work; gives the lines that the other machine wrote, and how many files were
/// replaced here.
fn moves(laptop: &Machine, desktop: &Machine) -> (Vec<String>, usize) {
    let end = Instant::now() + WORK;
    let (mut lines, mut replaced) = (Vec::new(), 0);
    for round in 0..MOST_ROUNDS {
        if Instant::now() > end && replaced > 0 {
            break;
        }
        for habit in HABITS {
            let line = format!("{habit:?} elsewhere {round};\n");
            let place = desktop.path(habit.path());
            // At the other end than the programs here, so that some of it merges.
            let text = line.clone() + &fs::read_to_string(&place).unwrap_or_default();
            fs::write(place, text).expect("the file can be written");
            lines.push(line);
        }
        let [push, sync] = WAYS[round % WAYS.len()];
        goes(desktop, push);
        replaced += goes(laptop, sync)["files"].as_array().map_or(0, Vec::len);
        goes(laptop, push);
        goes(desktop, sync);
    }
    (lines, replaced)
}

/// Files that change all the time may be left for later.
#[track_caller]
fn goes(machine: &Machine, command: &[&str]) -> Value {
    let outcome = machine.tries(command);
    assert!(matches!(outcome.code, Some(0 | 3 | 4)), "{outcome:#?}");
    outcome.result()
}

/// All that a person can find again.
fn everything(world: &World, machines: [&Machine; 2]) -> String {
    let mut found = String::new();
    for machine in machines {
        for folder in [machine.root(), machine.home().join("data")] {
            for file in files_below(&folder) {
                found += &String::from_utf8_lossy(&fs::read(file).expect("the file can be read"));
            }
        }
    }
    for pack in files_below(&world.backend().join("_mirror/packs")) {
        let mut unzip = Command::new("unzip");
        unzip.arg("-p").arg(pack);
        found += &run(unzip).exits(0).stdout;
    }
    found
}

#[test]
fn line_saved_while_the_file_is_pulled_and_pushed_is_never_lost() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let desktop = world.next_machine("desktop");
    let is_over = AtomicBool::new(false);

    let (lines, replaced) = thread::scope(|scope| {
        let (laptop, is_over) = (&laptop, &is_over);
        let programs = HABITS.map(|habit| scope.spawn(move || works(laptop, habit, is_over)));
        let stops = Stops(is_over);
        let (mut lines, replaced) = moves(laptop, &desktop);
        drop(stops);
        for program in programs {
            lines.extend(program.join().expect("the program worked"));
        }
        (lines, replaced)
    });
    goes(&laptop, &["push", "--force-local"]);
    desktop.syncs();

    let found = everything(&world, [&laptop, &desktop]);
    let found: BTreeSet<&str> = found.split_inclusive('\n').collect();
    let lost: Vec<_> = lines.iter().filter(|line| !found.contains(line.as_str())).collect();
    assert!(lost.is_empty(), "{lost:?} of {} lines", lines.len());
    assert!(replaced > 0, "no file was ever replaced");
    same_trees(&laptop.tree().without("backup.md~"), &world.view());
}

/// More than is read or written at once, and each line says which save it is of.
const LINES: usize = 20_000;

/// Saves a large file again and again, over itself or in its place.
fn saves_whole(place: &Path, is_over: &AtomicBool) {
    for save in 0.. {
        if is_over.load(Ordering::Acquire) {
            break;
        }
        let text = format!("save {save:09}\n").repeat(LINES);
        if save % 2 == 0 {
            fs::write(place.with_extension("md~"), text).expect("a new file");
            fs::rename(place.with_extension("md~"), place).expect("a rename");
        } else {
            // One call, and the size stays: no look in between finds it short.
            let mut file = OpenOptions::new().write(true).open(place).expect("the file");
            file.write_all(text.as_bytes()).expect("room");
        }
        thread::sleep(PAUSE * 10);
    }
}

/// All lines are of one save.
fn is_whole(text: &str) -> bool {
    let mut lines = text.lines();
    let first = lines.next();
    lines.all(|line| Some(line) == first) && text.len() == 15 * LINES
}

#[test]
fn file_saved_while_it_is_pushed_is_never_torn_on_the_backend() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", &"save -\n".repeat(LINES))]);
    let (place, shown) = (laptop.path("a.md"), world.backend().join("a.md"));
    let is_over = AtomicBool::new(false);
    let end = Instant::now() + WORK / 2;

    thread::scope(|scope| {
        scope.spawn(|| saves_whole(&place, &is_over));
        let _stops = Stops(&is_over);
        for _ in 0..MOST_ROUNDS {
            if Instant::now() > end && laptop.head() >= 4 {
                break;
            }
            goes(&laptop, &["push"]);
            let view = fs::read_to_string(&shown).expect("the view has it");
            assert!(is_whole(&view) || view.starts_with("save -"), "the view is torn");
        }
    });
    laptop.syncs();
    assert!(laptop.head() >= 4, "hardly any save was pushed");

    for pack in files_below(&world.backend().join("_mirror/packs")) {
        let mut unzip = Command::new("unzip");
        unzip.arg("-p").arg(&pack);
        let text = run(unzip).exits(0).stdout;
        assert!(is_whole(&text) || text.starts_with("save -"), "{} is torn", pack.display());
    }
    assert!(is_whole(&fs::read_to_string(shown).expect("the view has it")));
}
