//! Who has been told what (S7): the plain values behind an inbox.
//!
//! A reader has dealt with some commits and some notices, and nobody else's reading
//! changes that. Numbers are kept and no times: what comes late is still new.

mod session;
mod spans;
#[cfg(test)]
mod tests;
mod wakes;

use serde::{Deserialize, Serialize};

pub use session::{Event, EventKind, Fact, MayWake, Session};
pub use spans::Spans;

/// What one reader has dealt with, or one answer told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    pub commits: Spans,
    pub notices: Spans,
}

impl Read {
    pub fn add(&mut self, told: &Self) {
        self.commits.add_all(&told.commits);
        self.notices.add_all(&told.notices);
    }

    pub fn is_empty(&self) -> bool {
        self.commits.is_empty() && self.notices.is_empty()
    }
}
