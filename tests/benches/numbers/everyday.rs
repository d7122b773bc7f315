//! What a person waits for all day: a look, and the push of one file.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::process::Command;
use std::time::Duration;

use super::place::{Place, fill, five_flushed_files, median, shell, timed};
use super::table::Table;

const RUNS: usize = 11;
const OFTEN: usize = 101;
const MANY: usize = 20_000;
const FEW: usize = 200;

pub(crate) fn start_up(table: &mut Table) {
    let place = Place::new();
    let help = median(RUNS, || place.mirrorctl("", &["--help"]));
    table.time("`--help`, whole process", help, &[("/bin/true", floor())], "-");
}

fn floor() -> Duration {
    median(RUNS, || timed(&mut Command::new("/bin/true")))
}

pub(crate) fn twenty_thousand_files(table: &mut Table) {
    let place = Place::new();
    fill(&place.path("many"), MANY);
    scan(&place, table);
    let pushed = place.mirrorctl("many", &["push"]);
    table.amount("daemon after a push of 20,000 files, MB", place.memory("VmRSS"), "tens of MB");
    table.amount("the most it held, MB", place.memory("VmHWM"), "-");
    let copied = shell(&place.path(""), "cp -r many copy && sync -f copy");
    table.time("first push of 20,000 files", pushed, &[("cp -r, sync", copied)], "-");
    status(&place, table);
    push_of_one(&place, "many", "20,000", table);
    place.stops_the_daemon();
    place.mirrorctl("many", &["status", "--offline"]);
    table.amount("daemon started anew on them, MB", place.memory("VmRSS"), "tens of MB");
}

/// From nothing to the first status: both programs start, `init` creates the
/// project, the status looks at every file and digests it.
fn scan(place: &Place, table: &mut Table) {
    let line = "find . -type f -print0 | xargs -0 sha256sum > /dev/null";
    let digested = median(3, || shell(&place.path("many"), line));
    let begun = place.inits("many");
    let looked = begun + place.mirrorctl("many", &["status", "--offline"]);
    table.time("init and first scan of 20,000", looked, &[("sha256sum", digested)], "1 s");
}

fn status(place: &Place, table: &mut Table) {
    shell(&place.path("copy"), "git init -q . && git add -A");
    let git = median(RUNS, || shell(&place.path("copy"), "git status --short > /dev/null"));
    // What was saved a moment ago is read again by each look: let it settle.
    std::thread::sleep(SETTLED);
    let offline = median(RUNS, || place.mirrorctl("many", &["status", "--offline"]));
    let against = [("/bin/true", floor()), ("git status, nothing committed", git)];
    table.time("`status --offline`, 20,000 files", offline, &against, "20 ms");
}

/// Longer than a file counts as just written.
const SETTLED: Duration = Duration::from_secs(3);

pub(crate) fn two_hundred_files(table: &mut Table) {
    let place = Place::new();
    fill(&place.path("few"), FEW);
    place.inits("few");
    place.mirrorctl("few", &["push"]);
    push_of_one(&place, "few", "200", table);
    at_every_line(&place, table);
}

/// What a shell and an agent ask at every step, when there is nothing to say.
fn at_every_line(place: &Place, table: &mut Table) {
    let said = place.path("said.json");
    let input = serde_json::json!({"session_id": "s", "cwd": place.path("few"), "prompt": "go on"});
    fs::write(&said, input.to_string()).expect("it can be written");
    let hook = |event: &str| {
        let mut command = place.command("few", &["hook", event]);
        command.stdin(fs::File::open(&said).expect("it was written"));
        timed(&mut command)
    };
    // The session begins, and is told what there is.
    hook("session-start");
    let told = median(OFTEN, || hook("user-prompt-submit"));
    table.time("`hook` with nothing to say", told, &[("/bin/true", floor())], "5 ms");
    let prompt = median(OFTEN, || place.mirrorctl("few", &["prompt"]));
    table.time("`prompt`", prompt, &[("/bin/true", floor())], "5 ms");
}

fn push_of_one(place: &Place, project: &str, among: &str, table: &mut Table) {
    let file = place.path(project).join("part-000/note-00007.md");
    let edit = || {
        let mut file = OpenOptions::new().append(true).open(&file).expect("the file is there");
        file.write_all(b"more\n").expect("it can be written");
    };
    let before = place.backend_calls(project);
    let pushed = median(RUNS, || {
        edit();
        place.mirrorctl(project, &["push"])
    });
    let calls = (place.backend_calls(project) - before) / RUNS as u64;
    let scratch = place.path("scratch");
    fs::create_dir_all(&scratch).expect("a folder can be made");
    let flushed = median(RUNS, || five_flushed_files(&scratch));
    let what = format!("push of 1 changed among {among}");
    table.time(&what, pushed, &[("5 flushed files", flushed)], "50 ms");
    let what = format!("its backend calls, view included, among {among}");
    table.amount(&what, calls, "4 till it is safe");
}
