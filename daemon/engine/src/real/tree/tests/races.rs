//! Programs save at full speed while files are replaced and removed.

use crate::outside::Manner;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::*;

/// How programs save a file.
#[derive(Clone, Copy, Debug)]
enum Habit {
    /// Empties the file and writes into it.
    Overwrite,
    /// Writes beside it and renames.
    Replace,
    /// Renames the old one to a backup and writes a new one.
    Backup,
}

impl Habit {
    fn save(self, root: &Path, content: &str) {
        let place = root.join("a.txt");
        match self {
            // A file that lost its last name while it was open is beyond
            // promise; the program saves again.
            Self::Overwrite => while overwrite(&place, content) == 0 {},
            Self::Replace => save(root, "a.txt", content),
            Self::Backup => {
                let _ = fs::rename(&place, root.join("a.txt~"));
                fs::write(place, content).unwrap();
            }
        }
    }
}

/// Writes into a file, and tells how many names it has left after that.
fn overwrite(place: &Path, content: &str) -> u64 {
    let mut file = File::create(place).unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file.metadata().unwrap().nlink()
}

/// Lets a program save versions one after the other while the daemon replaces
/// and removes what it last read, and gives what the daemon knowingly removed.
fn run(scene: &mut Scene, habit: Habit, versions: std::ops::Range<u32>) -> Vec<String> {
    let root = scene.root();
    let is_over = &AtomicBool::new(false);
    let mut known = Vec::new();
    thread::scope(|scope| {
        scope.spawn(move || {
            versions.for_each(|version| habit.save(&root, &format!("version {version};")));
            is_over.store(true, Ordering::Release);
        });
        for round in 0.. {
            if is_over.load(Ordering::Acquire) {
                break;
            }
            // A half-written version is not one to expect: the engine reads
            // again what changes while it is read.
            let Some(seen) = scene.text("a.txt").filter(|text| text.ends_with(';')) else {
                continue;
            };
            let is_gone = if round % 3 == 0 {
                scene.take("a.txt", file(&seen)).unwrap() == Taken::Done
            } else {
                let put = scene.put("a.txt", &format!("ours {round};"), over(&seen));
                is_done(&put.unwrap())
            };
            known.extend(is_gone.then_some(seen));
        }
    });
    known
}

/// The last version saved must be in its place or rescued, unless the daemon
/// replaced or removed it knowingly.
#[track_caller]
fn check(habit: Habit) {
    for file_system in FILE_SYSTEMS {
        check_on(file_system, habit);
    }
}

#[track_caller]
fn check_on(file_system: FileSystem, habit: Habit) {
    let end = Instant::now() + Duration::from_millis(400);
    let mut scene = Scene::on(file_system);
    let mut first = 0;
    while Instant::now() < end {
        let versions = first..first + 40;
        first = versions.end;
        let known = run(&mut scene, habit, versions);

        let last = format!("version {};", first - 1);
        let in_place = scene.text("a.txt");
        let is_kept = in_place.as_ref() == Some(&last)
            || scene.rescued.contains(&last)
            || known.contains(&last);
        assert!(is_kept, "{file_system:?}: {last} is lost; there is {in_place:?}");
        let left: Vec<_> = scene.names().into_iter().filter(|n| n.starts_with('.')).collect();
        assert_eq!(left, Vec::<String>::new(), "{file_system:?}");
    }
}

#[test]
fn no_version_is_lost_to_a_program_that_replaces_the_file() {
    check(Habit::Replace);
}

#[test]
fn no_version_is_lost_to_a_program_that_keeps_a_backup() {
    check(Habit::Backup);
}

#[test]
fn no_version_is_lost_to_a_program_that_overwrites_the_file() {
    check(Habit::Overwrite);
}

#[test]
fn files_appear_and_folders_vanish_side_by_side() {
    let scene = Scene::new();
    let tree = &scene.tree;
    thread::scope(|scope| {
        for worker in 0..4 {
            scope.spawn(move || {
                let (path, temp) = (path(&format!("a/b/{worker}.txt")), format!("{TEMP}{worker}"));
                let never = &mut |_: &mut dyn Read| panic!("nothing to rescue");
                for _ in 0..50 {
                    let mut content = &b"text"[..];
                    let staged = tree
                        .stage(&path, Manner::of(Kind::File, false), &temp, &mut content)
                        .unwrap();
                    assert!(is_done(&tree.put(&staged, Expected::Absent, never).unwrap()));
                    assert_eq!(tree.take(&path, staged.state, &temp, never).unwrap(), Taken::Done);
                }
            });
        }
    });
    assert_eq!(fs::read_dir(scene.root()).unwrap().count(), 0);
}
