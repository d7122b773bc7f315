//! What a project can be asked without changing anything: one file a question.

pub(crate) mod conflicts;
pub(crate) mod diff;
pub(crate) mod held;
pub(crate) mod inbox;
pub(crate) mod log;
pub(crate) mod look;
pub(crate) mod news;
pub(crate) mod status;
pub(crate) mod tally;
pub(crate) mod unified;
pub(crate) mod versions;
pub(crate) mod watching;
