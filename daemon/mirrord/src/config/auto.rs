//! What a project does by itself on this machine.

use std::time::Duration;

use serde::Deserialize;
use toml_edit::DocumentMut;

use super::{Effective, Origin, Place, Problem, Seconds};

const USUAL_QUIET: Seconds = Seconds(2);

/// A change goes this long after it was first seen, whatever else changes.
const LONGEST_QUIET: Seconds = Seconds(30);

/// Which way files go without being asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AutoMode {
    #[default]
    Off,
    Pull,
    Push,
    Both,
}

impl AutoMode {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Both => "both",
        }
    }
}

/// For what sessions of agents that wait for their user are woken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WakeMode {
    #[default]
    Off,
    Conflict,
    All,
}

impl WakeMode {
    fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Conflict => "conflict",
            Self::All => "all",
        }
    }
}

/// What a project's file says about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AutoSettings {
    pub(crate) mode: Option<AutoMode>,
    pub(super) quiet: Option<Seconds>,
    pub(super) wake: Option<WakeMode>,
    /// A person put a stop to all of it for a while.
    pub(crate) is_paused: bool,
}

impl AutoSettings {
    pub(crate) fn mode(&self) -> AutoMode {
        self.mode.unwrap_or_default()
    }

    pub(crate) fn wake(&self) -> WakeMode {
        self.wake.unwrap_or_default()
    }

    /// So long a file has to stand still before it is sent.
    pub(crate) fn quiet(&self) -> Duration {
        self.quiet.unwrap_or(USUAL_QUIET).into()
    }

    pub(super) fn check(&self, place: impl Fn(&str) -> Place) -> Result<(), Problem> {
        match self.quiet {
            Some(quiet) if !(Seconds(1)..=LONGEST_QUIET).contains(&quiet) => {
                Err(Problem::with_fix(
                    place("auto_quiet"),
                    format!("auto_quiet is {quiet}, and is between 1s and {LONGEST_QUIET}"),
                    format!("leave it out for {USUAL_QUIET}"),
                ))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn write(&self, table: &mut DocumentMut) {
        if let Some(mode) = self.mode {
            table["auto"] = toml_edit::value(mode.word());
        }
        if let Some(quiet) = self.quiet {
            table["auto_quiet"] = toml_edit::value(quiet.to_string());
        }
        if let Some(wake) = self.wake {
            table["wake"] = toml_edit::value(wake.word());
        }
        if self.is_paused {
            table["paused"] = toml_edit::value(true);
        }
    }

    pub(super) fn effective(&self) -> [Effective; 4] {
        let origin = |is_set: bool| if is_set { Origin::Project } else { Origin::Default };
        let quiet = self.quiet.unwrap_or(USUAL_QUIET).to_string();
        [
            ("auto", self.mode().word().to_owned(), self.mode.is_some()),
            ("auto_quiet", quiet, self.quiet.is_some()),
            ("wake", self.wake().word().to_owned(), self.wake.is_some()),
            ("paused", self.is_paused.to_string(), self.is_paused),
        ]
        .map(|(key, value, is_set)| Effective {
            key: key.into(),
            value,
            origin: origin(is_set),
        })
    }
}
