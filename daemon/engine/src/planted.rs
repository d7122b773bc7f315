//! Rules that a simulation may take away, one at a time, to see that it finds
//! what they are for (`docs/decisions/0010-planted-faults.md`).
//!
//! Without the feature `plant` every rule stands, and nothing of this is left
//! in the program.

/// A rule of the protocol, by its name there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Compare the head again before an append.
    L3,
    /// An entry is ours by its attempt's id.
    L5,
    /// A pack name belongs to one upload.
    P1,
    /// Packs are this machine's own only until their append was sent.
    P7,
    /// The base moves for a path only.
    B1,
    /// Another commit's same content is a change.
    B2,
    /// The attempt is saved before the append.
    B3,
    /// The target is saved before the local write.
    B3Target,
    /// The base after an append is the local input.
    B4,
    /// An unknown base is not the head.
    B5,
    /// A file hashed within two seconds of its ctime is hashed again.
    B10,
    /// What others may make this machine run waits until it agreed.
    B16,
    /// What was merged is known content of its path.
    M2,
    /// The base of an outside edit is what was last seen.
    V2,
    /// What comes out of the view is looked at.
    V3,
    /// An older version is stale only where nothing newer was seen.
    V4,
    /// A beginning is torn only while it is being written.
    V5,
    /// A cancel is not heeded while the outcome of an append is unknown.
    S6,
}

/// Whether a rule holds here.
#[cfg(not(feature = "plant"))]
pub(crate) const fn stands(_rule: Rule) -> bool {
    true
}

#[cfg(feature = "plant")]
pub use switch::remove;
#[cfg(feature = "plant")]
pub(crate) use switch::stands;

#[cfg(feature = "plant")]
mod switch {
    use std::cell::Cell;

    use super::Rule;

    thread_local! {
        static REMOVED: Cell<Option<Rule>> = const { Cell::new(None) };
    }

    /// Takes one rule away on this thread, or gives all back.
    pub fn remove(rule: Option<Rule>) {
        REMOVED.set(rule);
    }

    pub(crate) fn stands(rule: Rule) -> bool {
        REMOVED.get() != Some(rule)
    }
}
