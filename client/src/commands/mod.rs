//! One file a verb: arguments in, one request out, events back.
//!
//! Commands hold no decisions. If an `if` here depends on file state, it
//! belongs in the daemon.

pub(crate) mod auth;
pub(crate) mod cancel;
pub(crate) mod clone;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod conflict;
pub(crate) mod daemon;
pub(crate) mod delete;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod held;
pub(crate) mod history;
pub(crate) mod inbox;
pub(crate) mod init;
pub(crate) mod install;
pub(crate) mod log;
pub(crate) mod mcp;
pub(crate) mod memory;
pub(crate) mod pause;
pub(crate) mod projects;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod queue;
pub(crate) mod quickstart;
pub(crate) mod reload;
pub(crate) mod remove;
pub(crate) mod restore;
pub(crate) mod show;
pub(crate) mod stash;
pub(crate) mod status;
pub(crate) mod sync;
pub(crate) mod watch;
