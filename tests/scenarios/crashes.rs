//! The daemon is killed at any moment of its work. Whatever command comes next
//! starts it again, and nothing is left to be done by hand.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Chance, Machine, World, files_below, rounds, same_trees};

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
struct Story {
    world: World,
    machines: [Machine; 2],
    chance: Chance,
    files: BTreeMap<String, Vec<u8>>,
    /// What each machine last wrote into the page.
    words: [usize; 2],
    saves: usize,
    /// How long a push takes that nobody cuts off.
    usual: Duration,
}

impl Story {
    fn new() -> Self {
        let world = World::new();
        let machines = [world.first_machine("laptop", &[]), world.next_machine("desktop")];
        let usual = Duration::from_millis(100);
        let (chance, files) = (Chance::new(), BTreeMap::new());
        Self { world, machines, chance, files, words: [0, 0], saves: 0, usual }
    }

    /// Either machine saves and removes files. Only one file is touched by both,
    /// each in a line of its own.
    fn works(&mut self) {
        self.edits_page();
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

    /// What the two make of the page merges by itself.
    fn edits_page(&mut self) {
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
    }

    fn removes(&mut self, machine: usize, path: &str) {
        if self.files.remove(path).is_some() {
            self.machines[machine].removes(path);
        }
    }

    /// Both machines run a command, and one daemon or both are killed meanwhile.
    fn crashes(&mut self) -> String {
        if self.chance.one_in(2) {
            // The other one has much to fetch then.
            let machine = self.chance.below(2);
            let begun = Instant::now();
            self.machines[machine].runs(&["push", "--allow-deletes"]).exits(0);
            self.usual = (self.usual * 3 + begun.elapsed()) / 4;
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
        thread::scope(|scope| {
            for (machine, fate) in self.machines.iter().zip(fates) {
                scope.spawn(move || machine.tries(&[fate.command, "--allow-deletes"]));
                scope.spawn(move || {
                    fate.death.map(thread::sleep);
                    fate.death.map(|_| machine.loses_daemon());
                });
            }
        });
        format!("{fates:?}")
    }

    /// Machines take turns until neither has anything to move.
    #[track_caller]
    fn settles(&mut self, case: &str) {
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

    /// Every saved version stands everywhere, and nothing else does.
    #[track_caller]
    fn checks(&self, case: &str) {
        let expected: Vec<String> = self.files.keys().cloned().collect();
        for machine in &self.machines {
            assert_eq!(names(machine), expected, "{case}");
            for (path, content) in &self.files {
                let stands = fs::read(machine.path(path)).expect("the file can be read");
                assert!(stands == *content, "{case}: {path} is another version");
            }
            same_trees(&machine.tree().without_modes(), &self.world.view());
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
    let mut story = Story::new();
    for round in 0..rounds(20, 1_000) {
        story.works();
        let case = format!("round {round}: {}", story.crashes());
        story.settles(&case);
        story.checks(&case);
    }
}
