//! Turns values of the engine into messages of `mirror.v1`: tables, nothing else.

pub(super) mod agents;
pub(super) mod conflict;
pub(super) mod fault;
pub(super) mod held;
pub(super) mod history;
pub(super) mod inbox;
pub(super) mod job;
pub(super) mod kept;
pub(super) mod settings;
pub(super) mod status;
pub(super) mod version;
