//! The daemon is killed at any moment of its work. Whatever command comes next
//! starts it again, and nothing is left to be done by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::two_machines::nothing_is_void;
use crate::support::{Chance, Machine, Outcome, World, eventually, files_below, logged};
use crate::support::{rounds, same_trees, whole_log};

/// How often machines may take turns until neither has anything to move.
const TURNS: usize = 12;

/// What each machine does while it is killed.
const COMMANDS: [&str; 3] = ["push", "pull", "sync"];

/// The file that both machines edit.
const PAGE: &str = "page.md";

/// What becomes of one machine in a round.
#[derive(Clone, Copy, Debug)]
struct Fate {
    command: &'static str,
    /// When the daemon is killed, if it is.
    death: Option<Duration>,
}

/// The files as they must be in the end: each was last saved by one machine,
/// which had the version before.
pub(super) struct Story {
    // Their daemons end before the folders go.
    pub(super) machines: [Machine; 2],
    pub(super) world: World,
    chance: Chance,
    files: BTreeMap<String, Vec<u8>>,
    /// What was saved or removed in this round.
    touched: BTreeSet<String>,
    /// What each machine last wrote into the page.
    words: [usize; 2],
    saves: usize,
    /// How long a push takes that nobody cuts off.
    usual: Duration,
    /// How many commands have lost their daemon.
    hits: usize,
}

impl Story {
    pub(super) fn told_in(world: World) -> Self {
        let machines = [world.first_machine("laptop", &[]), world.next_machine("desktop")];
        for machine in &machines {
            let file = machine.home().join("config/mirrord.toml");
            fs::write(file, "poll_interval = 2\n").expect("the settings");
            machine.runs(&["reload"]).exits(0);
        }
        Self {
            machines,
            world,
            chance: Chance::new(),
            files: BTreeMap::new(),
            touched: BTreeSet::new(),
            words: [0, 0],
            saves: 0,
            usual: Duration::ZERO,
            hits: 0,
        }
    }

    /// Either machine saves and removes files; none is touched by both.
    pub(super) fn works(&mut self) {
        self.touched.clear();
        let owner = self.chance.below(2);
        for number in 0..24 {
            let path = match number % 3 {
                0 => format!("laptop/{number}.md"),
                1 => format!("desktop/{number}.md"),
                _ => format!("shared/{number}.md"),
            };
            let machine = match number % 3 {
                2 => (number + owner) % 2,
                own => own,
            };
            match self.chance.below(8) {
                0..4 => self.saves(machine, &path),
                4 => self.removes(machine, &path),
                _ => {}
            }
        }
    }

    /// Both machines edit the page, each in a line of its own.
    pub(super) fn edits_page(&mut self) {
        let page = |words: [usize; 2]| format!("{}\nin\nbetween\n{}\n", words[0], words[1]);
        let before = self.words;
        for machine in 0..2 {
            if self.chance.one_in(2) || before == [0, 0] {
                self.saves += 1;
                self.words[machine] = self.saves;
                let mut seen = before;
                seen[machine] = self.saves;
                self.machines[machine].writes(PAGE, page(seen));
            }
            if before == [0, 0] {
                // It exists before both of them edit it.
                break;
            }
        }
        self.files.insert(PAGE.to_owned(), page(self.words).into_bytes());
    }

    fn saves(&mut self, machine: usize, path: &str) {
        self.saves += 1;
        let mut content = format!("save {} of {path}\n", self.saves).into_bytes();
        let length = if self.chance.one_in(6) { 300_000 } else { 200 };
        content.extend(self.chance.noise(length));
        self.machines[machine].writes(path, &content);
        self.files.insert(path.to_owned(), content);
        self.touched.insert(path.to_owned());
    }

    fn removes(&mut self, machine: usize, path: &str) {
        if self.files.remove(path).is_some() {
            self.machines[machine].removes(path);
            self.touched.insert(path.to_owned());
        }
    }

    /// Both machines run a command, and one daemon or both are killed meanwhile.
    #[track_caller]
    pub(super) fn crashes(&mut self) -> String {
        if self.usual.is_zero() || self.chance.one_in(2) {
            // The other one has much to fetch then.
            let machine = self.chance.below(2);
            let begun = Instant::now();
            self.machines[machine].runs(&["push", "--allow-deletes"]).exits(0);
            let before = if self.usual.is_zero() { begun.elapsed() } else { self.usual };
            self.usual = (before * 3 + begun.elapsed()) / 4;
        }
        let deaths = [[true, false], [false, true], [true, true]][self.chance.below(3)];
        let fates = deaths.map(|dies| {
            let command = *self.chance.pick(&COMMANDS);
            // Half as long again as it takes: some are killed when they are done.
            let span = self.usual * 3 / 2;
            let span = usize::try_from(span.as_micros()).unwrap_or(usize::MAX);
            let death = Duration::from_micros(self.chance.below(span) as u64);
            Fate { command, death: dies.then_some(death) }
        });
        let [ours, theirs] = &self.machines;
        let outcomes = thread::scope(|scope| {
            let running = [(ours, fates[0]), (theirs, fates[1])].map(|(machine, fate)| {
                scope.spawn(move || {
                    if let Some(death) = fate.death {
                        thread::sleep(death);
                        machine.loses_daemon();
                    }
                });
                scope.spawn(move || machine.tries(&[fate.command, "--allow-deletes"]))
            });
            running.map(|command| command.join().expect("it ends"))
        });
        let case = format!("{fates:?}");
        for (machine, (fate, outcome)) in fates.iter().zip(&outcomes).enumerate() {
            self.believes(machine, *fate, outcome, &case);
        }
        case
    }

    /// What a command said is so, however it ended.
    #[track_caller]
    fn believes(&mut self, machine: usize, fate: Fate, outcome: &Outcome, case: &str) {
        match outcome.code {
            Some(0 | 3 | 4) => {
                if let Some(commit) = outcome.result()["commit"].as_u64() {
                    let logged = logged(&self.world, commit);
                    assert_eq!(logged["machine"], ["laptop", "desktop"][machine], "{case}");
                }
            }
            Some(5) if fate.death.is_some() => self.hits += 1,
            _ => panic!("{case}: {outcome:#?}"),
        }
    }

    /// Whether there is another round. Where too few of the kills hit a command
    /// that was under way, as on a machine that is busy now, there are more.
    pub(super) fn goes_on(&self, round: usize, count: usize) -> bool {
        round < count || (self.hits * 6 < count && round < count * 5)
    }

    /// Enough of the kills hit a command that was under way, and all of the log
    /// is whole and counts.
    #[track_caller]
    pub(super) fn ends(&self, rounds: usize) {
        assert!(self.hits * 6 >= rounds, "{} hits in {rounds} rounds", self.hits);
        whole_log(&self.world);
        nothing_is_void(&self.machines[0]);
    }

    /// Machines take turns until neither has anything to move.
    #[track_caller]
    pub(super) fn settles(&mut self, case: &str) {
        for _ in 0..TURNS {
            // A commit that a crash cut off is made good and told by no report.
            let head = self.world.head();
            let mut moved = 0;
            for machine in &self.machines {
                let synced = machine.tries(&["sync", "--allow-deletes"]);
                assert!(matches!(synced.code, Some(0 | 4)), "{case}: {synced:#?}");
                let synced = synced.result();
                moved += list(&synced, "files").len() + list(&synced, "failed").len();
            }
            if moved == 0 && self.world.head() == head {
                return;
            }
        }
        panic!("{case}: the machines never come to rest");
    }

    /// A machine or both forget all that they agreed on.
    fn forgets(&mut self) {
        let victims = [&[0][..], &[1], &[0, 1]][self.chance.below(3)];
        for machine in victims.iter().map(|victim| &self.machines[*victim]) {
            machine.loses_daemon();
            fs::remove_dir_all(machine.home().join("state")).expect("the state goes away");
        }
    }

    /// Of a file that was edited here, a machine without its state can't tell
    /// what the edit was based on, nor of one that is deleted elsewhere whether
    /// it is new: a person decides. Any other file is no conflict.
    #[track_caller]
    fn decides(&self, case: &str) {
        for machine in &self.machines {
            let synced = machine.tries(&["sync", "--allow-deletes"]);
            assert!(matches!(synced.code, Some(0 | 3 | 4)), "{case}: {synced:#?}");
            for conflict in list(&synced.result(), "conflicts") {
                let path = conflict.as_str().expect("a path");
                assert!(self.touched.contains(path), "{case}: a false conflict of {path}");
            }
            machine.tries(&["sync", "--allow-deletes", "--strategy", "keep-local"]);
            let is_saved_here = |path: &&String| {
                let stands = fs::read(machine.path(path)).ok();
                stands.is_some() && stands.as_ref() == self.files.get(*path)
            };
            let saved = self.touched.iter().filter(is_saved_here).map(String::as_str);
            let push: Vec<&str> = ["push", "--allow-deletes"].into_iter().chain(saved).collect();
            machine.tries(&push);
        }
    }

    /// A deletion that was not pushed may be undone, and one that was not pulled
    /// leaves the file where it stood.
    #[track_caller]
    fn takes_back_deletions(&mut self, case: &str) {
        let [ours, theirs] = self.machines.each_ref().map(names);
        for path in ours.iter().chain(&theirs) {
            if self.files.contains_key(path) {
                continue;
            }
            assert!(self.touched.contains(path), "{case}: {path} came out of nowhere");
            if ours.contains(path) && theirs.contains(path) {
                let content = fs::read(self.machines[0].path(path)).expect("the file is there");
                self.files.insert(path.clone(), content);
            } else {
                self.machines[usize::from(theirs.contains(path))].removes(path);
            }
        }
    }

    /// Every saved version stands everywhere, and nothing else does.
    #[track_caller]
    pub(super) fn checks(&self, case: &str) {
        let expected: Vec<String> = self.files.keys().cloned().collect();
        for machine in &self.machines {
            assert_eq!(names(machine), expected, "{case}");
            for (path, content) in &self.files {
                let stands = fs::read(machine.path(path)).expect("the file can be read");
                assert!(stands == *content, "{case}: {path} is another version");
            }
        }
    }
}

fn list<'a>(result: &'a Value, key: &str) -> &'a [Value] {
    result[key].as_array().map_or(&[], Vec::as_slice)
}

/// Every file in the project folder, ours included.
fn names(machine: &Machine) -> Vec<String> {
    let root = machine.root();
    let below =
        |path: &PathBuf| path.strip_prefix(&root).expect("it is below").display().to_string();
    files_below(&root).iter().map(below).collect()
}

#[test]
fn killed_daemon_loses_nothing_and_leaves_nothing_to_do() {
    let mut story = Story::told_in(World::new());
    let (count, mut round) = (rounds(20, 1_000), 0);
    while story.goes_on(round, count) {
        story.works();
        story.edits_page();
        let case = format!("round {round}: {}", story.crashes());
        story.settles(&case);
        story.checks(&case);
        same_trees(&story.machines[0].tree(), &story.world.view());
        round += 1;
    }
    story.ends(count);
}

#[test]
fn killed_daemon_that_forgot_everything_loses_no_edit() {
    let mut story = Story::told_in(World::new());
    for round in 0..rounds(5, 300) {
        story.works();
        let case = format!("round {round}: {}", story.crashes());
        story.forgets();
        story.decides(&case);
        story.settles(&case);
        story.takes_back_deletions(&case);
        story.checks(&case);
    }
    // Nobody knows what the killed daemons still had to write there: what was
    // seen to be old in two looks is.
    let tree = story.machines[0].tree();
    eventually("the plain files are the newest", || story.world.view() == tree);
}
