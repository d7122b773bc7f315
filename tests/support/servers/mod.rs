//! Real servers for the tests: private, on a free port of this machine, gone
//! with the test.
//!
//! Each keeps its keys, settings and files in one temporary folder and counts
//! as started once it has answered. Where a server is not installed, the test
//! says so and passes.

mod guard;
pub(crate) mod sftp;

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

pub(crate) use guard::Guard;

/// Below the ports that systems give to outgoing connections: such a one could
/// hold a server's port just when that starts again.
const PORTS: std::ops::Range<u16> = 15_000..30_000;

/// A port of this machine that nobody listens on. Somebody else may be faster
/// to take it.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let count = PORTS.end - PORTS.start;
    // Each process of a test begins elsewhere.
    let begin = u16::try_from(process::id() % u32::from(count)).expect("it is below the count");
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = PORTS.start + begin.wrapping_add(next) % count;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// Where a program lies, in the folders of servers too.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}
