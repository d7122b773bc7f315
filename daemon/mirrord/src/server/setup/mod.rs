//! Projects come and go: set up, joined, removed, and what is asked meanwhile.

mod memories;
pub(super) mod project;
pub(super) mod questions;
