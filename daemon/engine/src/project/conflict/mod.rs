//! Conflicts as values (M3): what changed on both sides and does not merge is
//! recorded with its own bytes, and waits for a person.

pub(crate) mod decision;
pub(crate) mod detect;
pub(crate) mod outside;
pub(crate) mod sides;
