//! Processes as the operating system sees them.
//!
//! A daemon that hangs can't be asked for its pid, so they are looked up by
//! the `MIRRORD_HOME` that they were started with.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use super::eventually;

/// The daemons that run with this `MIRRORD_HOME`; zombies don't run.
pub(crate) fn daemons_of(home: &Path) -> Vec<i32> {
    all().filter(|pid| is_daemon_of(*pid, home)).collect()
}

/// The daemon that holds this state folder, by what its lock says; none where that
/// is a crashed one's.
pub(crate) fn daemons_holding(state: &Path) -> Vec<i32> {
    let lock = fs::read_to_string(state.join("mirrord.lock")).unwrap_or_default();
    let pid = lock.lines().find_map(|line| line.strip_prefix("pid ")?.parse().ok());
    pid.into_iter().filter(|pid| is_daemon(*pid)).collect()
}

/// What a process has started, and what that has started; zombies left out.
pub(crate) fn descendants_of(pid: i32) -> Vec<i32> {
    let children: Vec<i32> = all().filter(|child| parent_of(*child) == Some(pid)).collect();
    let below = children.iter().copied().flat_map(descendants_of);
    children.iter().copied().filter(|child| is_running(*child)).chain(below).collect()
}

fn all() -> impl Iterator<Item = i32> {
    let processes = fs::read_dir("/proc").into_iter().flatten();
    processes.filter_map(|process| process.ok()?.file_name().to_str()?.parse().ok())
}

/// What stands after the name of a process: its state, then its parent.
fn stat(pid: i32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ").map(|(_, rest)| rest.to_owned())
}

fn parent_of(pid: i32) -> Option<i32> {
    stat(pid)?.split(' ').nth(1)?.parse().ok()
}

fn is_daemon_of(pid: i32, home: &Path) -> bool {
    let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else {
        return false;
    };
    let mut wanted = OsString::from("MIRRORD_HOME=").into_vec();
    wanted.extend_from_slice(home.as_os_str().as_bytes());
    is_daemon(pid) && environment.split(|byte| *byte == 0).any(|one| one == wanted)
}

fn is_daemon(pid: i32) -> bool {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim_end() == "mirrord" && is_running(pid)
}

pub(crate) fn is_running(pid: i32) -> bool {
    stat(pid).is_some_and(|stat| !stat.starts_with(['Z', 'X']))
}

/// Sends SIGTERM and waits until the process is gone.
#[track_caller]
pub(crate) fn stop(pid: i32) {
    send(pid, Signal::TERM);
    eventually(&format!("process {pid} has stopped"), || !is_running(pid));
}

pub(crate) fn kill(pid: i32) {
    send(pid, Signal::KILL);
    eventually(&format!("process {pid} is dead"), || !is_running(pid));
}

pub(crate) fn send(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        // Gone in the meantime is what is wanted anyway.
        let _ = kill_process(pid, signal);
    }
}
