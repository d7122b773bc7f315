//! The names of all settings. Those of a service come from its table.

use crate::services::{self, Shape};

/// Every setting of the daemon, tables with dots.
pub(crate) const DAEMON_KEYS: [&str; 5] =
    ["machine", "user", "poll_interval", "log.level", "log.max_size_mb"];

/// Those that are text even when they look like a number.
pub(super) const TEXTS: [&str; 3] = ["machine", "user", "log.level"];

/// Those of a project, whatever its backend is.
const OF_ANY_BACKEND: [&str; 11] = [
    "root",
    "url",
    "name",
    "patterns",
    "exclude",
    "poll_interval",
    "auto",
    "auto_quiet",
    "wake",
    "paused",
    "hold",
];

/// Those that every machine shares.
pub(crate) const SHARED: [&str; 6] =
    ["name", "patterns", "exclude", "gitignore", "shared_mode", "merge"];

fn of_services() -> impl Iterator<Item = &'static str> {
    services::keys().into_iter().map(|key| key.name)
}

/// Every setting of a project's file.
pub(crate) fn project_keys() -> Vec<&'static str> {
    OF_ANY_BACKEND.into_iter().chain(of_services()).collect()
}

/// Those that `init --set` and `clone --set` may give.
pub(crate) fn settable() -> Vec<&'static str> {
    ["poll_interval", "auto", "auto_quiet", "wake", "hold"]
        .into_iter()
        .chain(of_services())
        .collect()
}

/// Whether the value of a key is a list.
pub(crate) fn is_list(name: &str) -> bool {
    let is_list = |key: &&services::Key| key.name == name && key.shape == Shape::List;
    matches!(name, "patterns" | "exclude") || services::keys().iter().any(is_list)
}
