//! The projects of this machine: which there are, which run, and how they come
//! and go.
//!
//! A project that can't be opened is still listed, with the reason, and tried
//! again when that may help. What happens to files is the engine's business.

mod claims;
mod find;
mod opening;
mod overlap;
mod places;
mod quickstart;
mod registry;
mod reload;
mod remove;
mod rounds;
mod set_up;
mod settings;
mod undo;
mod written;

#[cfg(test)]
mod tests;

pub(crate) use overlap::Overlap;
pub(crate) use registry::{Open, Registry, Start, View};
pub(crate) use set_up::{SetUp, SetUpKind, SetUpOutcome};
pub(crate) use settings::{Checked, SetRequest, given};
