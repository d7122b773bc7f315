//! What a person waits for when the backend is far away.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::peers;
use super::place::{Place, fill_with, median};
use super::server::FarServer;
use super::table::Table;

const ROUNDS: usize = 5;
const FILES: usize = 500;
const LEN: usize = 3 * 1024;

/// A first push, from a daemon that is not running yet to the last file of the
/// view, beside programs that bring the plain files alone.
pub(crate) fn first_of_five_hundred(server: &FarServer, table: &mut Table) {
    let mut rounds = Vec::new();
    for round in 1..=ROUNDS {
        eprintln!("measuring: first push, round {round} of {ROUNDS}");
        let place = Place::new();
        let folder = place.path("few");
        fill_with(&folder, FILES, LEN);
        server.inits(&place, "few");
        place.stops_the_daemon();
        let pushed = push(&place, "few");
        rounds.push((pushed, peers::rsync(server, &folder)));
    }
    let of = |which: fn(&(Pushed, Option<Duration>)) -> Option<Duration>| {
        let mut times = rounds.iter().filter_map(which).collect::<Vec<_>>().into_iter();
        (times.len() == ROUNDS).then(|| median(ROUNDS, || times.next().expect("one a round")))
    };
    let mut against: Vec<(&str, Duration)> = Vec::new();
    against.extend(of(|(_, rsync)| *rsync).map(|time| ("rsync -a", time)));
    let committed = of(|(pushed, _)| Some(pushed.committed)).expect("measured each round");
    let returned = of(|(pushed, _)| Some(pushed.returned)).expect("measured each round");
    table.time("first push of 500, cold: `committed`", committed, &against, "1 s");
    table.time("the same with its view", returned, &against, "2 x rsync");
    let rclone = rclone_times(server);
    table.time("the same", returned, &rclone, "far ahead");
}

/// One run each: they take their time.
fn rclone_times(server: &FarServer) -> Vec<(&'static str, Duration)> {
    let Some(rclone) = peers::rclone() else {
        eprintln!("not measured: no rclone, neither in $RCLONE nor on the PATH");
        return Vec::new();
    };
    let place = Place::new();
    let folder = place.path("few");
    fill_with(&folder, FILES, LEN);
    [("rclone, 4 transfers", 4), ("16", 16), ("32", 32)]
        .map(|(name, transfers)| {
            eprintln!("measuring: rclone with {transfers} transfers");
            (name, peers::rclone_sync(&rclone, transfers, server, &folder))
        })
        .to_vec()
}

/// An edit of one file, of another one each time and of the same one again:
/// what the view holds was not looked at since the first, and was by the other.
pub(crate) fn one_among_five_hundred(server: &FarServer, table: &mut Table) {
    let place = Place::new();
    fill_with(&place.path("few"), FILES, LEN);
    server.inits(&place, "few");
    push(&place, "few");
    let mut committed = Vec::new();
    for (what, step) in [("another one each time", 1), ("the same one again", 0)] {
        let mut number = 100;
        let pushed = median(2 * ROUNDS + 1, || {
            number += step;
            appends(&place.path(&format!("few/part-001/note-{number:05}.md")));
            let pushed = push(&place, "few");
            committed.push(pushed.committed);
            pushed.returned
        });
        let what = format!("push of 1 changed among 500, {what}");
        table.time(&what, pushed, &[], "700 ms");
    }
    let count = committed.len();
    let committed = median(count, || committed.pop().expect("one a push"));
    table.time("of that, `committed`", committed, &[], "-");
}

fn appends(file: &Path) {
    let mut file = OpenOptions::new().append(true).open(file).expect("the file is there");
    file.write_all(b"more\n").expect("it can be written");
}

/// When a push said that it is safe, and when it returned.
struct Pushed {
    committed: Duration,
    returned: Duration,
}

#[track_caller]
fn push(place: &Place, project: &str) -> Pushed {
    let begun = Instant::now();
    let mut command = place.command(project, &["push"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
    let said = BufReader::new(child.stdout.take().expect("its output"));
    let mut committed = None;
    for line in said.lines() {
        if line.expect("it says text").starts_with("committed") {
            committed = Some(begun.elapsed());
        }
    }
    assert!(child.wait().expect("it ends").success(), "a push failed");
    let returned = begun.elapsed();
    Pushed { committed: committed.expect("it said that it is safe"), returned }
}
