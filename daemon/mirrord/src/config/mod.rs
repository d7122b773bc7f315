//! Settings in TOML files and variables, each with its place in every message.
//!
//! Reading never guesses: an unknown setting is a problem with its file and
//! line. Writing is done in one place, whole, and keeps comments. What the
//! settings bring about is decided elsewhere.

pub(crate) mod agents;
mod auto;
mod daemon;
mod environment;
mod keys;
mod memory;
mod problem;
mod project;
mod seconds;
mod source;
mod write;

pub(crate) use auto::{AutoMode, WakeMode};
pub(crate) use daemon::{DaemonSettings, LogLevel};
pub(crate) use environment::Environment;
pub(crate) use keys::{DAEMON_KEYS, SHARED, is_list, project_keys, settable};
pub(crate) use memory::{MemoryFolder, check_memory_name, with_memory};
pub(crate) use problem::{Place, Problem};
pub(crate) use project::{ProjectConfig, check_name, list, name_of, narrowing, root_in};
pub(crate) use seconds::Seconds;
pub(crate) use source::Source;
pub(crate) use write::{typed_value, with_setting};

use crate::spelling::nearest;

/// One setting as it holds, and where that comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Effective {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) origin: Origin,
}

/// What decided a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Environment,
    /// The project's own file.
    Project,
    /// `mirrord.toml`.
    Daemon,
    /// The log: every machine has it.
    Shared,
    Default,
}

/// Refuses a key that is none of `known`, and guesses what was meant.
pub(crate) fn check_key(key: &str, known: &[&str]) -> Result<(), Problem> {
    if known.contains(&key) {
        return Ok(());
    }
    let fix = nearest(key, known.iter().copied()).map_or_else(
        || format!("it can be: {}", known.join(", ")),
        |meant| format!("did you mean {meant:?}?"),
    );
    Err(Problem::with_fix(Place::Request, format!("{key:?} can't be set here"), fix))
}
