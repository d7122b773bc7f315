//! `mirrord.toml`: settings of the daemon itself.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::{DAEMON_KEYS, Effective, Environment, Origin, Place, Problem, Seconds, Source};
use crate::machine;

pub(crate) const SHORTEST_POLL: Seconds = Seconds(2);
const USUAL_POLL: Seconds = Seconds(30);
const LONGEST_NAME: usize = 128;

/// How much is written to the log file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    machine: Option<String>,
    user: Option<String>,
    poll_interval: Option<Seconds>,
    #[serde(default)]
    log: WrittenLog,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLog {
    #[serde(default)]
    level: LogLevel,
    max_size_mb: Option<u64>,
}

/// The daemon's settings as they hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DaemonSettings {
    pub(crate) machine: String,
    pub(crate) user: String,
    pub(crate) poll_interval: Seconds,
    pub(crate) log_level: LogLevel,
    pub(crate) log_max_size_mb: u64,
    /// In the order of [`DAEMON_KEYS`].
    origins: [Origin; DAEMON_KEYS.len()],
}

impl DaemonSettings {
    pub(crate) fn open(file: &Path, environment: &Environment) -> Result<Self, Problem> {
        Self::read(&Source::open(file)?, environment)
    }

    pub(crate) fn read(source: &Source, environment: &Environment) -> Result<Self, Problem> {
        let written: Written = source.read_as(Some(environment))?;
        let settings = Self {
            machine: written.machine.unwrap_or_else(machine::host_name),
            user: written.user.unwrap_or_else(machine::login),
            poll_interval: written.poll_interval.unwrap_or(USUAL_POLL),
            log_level: written.log.level,
            log_max_size_mb: written.log.max_size_mb.unwrap_or(10),
            origins: DAEMON_KEYS.map(|key| match (environment.sets(key), source.sets(key)) {
                (true, _) => Origin::Environment,
                (false, true) => Origin::Daemon,
                (false, false) => Origin::Default,
            }),
        };
        let place = |key: &str| {
            if environment.sets(key) {
                Place::Variable(super::environment::variable(key))
            } else {
                source.place_of(key)
            }
        };
        check_name("machine", &settings.machine, &place)?;
        check_name("user", &settings.user, &place)?;
        check_poll(settings.poll_interval, || place("poll_interval"))?;
        if !(1..=1024).contains(&settings.log_max_size_mb) {
            return Err(Problem::with_fix(
                place("log.max_size_mb"),
                "a log file is between 1 and 1024 MB",
                "write a number in between",
            ));
        }
        Ok(settings)
    }

    pub(crate) fn poll(&self) -> Duration {
        self.poll_interval.into()
    }

    pub(crate) fn effective(&self) -> Vec<Effective> {
        let values = [
            self.machine.clone(),
            self.user.clone(),
            self.poll_interval.to_string(),
            self.log_level.as_str().to_owned(),
            self.log_max_size_mb.to_string(),
        ];
        DAEMON_KEYS
            .iter()
            .zip(values)
            .zip(self.origins)
            .map(|((key, value), origin)| Effective { key: (*key).to_owned(), value, origin })
            .collect()
    }
}

/// Names travel in commits and are shown on other machines.
fn check_name(key: &str, name: &str, place: &impl Fn(&str) -> Place) -> Result<(), Problem> {
    let bad =
        name.trim().is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control);
    if bad {
        return Err(Problem::with_fix(
            place(key),
            format!("{key} is not a name"),
            format!("write 1 to {LONGEST_NAME} printable characters"),
        ));
    }
    Ok(())
}

pub(super) fn check_poll(poll: Seconds, place: impl FnOnce() -> Place) -> Result<(), Problem> {
    if poll < SHORTEST_POLL {
        return Err(Problem::with_fix(
            place(),
            format!("poll_interval is {poll}, the shortest is {SHORTEST_POLL}"),
            format!("write {} or more", SHORTEST_POLL.0),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, variables: &[(&str, &str)]) -> Result<DaemonSettings, Problem> {
        let source = Source::parse(Path::new("/c/mirrord.toml"), text)?;
        let owned = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        DaemonSettings::read(&source, &Environment::new(owned))
    }

    #[track_caller]
    fn check_problem(text: &str, place: &str, what: &str, fix: &str) {
        let problem = read(text, &[]).unwrap_err();
        assert_eq!(problem.place.to_string(), place);
        assert!(problem.what.contains(what), "{problem}");
        assert!(problem.fix.as_deref().unwrap_or_default().contains(fix), "{problem:?}");
    }

    #[test]
    fn mistyped_setting_names_its_line_and_what_was_meant() {
        check_problem(
            "# mine\nuser = \"ann\"\npol_interval = 30\n",
            "/c/mirrord.toml:3",
            "unknown setting \"pol_interval\"",
            "did you mean \"poll_interval\"?",
        );
        check_problem("\n[log]\nlevl = \"info\"\n", "/c/mirrord.toml:3", "levl", "\"level\"");
    }

    #[test]
    fn wrong_value_names_its_line() {
        check_problem("poll_interval = 1", "/c/mirrord.toml:1", "shortest is 2s", "2");
        check_problem("user = 3", "/c/mirrord.toml:1", "user", "string");
        check_problem("[log]\nlevel = \"inof\"", "/c/mirrord.toml:2", "inof", "\"info\"");
        check_problem("# mine\nuser = ann\n", "/c/mirrord.toml:2", "not TOML", "key");
    }

    #[test]
    fn variable_goes_before_the_file_and_the_file_before_the_default() {
        let settings = read("user = \"ann\"\nmachine = \"desk\"", &[("MIRRORD_MACHINE", "42")]);
        let settings = settings.unwrap();
        assert_eq!((settings.machine.as_str(), settings.user.as_str()), ("42", "ann"));
        let origins: Vec<_> = settings.effective().into_iter().map(|one| one.origin).collect();
        assert_eq!(origins[..3], [Origin::Environment, Origin::Daemon, Origin::Default]);
    }

    #[test]
    fn two_underscores_reach_into_a_table() {
        let settings = read("", &[("MIRRORD_LOG__LEVEL", "debug"), ("MIRRORD_LOG", "trace")]);
        assert_eq!(settings.unwrap().log_level, LogLevel::Debug);
    }

    #[test]
    fn wrong_variable_is_named() {
        let problem = read("", &[("MIRRORD_POLL_INTERVAL", "soon")]).unwrap_err();
        assert_eq!(problem.place, Place::Variable("MIRRORD_POLL_INTERVAL".into()));
        let odd = Environment::new([("MIRRORD_MASCHINE".into(), "x".into())]);
        assert_eq!(odd.unknown[0].fix.as_deref(), Some("did you mean MIRRORD_MACHINE?"));
    }
}
