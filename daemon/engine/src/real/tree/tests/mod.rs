//! Tries to break the promises of a tree: a version lost, a link followed, a
//! file half written.

mod basics;
mod between;
mod editors;
mod links;
mod races;

use std::fs;
use std::io::{self, Read};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use mirror_core::{Digest, Kind, RelPath, State};
use rustix::fs::renameat;
use rustix::io::Errno;

use super::LocalTree;
use super::names::{Names, SystemNames, link_in};
use crate::outside::{Expected, Put, Staged, Taken, Tree, TreeError};

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

/// Names of a file system on which a program acts before each change.
struct Haunted {
    file_system: FileSystem,
    program: Mutex<Program>,
}

impl Haunted {
    fn act(&self, step: Step) {
        self.program.lock().unwrap()(step);
    }
}

impl Names for Haunted {
    fn exchange(&self, folder: BorrowedFd<'_>, one: &str, other: &str) -> Result<(), Errno> {
        match self.file_system {
            FileSystem::Exchanging => {
                self.act(Step::Exchange);
                SystemNames.exchange(folder, one, other)
            }
            FileSystem::Plain => Err(Errno::INVAL),
        }
    }

    fn move_out(&self, folder: BorrowedFd<'_>, name: &str, temp: &str) -> Result<(), Errno> {
        self.act(Step::Move);
        match self.file_system {
            FileSystem::Exchanging => SystemNames.move_out(folder, name, temp),
            FileSystem::Plain => renameat(folder, name, folder, temp),
        }
    }

    fn move_in(&self, folder: BorrowedFd<'_>, temp: &str, name: &str) -> Result<(), Errno> {
        self.act(Step::Move);
        match self.file_system {
            FileSystem::Exchanging => SystemNames.move_in(folder, temp, name),
            FileSystem::Plain => link_in(folder, temp, name),
        }
    }

    fn remove(&self, folder: BorrowedFd<'_>, name: &str) -> Result<(), Errno> {
        self.act(Step::Remove);
        SystemNames.remove(folder, name)
    }
}

/// A tree in a folder of its own, and what was rescued from it.
struct Scene {
    home: tempfile::TempDir,
    tree: LocalTree,
    rescued: Vec<String>,
}

impl Scene {
    fn new() -> Self {
        Self::with(|_| LocalTree::open)
    }

    fn on(file_system: FileSystem) -> Self {
        Self::haunted(file_system, |_, _| {})
    }

    /// A scene in which `program` acts before each change of a name.
    fn haunted(
        file_system: FileSystem,
        mut program: impl FnMut(&Path, Step) + Send + 'static,
    ) -> Self {
        Self::with(|root| {
            let root = root.to_owned();
            move |path| {
                let program: Program = Box::new(move |step| program(&root, step));
                let program = Mutex::new(program);
                LocalTree::with_names(path, Box::new(Haunted { file_system, program }))
            }
        })
    }

    fn with<Open: FnOnce(PathBuf) -> LocalTree>(open: impl FnOnce(&Path) -> Open) -> Self {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("root");
        fs::create_dir(&root).unwrap();
        let tree = open(&root)(root.clone());
        Self { home, tree, rescued: Vec::new() }
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
        self.tree.stage(&path(name), Kind::File, false, TEMP, &mut content.as_bytes())
    }

    fn stage_link(&self, name: &str, target: &str) -> Result<Staged, TreeError> {
        self.tree.stage(&path(name), Kind::Link, false, TEMP, &mut target.as_bytes())
    }

    /// Stages and puts a file where `expected` must stand.
    fn put(&mut self, name: &str, content: &str, expected: Expected) -> Result<Put, TreeError> {
        let staged = self.stage(name, content)?;
        self.put_staged(&staged, expected)
    }

    fn put_staged(&mut self, staged: &Staged, expected: Expected) -> Result<Put, TreeError> {
        let rescued = &mut self.rescued;
        self.tree.put(staged, expected, &mut |reader| keep(rescued, reader))
    }

    fn take(&mut self, name: &str, expected: State) -> Result<Taken, TreeError> {
        let rescued = &mut self.rescued;
        self.tree.take(&path(name), expected, TEMP, &mut |reader| keep(rescued, reader))
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
