//! Decides, path by path, which side has the newer truth.
//!
//! A plain function of three facts: what this machine last agreed on, what is
//! on its disk, what is at the head. Never a merge, never a guess: what can't
//! be decided is [`Verdict::Diverged`] and stays as it is.

use serde::{Deserialize, Serialize};

use crate::entry::{Kind, State};

/// A file at the head, with the commit that put it there (B2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sighted {
    pub state: State,
    pub seq: u64,
}

/// What this machine last agreed on for a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BaseFact {
    Absent,
    Known { state: State, seq: u64 },
    Unknown(Past),
}

/// For an unknown base (B5): what the log says about the local content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Past {
    /// The path was never in the log.
    NeverThere,
    /// Equal to a version from since the path last came into being, still
    /// readable, and the path exists at the head.
    Earlier,
    /// The log has had the path, and it is deleted at the head.
    DeletedAtHead,
    /// Anything else.
    Other,
}

/// All that is known of one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Facts {
    pub base: BaseFact,
    pub local: Option<State>,
    pub remote: Option<Sighted>,
}

/// What the local file system can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTraits {
    pub exec: bool,
}

impl Facts {
    /// Takes the exec bit from the log where the disk can't hold one (B10), so
    /// that its absence is no edit. Whoever observes calls this once.
    #[must_use]
    pub fn seen_through(mut self, traits: LocalTraits) -> Self {
        let Some(local) = self.local.as_mut().filter(|_| !traits.exec) else {
            return self;
        };
        let remote = self.remote.map(|remote| remote.state);
        let same = |other: &State| (other.kind, other.digest) == (local.kind, local.digest);
        let log = remote.filter(same).or(self.base.state()).or(remote);
        local.exec = local.kind == Kind::File && log.is_some_and(|state| state.exec);
        self
    }

    fn remote_state(&self) -> Option<State> {
        self.remote.map(|remote| remote.state)
    }
}

impl BaseFact {
    /// The state agreed on; `None` when there was no file, or nobody knows.
    pub fn state(self) -> Option<State> {
        match self {
            Self::Known { state, .. } => Some(state),
            Self::Absent | Self::Unknown(_) => None,
        }
    }

    fn is_at(self, remote: Option<Sighted>) -> bool {
        match self {
            Self::Absent => remote.is_none(),
            Self::Known { state, seq } => remote == Some(Sighted { state, seq }),
            Self::Unknown(_) => false,
        }
    }
}

/// Which side of a path has the newer truth, and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    Unchanged,
    /// Both sides are equal; only the base has to follow.
    Adopt,
    Send,
    SendDeletion,
    Fetch,
    FetchDeletion,
    /// Both changed. Stays as it is until a merge or a person settles it.
    Diverged,
    /// Deleted at the head while the base was lost: the local file stays, and
    /// is sent only by a push or sync that names it (B5).
    Kept,
}

/// Compares both sides of one path with what they last agreed on.
///
/// `None` stands for "no file", so creation needs no special case.
#[must_use]
#[expect(clippy::match_same_arms, reason = "a table has one line per rule")]
pub fn decide(facts: &Facts) -> Verdict {
    let sides_agree = facts.local == facts.remote_state();
    let local_changed = facts.local != facts.base.state();
    let remote_changed = !facts.base.is_at(facts.remote);
    if sides_agree && remote_changed {
        return Verdict::Adopt;
    }
    if let BaseFact::Unknown(past) = facts.base {
        return decide_without_base(past, facts);
    }
    match (local_changed, remote_changed, facts.local, facts.remote) {
        (true, false, Some(_), _) => Verdict::Send,
        (true, false, None, _) => Verdict::SendDeletion,
        (false, true, _, Some(_)) => Verdict::Fetch,
        (false, true, _, None) => Verdict::FetchDeletion,
        // An edit beats a deletion, whichever side it is on.
        (true, true, Some(_), None) => Verdict::Send,
        (true, true, None, Some(_)) => Verdict::Fetch,
        (true, true, _, _) => Verdict::Diverged,
        (false, false, _, _) => Verdict::Unchanged,
    }
}

/// B5: never a merge, never a deletion. Both sides differ here.
#[expect(clippy::match_same_arms, reason = "a table has one line per rule")]
fn decide_without_base(past: Past, facts: &Facts) -> Verdict {
    match (facts.local, facts.remote, past) {
        (None, _, _) => Verdict::Fetch,
        (Some(_), None, Past::NeverThere) => Verdict::Send,
        (Some(_), None, Past::Earlier | Past::DeletedAtHead | Past::Other) => Verdict::Kept,
        (Some(_), Some(_), Past::Earlier) => Verdict::Fetch,
        (Some(_), Some(_), Past::NeverThere | Past::DeletedAtHead | Past::Other) => {
            Verdict::Diverged
        }
    }
}

/// Whether an edit on one side won over a deletion on the other; told to a
/// person, as either of them may be surprised.
#[must_use]
pub fn edit_beats_deletion(facts: &Facts) -> bool {
    let had_file = facts.base.state().is_some();
    match decide(facts) {
        Verdict::Send => had_file && facts.remote.is_none(),
        Verdict::Fetch => had_file && facts.local.is_none(),
        Verdict::Unchanged
        | Verdict::Adopt
        | Verdict::SendDeletion
        | Verdict::FetchDeletion
        | Verdict::Diverged
        | Verdict::Kept => false,
    }
}

/// One path's standing, in the words of `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    InSync,
    LocalAhead,
    RemoteAhead,
    Diverged,
    /// Recorded and waiting for a person; facts alone never say this.
    Conflict,
    NewLocal,
    NewRemote,
    DeletedLocal,
    DeletedRemote,
}

#[must_use]
pub fn file_state(facts: &Facts) -> FileState {
    let had_file = facts.base.state().is_some();
    match decide(facts) {
        Verdict::Unchanged | Verdict::Adopt => FileState::InSync,
        Verdict::Send if had_file => FileState::LocalAhead,
        Verdict::Send | Verdict::Kept => FileState::NewLocal,
        Verdict::SendDeletion => FileState::DeletedLocal,
        Verdict::Fetch if had_file || facts.local.is_some() => FileState::RemoteAhead,
        Verdict::Fetch => FileState::NewRemote,
        Verdict::FetchDeletion => FileState::DeletedRemote,
        Verdict::Diverged => FileState::Diverged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Digest;

    /// Reads a case as `base local remote`: a letter is a content, `-` no file,
    /// a number behind it the commit (else 1), `x` an executable, `~` a link.
    /// A base of `never`, `earlier`, `deleted` or `other` is an unknown one.
    fn facts(case: &str) -> Facts {
        let sides: Vec<&str> = case.split(' ').collect();
        let [base, local, remote] = sides[..] else {
            panic!("three sides in {case:?}");
        };
        let base = match (base, side(base)) {
            ("never", _) => BaseFact::Unknown(Past::NeverThere),
            ("earlier", _) => BaseFact::Unknown(Past::Earlier),
            ("deleted", _) => BaseFact::Unknown(Past::DeletedAtHead),
            ("other", _) => BaseFact::Unknown(Past::Other),
            (_, None) => BaseFact::Absent,
            (_, Some(Sighted { state, seq })) => BaseFact::Known { state, seq },
        };
        let local = side(local).map(|sighted| sighted.state);
        Facts { base, local, remote: side(remote) }
    }

    fn side(text: &str) -> Option<Sighted> {
        let letter = text.bytes().next().filter(|byte| *byte != b'-')?;
        let kind = if text.contains('~') { Kind::Link } else { Kind::File };
        let seq = text.bytes().find(u8::is_ascii_digit).map_or(1, |digit| u64::from(digit - b'0'));
        let state = State { kind, digest: Digest([letter; 32]), exec: text[1..].contains('x') };
        Some(Sighted { state, seq })
    }

    #[track_caller]
    fn check(case: &str, verdict: Verdict, state: FileState) {
        let facts = facts(case);
        assert_eq!(decide(&facts), verdict, "case {case:?}");
        assert_eq!(file_state(&facts), state, "case {case:?}");
    }

    #[test]
    fn edit_on_one_side_travels_to_the_other() {
        check("a b a", Verdict::Send, FileState::LocalAhead);
        check("a a b2", Verdict::Fetch, FileState::RemoteAhead);
    }

    #[test]
    fn new_file_travels() {
        check("- a -", Verdict::Send, FileState::NewLocal);
        check("- - a", Verdict::Fetch, FileState::NewRemote);
    }

    #[test]
    fn deletion_travels() {
        check("a - a", Verdict::SendDeletion, FileState::DeletedLocal);
        check("a a -", Verdict::FetchDeletion, FileState::DeletedRemote);
    }

    #[test]
    fn equal_sides_need_nothing_but_the_base() {
        check("a a a", Verdict::Unchanged, FileState::InSync);
        check("- - -", Verdict::Unchanged, FileState::InSync);
        check("a b b2", Verdict::Adopt, FileState::InSync);
        check("- a a", Verdict::Adopt, FileState::InSync);
        check("a - -", Verdict::Adopt, FileState::InSync);
        check("a a a2", Verdict::Adopt, FileState::InSync);
    }

    #[test]
    fn changes_on_both_sides_stay_as_they_are() {
        check("a b c2", Verdict::Diverged, FileState::Diverged);
        check("- a b", Verdict::Diverged, FileState::Diverged);
    }

    #[test]
    fn edit_beats_deletion_and_says_so() {
        check("a b -", Verdict::Send, FileState::LocalAhead);
        check("a - b2", Verdict::Fetch, FileState::RemoteAhead);
        for case in ["a b -", "a - b2", "a - a2"] {
            assert!(edit_beats_deletion(&facts(case)), "case {case:?}");
        }
        for case in ["- a -", "- - a", "a b a", "a a b2", "a - a", "a a -", "a - -", "earlier - a"]
        {
            assert!(!edit_beats_deletion(&facts(case)), "case {case:?}");
        }
    }

    #[test]
    fn content_that_went_away_and_came_back_is_a_change_at_the_head() {
        check("a - a2", Verdict::Fetch, FileState::RemoteAhead);
        check("a b a2", Verdict::Diverged, FileState::Diverged);
    }

    #[test]
    fn kind_and_exec_bit_are_changes() {
        check("a ax a", Verdict::Send, FileState::LocalAhead);
        check("a a ax2", Verdict::Fetch, FileState::RemoteAhead);
        check("a a~ a", Verdict::Send, FileState::LocalAhead);
        check("a a~ ax2", Verdict::Diverged, FileState::Diverged);
    }

    #[test]
    fn lost_base_costs_no_false_conflict() {
        for past in ["never", "earlier", "deleted", "other"] {
            check(&format!("{past} a a3"), Verdict::Adopt, FileState::InSync);
            check(&format!("{past} - a3"), Verdict::Fetch, FileState::NewRemote);
            check(&format!("{past} - -"), Verdict::Adopt, FileState::InSync);
        }
        check("earlier a b", Verdict::Fetch, FileState::RemoteAhead);
        check("never a -", Verdict::Send, FileState::NewLocal);
    }

    #[test]
    fn lost_base_never_loses_or_resurrects_a_file() {
        check("deleted a -", Verdict::Kept, FileState::NewLocal);
        check("other a -", Verdict::Kept, FileState::NewLocal);
        check("earlier a -", Verdict::Kept, FileState::NewLocal);
        check("other a b", Verdict::Diverged, FileState::Diverged);
        check("never a b", Verdict::Diverged, FileState::Diverged);
        check("deleted a b", Verdict::Diverged, FileState::Diverged);
    }

    #[track_caller]
    fn check_without_exec(case: &str, verdict: Verdict) {
        let seen = facts(case).seen_through(LocalTraits { exec: false });
        assert_eq!(decide(&seen), verdict, "case {case:?}");
    }

    #[test]
    fn disk_without_exec_bits_makes_no_edits_of_them() {
        check_without_exec("ax a ax", Verdict::Unchanged);
        check_without_exec("ax b ax", Verdict::Send);
        check_without_exec("ax a a2", Verdict::Adopt);
        check_without_exec("a b bx2", Verdict::Adopt);
        check_without_exec("ax a -", Verdict::FetchDeletion);
        check_without_exec("other a ax", Verdict::Adopt);
        check_without_exec("- a~ ax", Verdict::Diverged);
    }

    #[test]
    fn edit_on_a_disk_without_exec_bits_keeps_the_bit() {
        let seen = facts("ax b ax").seen_through(LocalTraits { exec: false });
        assert!(seen.local.unwrap().exec);
    }

    #[test]
    fn disk_with_exec_bits_is_believed() {
        let facts = facts("ax a ax");
        assert_eq!(facts.seen_through(LocalTraits { exec: true }), facts);
    }
}
