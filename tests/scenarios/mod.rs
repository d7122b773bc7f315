//! Stories about machines, told with the real daemon and the real client.

mod as_a_service;
mod busy;
mod cancelling;
mod conflicts;
mod conflicts_by_hand;
mod coverage;
mod crashes;
mod deletions;
mod disks;
mod editors;
mod errors;
mod everyday;
mod first_use;
mod going_back;
mod hostile_log;
mod hostile_names;
mod install;
mod lost_state;
mod one_daemon;
mod outside_edits;
mod queue;
mod recovery;
mod refused_setups;
mod setting_up_by_hand;
mod sftp;
mod two_machines;
