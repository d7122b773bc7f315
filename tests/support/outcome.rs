//! One command that ran to its end, and what can be asked of it.

use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use super::{eventually, processes};

/// How a command ended.
pub(crate) struct Outcome {
    command: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn run(command: Command) -> Outcome {
    start(command).ends()
}

/// A command that runs.
pub(crate) struct Started {
    command: String,
    child: Running,
    stdout: File,
    stderr: File,
}

/// Starts a command. What it prints goes to files: a pipe would stay open for
/// as long as a daemon that it started.
#[track_caller]
pub(crate) fn start(mut command: Command) -> Started {
    let name = said(&command);
    let stdout = tempfile::tempfile().expect("a file for stdout");
    let stderr = tempfile::tempfile().expect("a file for stderr");
    let child = command
        .stdin(Stdio::null())
        .stdout(stdout.try_clone().expect("a second handle"))
        .stderr(stderr.try_clone().expect("a second handle"))
        .spawn()
        .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
    Started { command: name, child: Running(child), stdout, stderr }
}

impl Started {
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.ended().is_some()
    }

    /// Presses Ctrl-C.
    pub(crate) fn interrupts(&self) {
        processes::send(self.pid(), Signal::INT);
    }

    /// Kills it where it stands.
    pub(crate) fn kills(&self) {
        processes::send(self.pid(), Signal::KILL);
    }

    #[track_caller]
    pub(crate) fn ends(mut self) -> Outcome {
        let code = self.child.ends(&self.command).code();
        let (stdout, stderr) = (all_of(self.stdout), all_of(self.stderr));
        Outcome { command: self.command, code, stdout, stderr }
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.child.0.id()).expect("a pid")
    }
}

/// A program that does not outlive whoever waits for it.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    /// How it has ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().expect("the child can be asked")
    }

    #[track_caller]
    pub(crate) fn ends(&mut self, name: &str) -> ExitStatus {
        let mut status = None;
        eventually(&format!("{name} has ended"), || {
            status = self.ended();
            status.is_some()
        });
        status.expect("it has ended")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended, unless somebody gave up waiting.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The command as a person would type it, near enough.
fn said(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name();
    let words = program.into_iter().chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

fn all_of(mut file: File) -> String {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).expect("the output rewinds");
    file.read_to_end(&mut bytes).expect("the output is read");
    String::from_utf8(bytes).expect("the output is UTF-8")
}

/// Whole, for the message of a failed check.
impl fmt::Debug for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, code, stdout, stderr } = self;
        write!(out, "{command}\nexit code {code:?}\nstdout: {stdout}\nstderr: {stderr}")
    }
}

impl Outcome {
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Checks that the message for people has these words, whatever their case.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        let told = self.stderr.to_lowercase();
        assert!(told.contains(&words.to_lowercase()), "{words:?} in {self:#?}");
        self
    }

    /// The `result` that a command printed with `--json`.
    #[track_caller]
    pub(crate) fn result(&self) -> Value {
        self.part_of(&self.stdout, "result")
    }

    /// The `error` that a command printed with `--json`; stdout stays empty.
    #[track_caller]
    pub(crate) fn error(&self) -> Value {
        assert_eq!(self.stdout, "", "stdout beside an error: {self:#?}");
        self.part_of(&self.stderr, "error")
    }

    #[track_caller]
    fn part_of(&self, text: &str, key: &str) -> Value {
        let document: Value =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {self:#?}"));
        assert_eq!(document["version"], 1, "{self:#?}");
        let part = &document[key];
        assert!(!part.is_null(), "no {key}: {self:#?}");
        part.clone()
    }
}
