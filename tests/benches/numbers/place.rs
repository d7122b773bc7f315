//! A machine with the release programs, and a clock around what it runs.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A temporary folder with one machine in it. Its daemon ends with it.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    /// Socket paths are limited to 107 bytes, hence the short folder.
    pub(crate) fn new() -> Self {
        let folder =
            tempfile::Builder::new().prefix("mb").tempdir_in("/tmp").expect("a temporary folder");
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("folder:{}", self.path(name).display())
    }

    /// Runs a command to its end and gives how long it took.
    #[track_caller]
    pub(crate) fn mirrorctl(&self, inside: &str, arguments: &[&str]) -> Duration {
        let mut command = self.command(inside, arguments);
        timed(&mut command)
    }

    /// Makes a project of every file in a folder, on a backend of its own.
    #[track_caller]
    pub(crate) fn inits(&self, name: &str) -> Duration {
        let url = self.url(&format!("{name}.backend"));
        self.mirrorctl(name, &["init", ".", "--to", &url, "--pattern", "**/*"])
    }

    /// What the daemon says of itself.
    #[track_caller]
    pub(crate) fn daemon(&self) -> Value {
        let output = run(&mut self.command("", &["--json", "daemon", "status"]));
        serde_json::from_slice::<Value>(&output.stdout).expect("one JSON text")["result"].take()
    }

    /// Calls of the project's backend since the daemon started.
    pub(crate) fn backend_calls(&self, project: &str) -> u64 {
        let calls = &self.daemon()["backend_calls"][format!("{project}/primary")];
        calls.as_object().expect("counts by name").values().filter_map(Value::as_u64).sum()
    }

    pub(crate) fn stops_the_daemon(&self) {
        run(&mut self.command("", &["daemon", "stop"]));
    }

    fn pid(&self) -> u64 {
        self.daemon()["pid"].as_u64().expect("a pid")
    }

    /// A field of the daemon's `/proc/<pid>/status`, in MB.
    pub(crate) fn memory(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with(field)).expect("a field of Linux");
        let kilobytes = line.split_whitespace().nth(1).and_then(|number| number.parse().ok());
        kilobytes.unwrap_or(0_u64) / 1_024
    }

    /// Processor time that the daemon has used, in hundredths of a second.
    pub(crate) fn processor_ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("it runs");
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
    }

    pub(crate) fn command(&self, inside: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(binaries().join("mirrorctl"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("MIRRORD_HOME", self.path("h"))
            .current_dir(self.path(inside));
        command
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.stops_the_daemon();
    }
}

/// Writes text files of 4 KB, a hundred to a folder, each with another content.
pub(crate) fn fill(folder: &Path, count: usize) {
    fill_with(folder, count, 4_096);
}

/// The same, with files of about `len` bytes.
pub(crate) fn fill_with(folder: &Path, count: usize, len: usize) {
    for number in 0..count {
        let inside = folder.join(format!("part-{:03}", number / 100));
        fs::create_dir_all(&inside).expect("a folder can be made");
        let mut text = format!("# Note {number}\n");
        let mut word = number as u64;
        while text.len() < len {
            word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040);
            write!(text, "{:x} ", word >> 44).expect("a text takes it");
        }
        fs::write(inside.join(format!("note-{number:05}.md")), text).expect("a file is written");
    }
}

/// The middle one of some runs.
pub(crate) fn median(runs: usize, mut run: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<_> = (0..runs).map(|_| run()).collect();
    times.sort();
    times[runs / 2]
}

#[track_caller]
pub(crate) fn timed(command: &mut Command) -> Duration {
    let begun = Instant::now();
    run(command);
    begun.elapsed()
}

/// Runs a line of shell, which must end well, and gives how long it took.
#[track_caller]
pub(crate) fn shell(inside: &Path, line: &str) -> Duration {
    timed(Command::new("sh").args(["-c", line]).current_dir(inside))
}

#[track_caller]
fn run(command: &mut Command) -> Output {
    let output = command.output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {said}", output.status);
    output
}

/// What five small files cost that survive a power cut: a pack, an entry, an
/// attempt, a base and a file of the view.
pub(crate) fn five_flushed_files(folder: &Path) -> Duration {
    let begun = Instant::now();
    for number in 0..5 {
        let mut file = File::create(folder.join(format!("flushed-{number}"))).expect("a file");
        file.write_all(&[b'x'; 1_024]).and_then(|()| file.sync_all()).expect("it is flushed");
    }
    begun.elapsed()
}

/// The release programs: from `MIRROR_TEST_BIN_DIR`, or built now.
fn binaries() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| match std::env::var_os("MIRROR_TEST_BIN_DIR") {
        Some(folder) => folder.into(),
        None => build(),
    })
}

fn build() -> PathBuf {
    let bench = std::env::current_exe().expect("the path of this program");
    let folder = bench.ancestors().nth(2).expect("benches are built in <profile>/deps");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["build", "--locked", "--release", "-p", "mirrord", "-p", "mirrorctl"];
    run(Command::new(cargo).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")));
    folder.to_owned()
}
