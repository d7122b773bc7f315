//! One machine: its own daemon, its own settings, one project folder.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use serde_json::Value;

use super::outcome::{Outcome, Started, start};
use super::{Tree, binaries, daemons_of, processes, repository, run};

/// A machine as a person uses it: files and `mirrorctl`, nothing else.
pub(crate) struct Machine {
    name: String,
    folder: PathBuf,
    url: String,
    settings: Vec<String>,
    /// What its `ssh` is told before anything else.
    ssh: &'static str,
    /// Whose programs run here, and their group, where that isn't the tester.
    person: Option<(u32, u32)>,
    umask: Option<u32>,
    /// All that its commands have printed so far.
    said: Mutex<String>,
}

impl Machine {
    pub(crate) fn new(name: &str, folder: &Path, url: String, settings: Vec<String>) -> Self {
        let (name, folder, said) = (name.to_owned(), folder.to_owned(), Mutex::default());
        let (person, umask) = (None, None);
        let machine = Self { name, folder, url, settings, ssh: "", person, umask, said };
        for one in [machine.home(), machine.folder.join("person")] {
            fs::create_dir_all(one).expect("a folder can be made");
        }
        machine
    }

    /// The same machine, whose `ssh` is told these options first.
    pub(crate) fn with_ssh(mut self, options: &'static str) -> Self {
        self.ssh = options;
        self
    }

    /// The same machine of another person, whose folders belong to them.
    pub(crate) fn of_person(mut self, user: u32, group: u32) -> Self {
        self.person = Some((user, group));
        self
    }

    pub(crate) fn with_umask(mut self, umask: u32) -> Self {
        self.umask = Some(umask);
        self
    }

    /// What `MIRRORD_HOME` says on this machine.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.join("h")
    }

    /// The project folder.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.join("notes")
    }

    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root().join(path)
    }

    /// `mirrorctl` with this machine's environment, in its project folder.
    pub(crate) fn mirrorctl(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&binaries().join("mirrorctl"));
        command.args(arguments);
        command
    }

    /// Any program with this machine's environment and nothing of the tester's.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = match self.umask {
            None => Command::new(program),
            Some(umask) => {
                let mut shell = Command::new("/bin/sh");
                shell.args(["-c", &format!("umask {umask:04o}; exec \"$0\" \"$@\"")]).arg(program);
                shell
            }
        };
        if let Some((user, group)) = self.person {
            command.uid(user).gid(group);
        }
        let inside = self.root().is_dir();
        command
            .env_clear()
            .env("PATH", path())
            .env("MIRROR_TEST_SSH", self.ssh)
            .env("HOME", self.folder.join("person"))
            .env("LC_ALL", "C.UTF-8")
            .env("MIRRORD_HOME", self.home())
            .env("MIRRORD_MACHINE", &self.name)
            .env("MIRRORD_USER", "tester")
            .current_dir(if inside { self.root() } else { self.folder.clone() });
        command
    }

    #[track_caller]
    pub(crate) fn runs(&self, arguments: &[&str]) -> Outcome {
        self.hears(run(self.mirrorctl(arguments)))
    }

    /// Runs a command with `--json`, whatever its exit code.
    #[track_caller]
    pub(crate) fn tries(&self, arguments: &[&str]) -> Outcome {
        let mut command = self.mirrorctl(&["--json"]);
        command.args(arguments);
        self.hears(run(command))
    }

    /// Starts a command with `--json`.
    #[track_caller]
    pub(crate) fn starts(&self, arguments: &[&str]) -> Started {
        let mut command = self.mirrorctl(&["--json"]);
        command.args(arguments);
        start(command)
    }

    fn hears(&self, outcome: Outcome) -> Outcome {
        let mut said = self.said.lock().expect("nobody panics with it");
        said.extend([&*outcome.stdout, &*outcome.stderr]);
        outcome
    }

    /// All that `runs`, and what is built on it, has printed so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().expect("nobody panics with it").clone()
    }

    /// The result of a command that exits 0.
    #[track_caller]
    pub(crate) fn asks(&self, arguments: &[&str]) -> Value {
        self.tries(arguments).exits(0).result()
    }

    /// The error of a command that exits with this code, checked for what
    /// every error owes a person: a class and a sentence.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, arguments: &[&str]) -> Value {
        let error = self.tries(arguments).exits(code).error();
        assert!(error["class"].is_string(), "no class: {error}");
        let message = error["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty(), "no message: {error}");
        error
    }

    /// Makes the project `notes` of every file in the project folder.
    #[track_caller]
    pub(crate) fn inits(&self) {
        let root = self.root();
        fs::create_dir_all(&root).expect("the project folder can be made");
        self.runs(&self.words_of_init(&root)).exits(0);
    }

    /// The words of `init` for a folder on this machine.
    pub(crate) fn words_of_init<'a>(&'a self, root: &'a Path) -> Vec<&'a str> {
        let words = ["init", text(root), "--to", &self.url, "--pattern", "**/*"];
        words.into_iter().chain(self.settings()).collect()
    }

    /// The words of `clone` for a folder on this machine.
    pub(crate) fn words_of_clone<'a>(&'a self, root: &'a Path) -> Vec<&'a str> {
        ["clone", &self.url, text(root)].into_iter().chain(self.settings()).collect()
    }

    fn settings(&self) -> impl Iterator<Item = &str> {
        self.settings.iter().map(String::as_str)
    }

    #[track_caller]
    pub(crate) fn clones(&self) {
        self.runs(&self.words_of_clone(&self.root())).exits(0);
    }

    pub(crate) fn writes(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        let parent = path.parent().expect("a file has a folder");
        fs::create_dir_all(parent).expect("the folder can be made");
        fs::write(path, content).expect("the file can be written");
    }

    #[track_caller]
    pub(crate) fn reads(&self, path: impl AsRef<Path>) -> String {
        fs::read_to_string(self.path(path)).expect("the file can be read")
    }

    pub(crate) fn removes(&self, path: &str) {
        fs::remove_file(self.path(path)).expect("the file can be removed");
    }

    pub(crate) fn tree(&self) -> Tree {
        Tree::read(&self.root())
    }

    /// The newest commit that `status` knows of.
    #[track_caller]
    pub(crate) fn head(&self) -> u64 {
        self.asks(&["status"])["head"].as_u64().expect("a head")
    }

    /// What `status` says of one path.
    #[track_caller]
    pub(crate) fn status_of(&self, path: &str) -> Value {
        let status = self.asks(&["status", "--long"]);
        let files = status["files"].as_array().expect("a list of files");
        files
            .iter()
            .find(|file| file["path"] == path)
            .unwrap_or_else(|| panic!("{path} is not in {status:#}"))
            .clone()
    }

    /// Kills the daemon where it stands, with no time for anything more.
    pub(crate) fn loses_daemon(&self) {
        daemons_of(&self.home()).into_iter().for_each(processes::kill);
    }

    /// Kills what the daemon has started, as when its `ssh` crashes.
    pub(crate) fn loses_connection(&self) {
        self.helpers().into_iter().for_each(processes::kill);
    }

    /// Every process that this machine's daemon has started and not ended.
    pub(crate) fn helpers(&self) -> Vec<i32> {
        daemons_of(&self.home()).into_iter().flat_map(processes::descendants_of).collect()
    }

    /// Runs until nothing is left to move either way.
    #[track_caller]
    pub(crate) fn syncs(&self) {
        self.runs(&["sync"]).exits(0);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let stop = if thread::panicking() { processes::kill } else { processes::stop };
        daemons_of(&self.home()).into_iter().for_each(stop);
    }
}

/// Programs that stand in for the tester's come first.
fn path() -> OsString {
    let mut path = repository().join("tests/support/programs").into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    path
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}
