//! What is asked of the daemon and of its machine, whatever the project.

pub(super) mod config;
pub(super) mod daemon;
pub(super) mod doctor;
