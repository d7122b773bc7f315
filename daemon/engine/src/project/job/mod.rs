//! What a project can be asked to do: one file a verb.
//!
//! Each is a short list of steps of the rooms below. Stopping anywhere is safe:
//! attempts and targets are saved before each step (B3).

pub(crate) mod auto;
mod cycle;
pub(crate) mod delete;
pub(crate) mod export;
mod hold;
pub(crate) mod maintain;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod resolve;
pub(crate) mod resolve_view;
mod restore;
pub(crate) mod settings;
pub(crate) mod sync;
pub(crate) mod unstash;
