//! Follows a job of the daemon's to its end.
//!
//! Ctrl-C has the daemon cancel it, and waits for the result: it says what was
//! done. A second Ctrl-C waits for nothing.

mod consent;
mod events;
pub(crate) mod known;
mod patience;
mod report;
mod stream;

pub(crate) use consent::{About, MayAsk, agreed, agrees, with_consent};
pub(crate) use report::{exit, exit_of, report};
pub(crate) use stream::to_end;
