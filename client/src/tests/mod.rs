//! What is compiled for tests alone: stories of whole commands, and the daemon
//! and the terminal that they run against.

mod stories;
pub(crate) mod testing;
