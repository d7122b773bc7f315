//! Questions that change nothing.

pub(super) mod glance;
pub(super) mod history;
pub(super) mod inbox;
pub(super) mod status;
pub(super) mod versions;
pub(super) mod watch;
