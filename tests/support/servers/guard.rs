//! A server process that never outlives the test that started it.
//!
//! A shell stands between the two and waits for the end of its input. That end
//! comes with the test's own, even when nothing was left to clean up: after a
//! kill, or for a server that all tests share and nobody drops.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::support::processes;

const SCRIPT: &str = include_str!("guard.sh");

/// The server, and the shell that ends it with all that it has started.
pub(crate) struct Guard {
    shell: Child,
    lifeline: Option<ChildStdin>,
    server: i32,
    folder: PathBuf,
}

impl Guard {
    /// Starts a server that keeps all of its files in `folder`.
    pub(crate) fn start(folder: &Path, server: &[String]) -> Self {
        // In a session of its own: neither a Ctrl-C at the tests nor the system,
        // which ends what a dead process leaves stopped, comes before its work.
        let mut shell = Command::new("setsid")
            .args(["sh", "-c", SCRIPT, "guard"])
            .arg(folder)
            .args(server)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell starts");
        let lifeline = shell.stdin.take();
        let said = BufReader::new(shell.stdout.take().expect("its output")).lines().next();
        let said = said.expect("the shell starts the server").expect("it says the pid");
        let server = said.parse().expect("a pid");
        Self { shell, lifeline, server, folder: folder.to_owned() }
    }

    pub(crate) fn is_running(&self) -> bool {
        processes::is_running(self.server)
    }

    /// What the server has started and not ended.
    pub(crate) fn children(&self) -> Vec<i32> {
        processes::descendants_of(self.server)
    }

    /// What the server has printed.
    pub(crate) fn output(&self) -> String {
        fs::read_to_string(self.folder.join("output")).unwrap_or_default()
    }

    /// Ends the server and keeps its folder.
    pub(crate) fn stop(mut self) {
        let mut lifeline = self.lifeline.take().expect("it is there until dropped");
        lifeline.write_all(b"stop\n").expect("the shell listens");
        drop(lifeline);
        self.shell.wait().expect("the shell ends");
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // Nothing is left to do about a shell that is gone already.
        let _ = self.shell.wait();
    }
}
