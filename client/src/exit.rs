//! The exit codes, and which of several counts.

/// How a command ended, for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    Failed,
    Usage,
    /// Conflicts wait for a person.
    Conflicts,
    /// Some files failed, or work is queued; each is named.
    Partial,
    NoDaemon,
    /// Sign-in or trust is needed.
    AccessNeeded,
    /// Ctrl-C.
    Interrupted,
    /// Of a hook: its host is to wake the session that waits.
    Wake,
}

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage | Self::Wake => 2,
            Self::Conflicts => 3,
            Self::Partial => 4,
            Self::NoDaemon => 5,
            Self::AccessNeeded => 6,
            Self::Interrupted => 130,
        }
    }

    /// The one of both that is told: 1 > 6 > 3 > 4 > 0.
    #[must_use]
    pub(crate) fn or(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }

    /// Codes that no single project ends with count like a failure, above it.
    const fn rank(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Partial => 1,
            Self::Conflicts => 2,
            Self::AccessNeeded => 3,
            Self::Usage | Self::Wake => 4,
            Self::Failed => 5,
            Self::NoDaemon => 6,
            Self::Interrupted => 7,
        }
    }
}

impl FromIterator<Exit> for Exit {
    fn from_iter<T: IntoIterator<Item = Self>>(exits: T) -> Self {
        exits.into_iter().fold(Self::Done, Self::or)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(exits: &[Exit], expected: u8) {
        let told: Exit = exits.iter().copied().collect();
        assert_eq!(told.code(), expected);
    }

    #[test]
    fn several_at_once_are_told_as_1_then_6_then_3_then_4() {
        use Exit::{AccessNeeded, Conflicts, Done, Failed, Partial};

        check(&[], 0);
        check(&[Done, Partial], 4);
        check(&[Partial, Conflicts, Done], 3);
        check(&[Conflicts, AccessNeeded, Partial], 6);
        check(&[AccessNeeded, Failed, Conflicts, Partial], 1);
    }
}
