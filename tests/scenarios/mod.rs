//! Stories about machines, told with the real daemon and the real client.

mod errors;
mod everyday;
mod first_use;
mod hostile_log;
mod hostile_names;
mod install;
mod recovery;
mod two_machines;
