//! What is kept until somebody wants it: queued pushes and stashed versions.

pub(super) mod queue;
pub(super) mod stash;
