//! The machine's own `ssh`: what is said to it, and what it says.

pub(super) mod connection;
pub(super) mod exit_reason;
pub(super) mod host_key;
