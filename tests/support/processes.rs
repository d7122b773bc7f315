//! Daemons as the operating system sees them.
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
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .filter_map(|process| process.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| is_daemon_of(*pid, home))
        .collect()
}

fn is_daemon_of(pid: i32, home: &Path) -> bool {
    let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else {
        return false;
    };
    let mut wanted = OsString::from("MIRRORD_HOME=").into_vec();
    wanted.extend_from_slice(home.as_os_str().as_bytes());
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim_end() == "mirrord"
        && is_running(pid)
        && environment.split(|byte| *byte == 0).any(|one| one == wanted)
}

fn is_running(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
        !state.starts_with('Z') && !state.starts_with('X')
    })
}

/// Sends SIGTERM and waits until the process is gone.
#[track_caller]
pub(crate) fn stop(pid: i32) {
    send(pid, Signal::TERM);
    eventually(&format!("daemon {pid} has stopped"), || !is_running(pid));
}

pub(crate) fn kill(pid: i32) {
    send(pid, Signal::KILL);
    eventually(&format!("daemon {pid} is dead"), || !is_running(pid));
}

fn send(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        // Gone in the meantime is what is wanted anyway.
        let _ = kill_process(pid, signal);
    }
}
