//! What scenario tests stand on: machines with the real daemon and client.
//!
//! A [`World`] has one folder backend and as many machines as a story needs.
//! All of it lies below one temporary folder, every wait is a poll with a
//! deadline, and no daemon outlives its machine.

mod binaries;
mod chance;
mod log;
mod machine;
mod mount;
mod outcome;
pub(crate) mod processes;
pub(crate) mod proxy;
mod recovery;
pub(crate) mod servers;
mod terminal;
mod tree;
mod world;

use std::env;
use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) use binaries::{binaries, repository};
pub(crate) use chance::{Chance, rounds};
pub(crate) use log::{logged, whole_log};
pub(crate) use machine::{Machine, text};
pub(crate) use mount::Mount;
pub(crate) use outcome::{Outcome, Started, run};
pub(crate) use processes::{daemons_holding, daemons_of};
pub(crate) use recovery::recover_by_hand;
pub(crate) use terminal::Session;
pub(crate) use tree::{Tree, files_below, same_trees};
pub(crate) use world::{World, has_project};

/// Set where a test that can't look for want of a program has failed.
const REQUIRE: &str = "MIRROR_TEST_REQUIRE";

/// How long anything may take on a busy machine before it counts as hung.
const PATIENCE: Duration = Duration::from_mins(2);

/// Asks again and again until `holds`, or fails saying what never came true.
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "still not so: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The same for what has to be asked for and waited for.
pub(crate) async fn in_the_end(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "still not so: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Says that a test could not look, and why. Goes past the test runner, which
/// keeps what a passing test prints to itself.
pub(crate) fn skipped(why: &str) {
    let test = thread::current();
    let name = test.name().unwrap_or("a test").to_owned();
    // Nobody to tell is no reason to fail.
    let _ = writeln!(io::stderr(), "skipped: {why} ({name})");
}

/// The same for want of a program that `tests/run.sh` installs: a failure where
/// it ran.
#[track_caller]
pub(crate) fn is_missing(program: &str) {
    let is_required = env::var_os(REQUIRE).is_some_and(|set| set != "0");
    assert!(!is_required, "{program} is not installed, and {REQUIRE} is set");
    skipped(&format!("{program} is not installed"));
}
