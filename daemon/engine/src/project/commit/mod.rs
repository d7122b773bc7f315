//! Making one commit: its draft, the append, and what a crash left of an append.

pub(crate) mod again;
pub(crate) mod append;
pub(crate) mod consent;
pub(crate) mod draft;
pub(crate) mod recover;
pub(crate) mod rereads;
pub(crate) mod until_won;
pub(crate) mod uploads;
