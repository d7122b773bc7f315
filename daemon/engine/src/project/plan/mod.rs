//! From facts to the steps of one job: the plan, who has to agree to it, and what
//! is said of it.

pub(crate) mod consent;
pub(crate) mod draw;
pub(crate) mod report;
pub(crate) mod rest;
