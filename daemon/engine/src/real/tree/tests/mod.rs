//! Tries to break the promises of a tree: a version lost, a link followed, a
//! file half written.

mod agents;
mod basics;
mod between;
mod editors;
mod links;
mod own;
mod races;
mod rights;

use std::fs;
use std::io::{self, Read};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use mirror_core::{Digest, Kind, RelPath, State};
use rustix::fs::renameat;
use rustix::io::Errno;

use super::LocalTree;
use super::names::{Names, SystemNames, link_in};
use crate::outside::{Expected, Manner, Put, Staged, Taken, Tree, TreeError};

const TEMP: &str = ".mirrord-temp";

/// How a file system can change names.
#[derive(Clone, Copy, Debug)]
enum FileSystem {
    Exchanging,
    /// Knows plain renames and hard links only.
    Plain,
}

const FILE_SYSTEMS: [FileSystem; 2] = [FileSystem::Exchanging, FileSystem::Plain];

/// A change of a name, as the program sees it that acts before it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Exchange,
    Move,
    Remove,
}

type Program = Box<dyn FnMut(Step) + Send>;

/// What became of the changes of names.
#[derive(Debug, Default)]
struct Flushing {
    /// Some of them would be lost with the power.
    is_due: AtomicBool,
    fails: AtomicBool,
}

/// Names of a file system on which a program acts before each change.
struct Haunted {
    file_system: FileSystem,
    program: Mutex<Program>,
    flushing: Arc<Flushing>,
}

impl Haunted {
    fn act(&self, step: Step) {
        self.program.lock().unwrap()(step);
    }

    fn note(&self, changed: Result<(), Errno>) -> Result<(), Errno> {
        changed.inspect(|()| self.flushing.is_due.store(true, Ordering::SeqCst))
    }
}

impl Names for Haunted {
    fn exchange(&self, folder: BorrowedFd<'_>, one: &str, other: &str) -> Result<(), Errno> {
        match self.file_system {
            FileSystem::Exchanging => {
                self.act(Step::Exchange);
                self.note(SystemNames.exchange(folder, one, other))
            }
            FileSystem::Plain => Err(Errno::INVAL),
        }
    }

    fn move_out(&self, folder: BorrowedFd<'_>, name: &str, temp: &str) -> Result<(), Errno> {
        self.act(Step::Move);
        self.note(match self.file_system {
            FileSystem::Exchanging => SystemNames.move_out(folder, name, temp),
            FileSystem::Plain => renameat(folder, name, folder, temp),
        })
    }

    fn move_in(&self, folder: BorrowedFd<'_>, temp: &str, name: &str) -> Result<(), Errno> {
        self.act(Step::Move);
        self.note(match self.file_system {
            FileSystem::Exchanging => SystemNames.move_in(folder, temp, name),
            FileSystem::Plain => link_in(folder, temp, name),
        })
    }

    fn remove(&self, folder: BorrowedFd<'_>, name: &str) -> Result<(), Errno> {
        self.act(Step::Remove);
        self.note(SystemNames.remove(folder, name))
    }

    fn flush(&self, folder: BorrowedFd<'_>) -> Result<(), Errno> {
        if self.flushing.fails.load(Ordering::SeqCst) {
            return Err(Errno::IO);
        }
        self.flushing.is_due.store(false, Ordering::SeqCst);
        SystemNames.flush(folder)
    }
}

/// A tree in a folder of its own, and what was rescued from it.
struct Scene {
    home: tempfile::TempDir,
    tree: LocalTree,
    rescued: Vec<String>,
    flushing: Arc<Flushing>,
}

impl Scene {
    fn new() -> Self {
        Self::on(FileSystem::Exchanging)
    }

    fn on(file_system: FileSystem) -> Self {
        Self::haunted(file_system, |_, _| {})
    }

    /// A scene in which `program` acts before each change of a name.
    fn haunted(
        file_system: FileSystem,
        mut program: impl FnMut(&Path, Step) + Send + 'static,
    ) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (root, flushing) = (home.path().join("root"), Arc::new(Flushing::default()));
        fs::create_dir(&root).unwrap();
        let path = root.clone();
        let program: Program = Box::new(move |step| program(&path, step));
        let program = Mutex::new(program);
        let names = Haunted { file_system, program, flushing: flushing.clone() };
        let tree = LocalTree::with_names(root, Box::new(names));
        Self { home, tree, rescued: Vec::new(), flushing }
    }

    /// What has ended survives power loss.
    #[track_caller]
    fn check_flushed<T>(&self, ended: Result<T, TreeError>) -> Result<T, TreeError> {
        let is_due = self.flushing.is_due.load(Ordering::SeqCst);
        assert!(ended.is_err() || !is_due, "a name was changed and not flushed");
        ended
    }

    fn root(&self) -> PathBuf {
        self.home.path().join("root")
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn link(&self, name: &str, target: &str) {
        std::os::unix::fs::symlink(target, self.root().join(name)).unwrap();
    }

    fn text(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.root().join(name)).ok()
    }

    /// Every name in the tree but for folders, sorted.
    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut folders = vec![self.root()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else {
                    let path = entry.path();
                    let name = path.strip_prefix(self.root()).unwrap();
                    names.push(name.to_string_lossy().into_owned());
                }
            }
        }
        names.sort();
        names
    }

    fn stage(&self, name: &str, content: &str) -> Result<Staged, TreeError> {
        self.tree.stage(&path(name), Manner::of(Kind::File, false), TEMP, &mut content.as_bytes())
    }

    fn stage_link(&self, name: &str, target: &str) -> Result<Staged, TreeError> {
        self.tree.stage(&path(name), Manner::of(Kind::Link, false), TEMP, &mut target.as_bytes())
    }

    /// Stages and puts a file where `expected` must stand.
    #[track_caller]
    fn put(&mut self, name: &str, content: &str, expected: Expected) -> Result<Put, TreeError> {
        let staged = self.stage(name, content)?;
        self.put_staged(&staged, expected)
    }

    #[track_caller]
    fn put_staged(&mut self, staged: &Staged, expected: Expected) -> Result<Put, TreeError> {
        let rescued = &mut self.rescued;
        let put = self.tree.put(staged, expected, &mut |reader| keep(rescued, reader));
        self.check_flushed(put)
    }

    #[track_caller]
    fn take(&mut self, name: &str, expected: State) -> Result<Taken, TreeError> {
        let rescued = &mut self.rescued;
        let taken =
            self.tree.take(&path(name), expected, TEMP, &mut |reader| keep(rescued, reader));
        self.check_flushed(taken)
    }
}

fn keep(rescued: &mut Vec<String>, reader: &mut dyn Read) -> io::Result<()> {
    let mut text = String::new();
    reader.read_to_string(&mut text)?;
    rescued.push(text);
    Ok(())
}

fn path(name: &str) -> RelPath {
    name.parse().unwrap()
}

fn file(content: &str) -> State {
    State { kind: Kind::File, digest: Digest::of(content.as_bytes()), exec: false }
}

fn over(content: &str) -> Expected {
    Expected::State(file(content))
}

fn is_done(put: &Put) -> bool {
    matches!(put, Put::Done(_))
}

/// Saves a file as most editors do: beside it, then in its place.
fn save(root: &Path, name: &str, content: &str) {
    let beside = root.join(format!("{name}.swp"));
    fs::write(&beside, content).unwrap();
    fs::rename(beside, root.join(name)).unwrap();
}
