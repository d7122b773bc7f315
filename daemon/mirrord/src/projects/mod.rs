//! The projects of this machine: which there are, which run, and how they come
//! and go.
//!
//! A project that can't be opened is still listed, with the reason, and tried
//! again when that may help. What happens to files is the engine's business.

mod aside;
pub(crate) mod cancellation;
mod find;
mod kept;
mod load;
mod memories;
mod open;
mod overlap;
mod registry;
mod reload;
mod remove;
mod reservations;
mod settings;
mod setup;

#[cfg(test)]
mod tests;

pub(crate) use aside::{Aside, AsideError};
#[cfg(test)]
pub(crate) use find::ProjectError;
pub(crate) use memories::{MapRequest, Memory, MemoryState, strayed};
pub(crate) use registry::{Condition, Open, Registry, Slot, Start, View, stop_of};
pub(crate) use settings::{SetRequest, given};
pub(crate) use setup::{ChosenPreset, SetUp, SetUpKind, SetUpOutcome};
