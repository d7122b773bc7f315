//! Writing the view from the log (V1): after a commit, and where it was seen stale.

pub(crate) mod pass;
pub(crate) mod scan;
