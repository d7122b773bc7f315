//! One backend, and the machines that share it.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Machine, Tree};

/// The place where a story happens.
pub(crate) struct World {
    folder: TempDir,
    backend: PathBuf,
    url: String,
    /// What `init` and `clone` have to be told besides the URL.
    settings: Vec<String>,
    /// What the machines' `ssh` is told before anything else.
    ssh: &'static str,
    names: RefCell<Vec<String>>,
}

impl World {
    /// Socket paths are limited to 107 bytes, hence the short folder.
    pub(crate) fn new() -> Self {
        let folder =
            tempfile::Builder::new().prefix("mw").tempdir_in("/tmp").expect("a temporary folder");
        let backend = folder.path().join("backend");
        let url = format!("folder:{}", backend.display());
        Self { folder, backend, url, settings: Vec::new(), ssh: "", names: RefCell::default() }
    }

    /// The same world with its backend elsewhere on this disk, reached by a URL.
    pub(crate) fn reaching(self, backend: PathBuf, url: String, settings: Vec<String>) -> Self {
        Self { backend, url, settings, ..self }
    }

    /// The same world, on whose machines `ssh` is told these options first.
    pub(crate) fn with_ssh(self, ssh: &'static str) -> Self {
        Self { ssh, ..self }
    }

    /// A place in this world that belongs to no machine.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes an empty folder that belongs to no machine.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(&path).expect("a folder can be made");
        path
    }

    /// The root of the shared backend.
    pub(crate) fn backend(&self) -> PathBuf {
        self.backend.clone()
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// A machine without any project.
    pub(crate) fn machine(&self, name: &str) -> Machine {
        let mut names = self.names.borrow_mut();
        assert!(!names.contains(&name.to_owned()), "two machines named {name}");
        names.push(name.to_owned());
        let machine = Machine::new(name, &self.folder(name), self.url(), self.settings.clone());
        machine.with_ssh(self.ssh)
    }

    /// A machine that has made the project, with these files pushed.
    #[track_caller]
    pub(crate) fn first_machine(&self, name: &str, files: &[(&str, &str)]) -> Machine {
        let machine = self.machine(name);
        for (path, content) in files {
            machine.writes(path, content);
        }
        machine.inits();
        machine.runs(&["push"]).exits(0);
        machine
    }

    /// A machine that has cloned the project.
    #[track_caller]
    pub(crate) fn next_machine(&self, name: &str) -> Machine {
        let machine = self.machine(name);
        machine.clones();
        machine
    }

    /// The plain files on the backend.
    pub(crate) fn view(&self) -> Tree {
        Tree::read_but(&self.backend(), &["_mirror"])
    }

    /// The plain files with all that lies beneath them.
    pub(crate) fn everything(&self) -> Tree {
        Tree::read(&self.backend())
    }

    /// Where an entry of the log stands on the backend.
    pub(crate) fn entry(&self, seq: u64) -> PathBuf {
        let name = mirror_core::commit::entry_name(seq);
        self.backend().join("_mirror").join(name)
    }

    /// Puts an entry there as a whole, as every writer does: who watches the log reads
    /// it at once.
    pub(crate) fn plants_entry(&self, seq: u64, bytes: impl AsRef<[u8]>) {
        let beside = self.path("entry to be planted");
        fs::write(&beside, bytes).expect("an entry can be written");
        fs::rename(beside, self.entry(seq)).expect("the backend can be written to");
    }

    /// The newest entry of the log, by what stands on the backend.
    pub(crate) fn head(&self) -> u64 {
        let mut head = 0;
        while self.entry(head + 1).exists() {
            head += 1;
        }
        head
    }

    /// Whether the backend holds a project.
    pub(crate) fn holds_a_project(&self) -> bool {
        has_project(&self.backend())
    }
}

/// Whether a log was begun below this root.
pub(crate) fn has_project(root: &Path) -> bool {
    root.join("_mirror/log/0000000/0000000001.json").exists()
}
