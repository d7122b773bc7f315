//! Programs add lines to a file while it is replaced. Each line is found again:
//! in the file, among what was rescued, or in a version that was read before.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::*;

/// How long a program works on one file.
const WORK: Duration = Duration::from_millis(400);

/// It saves about a thousand times a second.
const PAUSE: Duration = Duration::from_micros(900);

/// How a program adds a line to a file.
#[derive(Clone, Copy, Debug)]
enum Habit {
    Append,
    /// Empties the file and writes all of it again.
    Rewrite,
    /// Writes a copy beside it and renames that over it.
    Replace,
    /// Renames it to a backup and writes it anew.
    Backup,
    /// Copies it to a backup and writes over it.
    Copy,
    /// Removes it and writes it anew.
    Recreate,
}

impl Habit {
    /// Adds a line, and says what came of it.
    fn adds(self, root: &Path, line: &str) -> Added {
        let (place, backup) = (root.join("a.txt"), root.join("a.txt~"));
        let open = || File::open(&place).ok();
        let text = || fs::read_to_string(&place).unwrap_or_default() + line;
        match self {
            Self::Append => {
                let file = OpenOptions::new().append(true).create(true).open(&place);
                Added { is_kept: write(file.unwrap(), line), dropped: Some(BTreeSet::new()) }
            }
            Self::Rewrite => rewrite(&place, &text()),
            Self::Replace => {
                let (text, replaced) = (text(), open());
                save(root, "a.txt", &text);
                Added { is_kept: true, dropped: dropped(replaced, &text) }
            }
            Self::Backup => {
                let text = match fs::rename(&place, &backup) {
                    Ok(()) => fs::read_to_string(&backup).unwrap(),
                    Err(_) => String::new(),
                };
                rewrite(&place, &(text + line))
            }
            Self::Copy => {
                let _ = fs::copy(&place, backup);
                rewrite(&place, &text())
            }
            Self::Recreate => {
                let (text, removed) = (text(), open());
                let _ = fs::remove_file(&place);
                let dropped = dropped(removed, &text);
                let Added { is_kept, dropped: rewritten } = rewrite(&place, &text);
                let both = dropped.zip(rewritten).map(|(one, other)| &one | &other);
                Added { is_kept, dropped: both }
            }
        }
    }
}

/// What came of a line that a program added.
struct Added {
    /// `false` when the file had lost its last name before the line was in it:
    /// whoever keeps a file open for so long is beyond promise.
    is_kept: bool,
    /// What the program wrote over itself, as it had read the file before that
    /// was in it; `None` when it can't be told.
    dropped: Option<BTreeSet<String>>,
}

/// The lines of a file that has lost its name, but those of `text`. The name was
/// another file's when this one still has it.
fn dropped(file: Option<File>, text: &str) -> Option<BTreeSet<String>> {
    let Some(mut file) = file else { return Some(BTreeSet::new()) };
    let mut old = String::new();
    file.read_to_string(&mut old).unwrap();
    (file.metadata().unwrap().nlink() == 0).then(|| lines_missing(&old, text))
}

fn lines_missing(old: &str, text: &str) -> BTreeSet<String> {
    let is_missing = |line: &&str| !text.contains(*line);
    old.split_inclusive('\n').filter(is_missing).map(str::to_owned).collect()
}

fn rewrite(place: &Path, text: &str) -> Added {
    let mut options = OpenOptions::new();
    let mut file = options.read(true).write(true).create(true).truncate(false).open(place).unwrap();
    let mut old = String::new();
    file.read_to_string(&mut old).unwrap();
    file.set_len(0).unwrap();
    file.rewind().unwrap();
    Added { is_kept: write(file, text), dropped: Some(lines_missing(&old, text)) }
}

fn write(mut file: File, text: &str) -> bool {
    file.write_all(text.as_bytes()).unwrap();
    file.metadata().unwrap().nlink() > 0
}

fn line(number: usize) -> String {
    format!("line {number};\n")
}

/// Lets a program add lines for a while, and gives those that were in the file
/// while it had a name, and that it did not write over itself.
fn work(habit: Habit, root: &Path) -> Vec<String> {
    let end = Instant::now() + WORK;
    let mut added = Vec::new();
    for number in 0.. {
        if Instant::now() > end {
            break;
        }
        let Added { is_kept, dropped } = habit.adds(root, &line(number));
        match dropped {
            Some(dropped) => added.retain(|line| !dropped.contains(line)),
            None => added.clear(),
        }
        if is_kept {
            added.push(line(number));
        }
        thread::sleep(PAUSE);
    }
    added
}

#[track_caller]
fn check(file_system: FileSystem, habit: Habit) {
    let mut scene = Scene::on(file_system);
    let root = scene.root();
    let is_over = &AtomicBool::new(false);
    let mut kept = String::new();
    let added = thread::scope(|scope| {
        let program = scope.spawn(move || {
            let added = work(habit, &root);
            is_over.store(true, Ordering::Release);
            added
        });
        for round in 0.. {
            if is_over.load(Ordering::Acquire) {
                break;
            }
            // What the engine expects somewhere is in the log already.
            let Some(seen) = scene.text("a.txt") else { continue };
            kept += &seen;
            if round % 5 == 4 {
                scene.take("a.txt", file(&seen)).unwrap();
            } else {
                scene.put("a.txt", &format!("ours {round};\n"), over(&seen)).unwrap();
            }
        }
        program.join().unwrap()
    });
    kept += &scene.rescued.join("");
    kept += &scene.text("a.txt").unwrap_or_default();
    let kept: BTreeSet<&str> = kept.split_inclusive('\n').collect();
    let lost: Vec<_> = added.iter().filter(|line| !kept.contains(line.as_str())).collect();
    assert!(lost.is_empty(), "{habit:?}, {file_system:?}: {lost:?} of {} lines", added.len());
    let left: Vec<_> = scene.names().into_iter().filter(|name| name.starts_with('.')).collect();
    assert_eq!(left, [""; 0], "{habit:?}, {file_system:?}");
}

#[track_caller]
fn check_on_both(habit: Habit) {
    for file_system in FILE_SYSTEMS {
        check(file_system, habit);
    }
}

#[test]
fn no_line_is_lost_that_is_appended() {
    check_on_both(Habit::Append);
}

#[test]
fn no_line_is_lost_when_the_file_is_rewritten() {
    check_on_both(Habit::Rewrite);
    check_on_both(Habit::Copy);
}

#[test]
fn no_line_is_lost_when_a_new_file_takes_the_place() {
    check_on_both(Habit::Replace);
    check_on_both(Habit::Backup);
    check_on_both(Habit::Recreate);
}

/// The wait is short: on a busy machine the writer may come too late for it, and
/// then once more.
#[test]
fn line_that_comes_a_moment_after_the_file_lost_its_name_is_rescued() {
    const TRIES: usize = 20;
    for file_system in FILE_SYSTEMS {
        let is_rescued = (0..TRIES).any(|_| rescues_line_of_a_moment_after(file_system));
        assert!(is_rescued, "{file_system:?}");
    }
}

fn rescues_line_of_a_moment_after(file_system: FileSystem) -> bool {
    let mut typing = None;
    let mut scene = Scene::haunted(file_system, move |root, step| {
        if typing.is_none() {
            typing = OpenOptions::new().append(true).open(root.join("a.txt")).ok();
        }
        if step == Step::Remove
            && let Some(file) = typing.as_ref().map(|file| file.try_clone().unwrap())
        {
            thread::spawn(move || write_once_nameless(file));
        }
    });
    scene.write("a.txt", "old");
    assert!(is_done(&scene.put("a.txt", "new", over("old")).unwrap()));
    scene.rescued == ["old, and more"]
}

fn write_once_nameless(mut file: File) {
    while file.metadata().unwrap().nlink() > 0 {
        thread::yield_now();
    }
    file.write_all(b", and more").unwrap();
}
