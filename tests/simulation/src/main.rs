//! `mirror-simulation`: runs many schedules, and says which break a promise.

use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use mirror_simulation::plants::{self, RULES, Rule};
use mirror_simulation::{find, hunt, run};

const USAGE: &str = "usage: mirror-simulation [--seeds N] [--first N] [--plant RULE] [--trace SEED]
  --seeds N     how many schedules to run (2000)
  --first N     the first seed (0)
  --plant RULE  take a rule away, and say after how many seeds that is found;
                `all` does so for each rule in turn
  --trace SEED  run one schedule and print what happened";

#[derive(Clone, Debug)]
struct Arguments {
    seeds: u64,
    first: u64,
    plant: Option<String>,
    trace: Option<u64>,
}

impl Arguments {
    fn parse() -> Option<Self> {
        let mut arguments = Self { seeds: 2_000, first: 0, plant: None, trace: None };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let value = words.next()?;
            match word.as_str() {
                "--seeds" => arguments.seeds = value.parse().ok()?,
                "--first" => arguments.first = value.parse().ok()?,
                "--plant" => arguments.plant = Some(value),
                "--trace" => arguments.trace = Some(value.parse().ok()?),
                _ => return None,
            }
        }
        Some(arguments)
    }

    /// The rules to take away, one at a time; `None` when one is unknown.
    fn rules(&self) -> Option<Vec<(&str, Rule)>> {
        match self.plant.as_deref() {
            None => Some(Vec::new()),
            Some("all") => Some(RULES.to_vec()),
            Some(name) => plants::named(name).map(|rule| vec![(name, rule)]),
        }
    }
}

fn main() -> ExitCode {
    let Some(arguments) = Arguments::parse() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let Some(rules) = arguments.rules() else {
        let names: Vec<&str> = RULES.iter().map(|(name, _)| *name).collect();
        eprintln!("there is no such rule; there are {}", names.join(", "));
        return ExitCode::from(2);
    };
    if rules.iter().any(|(_, rule)| !plants::can_plant(*rule)) {
        eprintln!("build with `--features plant` to take a rule away from the engine");
        return ExitCode::from(2);
    }
    let is_well = match arguments.trace {
        Some(seed) => trace(seed, rules.first().map(|(_, rule)| *rule)),
        None if rules.is_empty() => hunts(&arguments),
        None => {
            rules.iter().fold(true, |well, (name, rule)| finds(name, *rule, &arguments) && well)
        }
    };
    ExitCode::from(u8::from(!is_well))
}

fn threads() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Runs many schedules and tells of those that break a promise.
fn hunts(arguments: &Arguments) -> bool {
    let (begun, bad) = (Instant::now(), Mutex::new(Vec::new()));
    hunt(arguments.first..arguments.first + arguments.seeds, threads(), |outcome| {
        println!("seed {}: {}", outcome.seed, outcome.findings.join("; "));
        bad.lock().expect("no panic while it is held").push(outcome.seed);
    });
    let (count, seconds) = (arguments.seeds, begun.elapsed().as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let rate = count as f64 / seconds;
    let bad = bad.into_inner().expect("no panic while it was held");
    println!("{count} schedules in {seconds:.1} s ({rate:.0} a second), {} bad", bad.len());
    if let Some(seed) = bad.iter().min() {
        println!("see what happened with: --trace {seed}");
    }
    bad.is_empty()
}

/// Says after how many seeds the lack of a rule is found.
fn finds(name: &str, rule: Rule, arguments: &Arguments) -> bool {
    let begun = Instant::now();
    let found = find(rule, arguments.first..arguments.first + arguments.seeds, threads());
    let seconds = begun.elapsed().as_secs_f64();
    match &found {
        Some(outcome) => {
            let count = outcome.seed - arguments.first + 1;
            println!("{name}: found after {count} seeds ({seconds:.1} s): {}", outcome.findings[0]);
        }
        None => println!("{name}: NOT found within {} seeds ({seconds:.1} s)", arguments.seeds),
    }
    found.is_some()
}

fn trace(seed: u64, rule: Option<Rule>) -> bool {
    let outcome = run(seed, rule, true);
    for line in &outcome.lines {
        println!("{line}");
    }
    println!("digest {:016x}", outcome.digest);
    outcome.is_sound()
}
