//! How long a saved file takes to the other machine, with nobody asking for it.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::place::{Place, fill, median};
use super::table::Table;

const FILES: usize = 200;
const RUNS: usize = 7;

/// What `auto_quiet` is at first.
const QUIET: Duration = Duration::from_secs(2);

/// A backend that hints at changes: nothing waits for a poll.
pub(crate) fn from_save_to_save(table: &mut Table) {
    let place = Place::new();
    fill(&place.path("few"), FILES);
    place.inits("few");
    place.mirrorctl("few", &["push"]);
    let other = Place::new();
    other.mirrorctl("", &["clone", &place.url("few.backend"), "few"]);
    let took = saved_to_there(&place, &other, "30s");
    let against = [("`auto_quiet`", QUIET)];
    table.time("from a save to the other machine", took, &against, "`auto_quiet` + 1.5 s");
}

/// How long what is saved in the project `few` of one place takes to the other.
pub(crate) fn saved_to_there(place: &Place, other: &Place, poll_interval: &str) -> Duration {
    for one in [place, other] {
        one.mirrorctl("few", &["config", "set", "poll_interval", poll_interval]);
        one.mirrorctl("few", &["config", "set", "auto", "both"]);
        wait_until(|| one.daemon()["projects"][0]["watch"] == "events");
    }
    let file = "few/part-000/note-00007.md";
    let mut number = 0;
    median(RUNS, || {
        number += 1;
        let (text, saved) = (format!("# Saved {number} times\n"), Instant::now());
        fs::write(place.path(file), &text).expect("it can be written");
        wait_until(|| fs::read_to_string(other.path(file)).is_ok_and(|here| here == text));
        saved.elapsed()
    })
}

fn wait_until(holds: impl Fn() -> bool) {
    while !holds() {
        thread::sleep(Duration::from_millis(5));
    }
}
