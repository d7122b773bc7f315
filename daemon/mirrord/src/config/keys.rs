//! The names of all settings, and what is asked of some of them.

use super::ssh::SSH_OPTIONS;

/// Every setting of the daemon, tables with dots.
pub(crate) const DAEMON_KEYS: [&str; 5] =
    ["machine", "user", "poll_interval", "log.level", "log.max_size_mb"];

/// Those that are text even when they look like a number.
pub(super) const TEXTS: [&str; 3] = ["machine", "user", "log.level"];

/// Every setting of a project's file.
pub(crate) const PROJECT_KEYS: [&str; 10] = [
    "root",
    "url",
    "name",
    "patterns",
    "exclude",
    "poll_interval",
    "key_file",
    "known_hosts_file",
    "identity_agent",
    "ssh_options",
];

/// Those that `init --set` and `clone --set` may give.
pub(crate) const SETTABLE: [&str; 5] =
    ["poll_interval", "key_file", "known_hosts_file", "identity_agent", "ssh_options"];

/// Those that every machine shares.
pub(crate) const SHARED: [&str; 3] = ["name", "patterns", "exclude"];

/// Keys whose value is a list.
pub(crate) const LISTS: [&str; 3] = ["patterns", "exclude", SSH_OPTIONS];
