//! `mirror-simulation`: runs many schedules, and says which break a promise.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use mirror_simulation::plants::{self, RULES, Rule};
use mirror_simulation::report::Outcome;
use mirror_simulation::run;

const USAGE: &str =
    "usage: mirror-simulation [--seeds N] [--first N] [--plant RULE|all] [--trace SEED]
  --seeds N     how many schedules to run (2000)
  --first N     the first seed (0)
  --plant RULE  take a rule away, and say after how many seeds that is found
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
}

fn main() -> ExitCode {
    let Some(arguments) = Arguments::parse() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let rule = match arguments.plant.as_deref() {
        None => None,
        Some("all") => return plant_all(&arguments),
        Some(name) => match plants::named(name) {
            Some(rule) => Some(rule),
            None => {
                let names: Vec<&str> = RULES.iter().map(|(name, _)| *name).collect();
                eprintln!("no rule is named {name}; there are {}", names.join(", "));
                return ExitCode::from(2);
            }
        },
    };
    match (arguments.trace, rule) {
        (Some(seed), rule) => trace(seed, rule),
        (None, Some(rule)) => {
            let found = plant(arguments.plant.as_deref().unwrap_or_default(), rule, &arguments);
            ExitCode::from(u8::from(!found))
        }
        (None, None) => hunt(&arguments),
    }
}

/// Runs many schedules, on every core, and tells of those that break a promise.
fn hunt(arguments: &Arguments) -> ExitCode {
    let begun = Instant::now();
    let bad = Mutex::new(Vec::new());
    let next = AtomicU64::new(arguments.first);
    let end = arguments.first + arguments.seeds;
    let workers = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let outcome = run(seed, None, false);
                    if !outcome.is_sound() {
                        println!("seed {seed}: {}", outcome.findings.join("; "));
                        bad.lock().expect("no panic while it is held").push(seed);
                    }
                }
            });
        }
    });
    let seconds = begun.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let rate = arguments.seeds as f64 / seconds;
    let bad = bad.into_inner().expect("no panic while it is held");
    println!(
        "{} schedules in {seconds:.1} s ({rate:.0} a second), {} bad",
        arguments.seeds,
        bad.len()
    );
    if let Some(seed) = bad.iter().min() {
        println!("see what happened with: --trace {seed}");
    }
    ExitCode::from(u8::from(!bad.is_empty()))
}

/// Says after how many seeds the lack of a rule is found.
fn plant(name: &str, rule: Rule, arguments: &Arguments) -> bool {
    let begun = Instant::now();
    for count in 0..arguments.seeds {
        let outcome = run(arguments.first + count, Some(rule), false);
        // What is found with the rule in place too has another cause.
        if !outcome.is_sound() && run(outcome.seed, None, false).is_sound() {
            let seconds = begun.elapsed().as_secs_f64();
            let Outcome { seed, findings, .. } = outcome;
            println!(
                "{name}: found after {} seeds ({seconds:.1} s), by seed {seed}: {}",
                count + 1,
                findings[0]
            );
            return true;
        }
    }
    println!("{name}: NOT found within {} seeds", arguments.seeds);
    false
}

fn plant_all(arguments: &Arguments) -> ExitCode {
    let found = RULES.iter().filter(|(name, rule)| plant(name, *rule, arguments)).count();
    ExitCode::from(u8::from(found < RULES.len()))
}

fn trace(seed: u64, rule: Option<Rule>) -> ExitCode {
    let outcome = run(seed, rule, true);
    for line in &outcome.lines {
        println!("{line}");
    }
    println!("digest {:016x}", outcome.digest);
    ExitCode::from(u8::from(!outcome.is_sound()))
}
