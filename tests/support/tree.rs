//! What stands below a folder, byte by byte.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
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
    /// Reads a folder, without following links; a missing one is empty.
    pub(crate) fn read(root: &Path) -> Self {
        let mut tree = Self::default();
        if root.exists() {
            tree.add(root, root);
        }
        tree
    }

    fn add(&mut self, root: &Path, folder: &Path) {
        for entry in fs::read_dir(folder).expect("the folder can be listed") {
            let path = entry.expect("the listing is complete").path();
            let kind = path.symlink_metadata().expect("the entry is there");
            let node = if kind.is_dir() {
                self.add(root, &path);
                continue;
            } else if kind.is_symlink() {
                Node::Link(fs::read_link(&path).expect("the link can be read"))
            } else if kind.is_file() {
                let content = fs::read(&path).expect("the file can be read");
                let exec = kind.permissions().mode() & 0o100 != 0;
                Node::File { content, exec }
            } else {
                Node::Other
            };
            let below = path.strip_prefix(root).expect("it lies below the root");
            self.0.insert(below.to_owned(), node);
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

    pub(crate) fn has(&self, path: &str) -> bool {
        self.0.contains_key(Path::new(path))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Every file below a folder, our own included; neither links nor sockets.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder can be listed") {
            let path = entry.expect("the listing is complete").path();
            let kind = path.symlink_metadata().expect("the entry is there");
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                files.push(path);
            }
        }
    }
    files.sort();
    files
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
