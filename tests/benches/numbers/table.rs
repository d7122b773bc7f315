//! The figures of one run, as a Markdown table.

use std::fmt;
use std::fs;
use std::thread::available_parallelism;
use std::time::Duration;

/// One figure beside what it is measured against.
struct Row {
    what: String,
    measured: String,
    against: String,
    ratio: String,
    bound: &'static str,
}

#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

impl Table {
    /// A time, against the times of a floor or of peers.
    pub(crate) fn time(
        &mut self,
        what: &str,
        measured: Duration,
        against: &[(&str, Duration)],
        bound: &'static str,
    ) {
        let ratio = |(_, time): &(&str, Duration)| {
            format!("{:.2}", measured.as_secs_f64() / time.as_secs_f64())
        };
        let named = |(name, time): &(&str, Duration)| format!("{name}: {}", shown(*time));
        self.rows.push(Row {
            what: what.to_owned(),
            measured: shown(measured),
            against: joined(against.iter().map(named)),
            ratio: joined(against.iter().map(ratio)),
            bound,
        });
    }

    /// An amount that has a bound and no peer.
    pub(crate) fn amount(&mut self, what: &str, measured: impl fmt::Display, bound: &'static str) {
        let nothing = || "-".to_owned();
        self.rows.push(Row {
            what: what.to_owned(),
            measured: measured.to_string(),
            against: nothing(),
            ratio: nothing(),
            bound,
        });
    }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<_> = parts.collect();
    if parts.is_empty() { "-".to_owned() } else { parts.join(", ") }
}

fn shown(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1_000.0;
    match milliseconds < 1_000.0 {
        true => format!("{milliseconds:.1} ms"),
        false => format!("{:.2} s", milliseconds / 1_000.0),
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "| What | Measured | Against | Ratio | Bound |\n|---|---|---|---|---|")?;
        for Row { what, measured, against, ratio, bound } in &self.rows {
            writeln!(out, "| {what} | {measured} | {against} | {ratio} | {bound} |")?;
        }
        Ok(())
    }
}

/// What the figures of this run were taken on, and what else it had to do.
pub(crate) fn machine() -> String {
    let cores = available_parallelism().map_or(0, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!("{cores} cores, load {}\n", load.split(' ').next().unwrap_or("unknown"))
}
