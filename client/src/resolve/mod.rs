//! Settles conflicts: with what a command says, or by asking a person about
//! one file after the other.
//!
//! Every decision goes to the daemon with the token of what was shown; when a
//! side has moved since, nothing is changed and both are shown anew. What a
//! person typed into an editor and could not be used stays in a file.

mod ask;
mod choice;
mod decision;
mod draft;

pub(crate) use ask::ask_about;
pub(crate) use decision::{Decision, decide, word};
