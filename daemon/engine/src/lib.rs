//! Runs the cycle for each project: observe, reconcile, plan, act, record, tell.
//!
//! The local index, the log, packs, the view and a project's state live here.
//! Protobuf, concrete adapters and wording for people are deliberately absent.

pub mod api;
pub(crate) mod beside;
pub(crate) mod data;
pub mod error;
pub mod index;
pub(crate) mod links;
pub mod log;
pub mod mapped;
pub mod outside;
pub mod packs;
pub mod planted;
pub mod project;
pub mod real;
pub mod snapshots;
pub mod state;
pub mod store;
pub mod view;

pub use api::*;
pub use beside::NoBackend;
pub use data::kept::kept;
pub use error::EngineError;
pub use log::{access_of, local_project};
pub use packs::caches_contents;
pub use project::{
    Hints, Project, chosen as chosen_of_stash, create, inspect, preview, standing, stashed,
};
pub use state::recorded_root;
