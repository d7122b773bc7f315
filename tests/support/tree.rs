//! What stands below a folder, byte by byte.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Files and links by their path below a root; empty folders don't count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree(BTreeMap<PathBuf, Node>);

#[derive(Clone, PartialEq, Eq)]
enum Node {
    File { content: Vec<u8>, exec: bool },
    Link(PathBuf),
    Other,
}

impl Node {
    fn read(path: &Path, kind: &fs::Metadata) -> Option<Self> {
        if kind.is_symlink() {
            unless_gone(path, fs::read_link(path)).map(Self::Link)
        } else if kind.is_file() {
            let exec = kind.permissions().mode() & 0o100 != 0;
            unless_gone(path, fs::read(path)).map(|content| Self::File { content, exec })
        } else {
            Some(Self::Other)
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { content, exec } => {
                let start = &content[..content.len().min(60)];
                let mode = if *exec { "executable" } else { "file" };
                write!(out, "{mode}, {} bytes: {}", content.len(), start.escape_ascii())
            }
            Self::Link(target) => write!(out, "link to {}", target.display()),
            Self::Other => out.write_str("neither file nor link"),
        }
    }
}

impl Tree {
    /// Reads a folder, without following links; a missing one is empty. What
    /// goes away meanwhile is not there: others may be at work.
    pub(crate) fn read(root: &Path) -> Self {
        Self::read_but(root, &[])
    }

    /// The same without a look at these files and folders.
    pub(crate) fn read_but(root: &Path, left_out: &[&str]) -> Self {
        let mut tree = Self::default();
        let left_out: Vec<PathBuf> = left_out.iter().map(|path| root.join(path)).collect();
        tree.add(root, root, &left_out);
        tree
    }

    fn add(&mut self, root: &Path, folder: &Path, left_out: &[PathBuf]) {
        for path in entries_of(folder).into_iter().filter(|path| !left_out.contains(path)) {
            match kind_of(&path) {
                Some(kind) if kind.is_dir() => self.add(root, &path, left_out),
                Some(kind) => {
                    let below = path.strip_prefix(root).expect("it lies below the root");
                    self.0.extend(Node::read(&path, &kind).map(|node| (below.to_owned(), node)));
                }
                None => {}
            }
        }
    }

    /// The tree as a service shows it that has no executable bit.
    pub(crate) fn without_modes(mut self) -> Self {
        for node in self.0.values_mut() {
            if let Node::File { exec, .. } = node {
                *exec = false;
            }
        }
        self
    }

    /// The tree without what lies below one folder or file.
    pub(crate) fn without(mut self, path: &str) -> Self {
        self.0.retain(|one, _| !one.starts_with(path));
        self
    }

    /// The tree as a service shows it that has no links.
    pub(crate) fn without_links(mut self) -> Self {
        self.0.retain(|_, node| !matches!(node, Node::Link(_)));
        self
    }

    /// Fails unless each file stands in one of these trees just as it is here.
    #[track_caller]
    pub(crate) fn is_made_of(&self, trees: &[&Self]) {
        for (path, node) in &self.0 {
            let is_there = trees.iter().any(|tree| tree.0.get(path) == Some(node));
            assert!(is_there, "{} is no version of it: {node:?}", path.display());
        }
    }

    /// Fails unless each file of another tree has a version here.
    #[track_caller]
    pub(crate) fn has_every_path_of(&self, other: &Self) {
        let gone: Vec<_> = other.0.keys().filter(|path| !self.0.contains_key(*path)).collect();
        assert!(gone.is_empty(), "no longer there: {gone:?}");
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.0.contains_key(Path::new(path))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Every file below a folder, our own included; neither links nor sockets, nor
/// what goes away meanwhile.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for path in entries_of(&folder) {
            match kind_of(&path) {
                Some(kind) if kind.is_dir() => folders.push(path),
                Some(kind) if kind.is_file() => files.push(path),
                _ => {}
            }
        }
    }
    files.sort();
    files
}

fn entries_of(folder: &Path) -> Vec<PathBuf> {
    let entries = unless_gone(folder, fs::read_dir(folder)).into_iter().flatten();
    entries.filter_map(|entry| Some(unless_gone(folder, entry)?.path())).collect()
}

fn kind_of(path: &Path) -> Option<fs::Metadata> {
    unless_gone(path, path.symlink_metadata())
}

#[track_caller]
fn unless_gone<T>(path: &Path, looked: io::Result<T>) -> Option<T> {
    match looked {
        Ok(found) => Some(found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => panic!("{}: {error}", path.display()),
    }
}

/// Fails with the paths that differ, and only those.
#[track_caller]
pub(crate) fn same_trees(left: &Tree, right: &Tree) {
    let paths = left.0.keys().chain(right.0.keys());
    let different: BTreeMap<_, _> = paths
        .map(|path| (path, (left.0.get(path), right.0.get(path))))
        .filter(|(_, (left, right))| left != right)
        .collect();
    assert!(different.is_empty(), "left and right differ: {different:#?}");
}

#[test]
fn tree_is_read_while_others_change_it() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let (stays, goes) = (place.path().join("stays"), place.path().join("goes"));
    fs::write(&stays, "here").expect("a file");
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            for number in 0..500 {
                fs::create_dir(&goes).expect("a folder");
                fs::write(goes.join(number.to_string()), "soon gone").expect("a file");
                fs::remove_dir_all(&goes).expect("it goes");
            }
        });
        while !other.is_finished() {
            assert!(Tree::read(place.path()).has("stays"));
            assert!(files_below(place.path()).contains(&stays));
        }
    });
}
