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
    pub privacy: Privacy,
}

/// Which sides of a path are for their owner alone (B14).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Privacy {
    /// What the file here had when the base was agreed on.
    pub agreed: bool,
    /// What it has now.
    pub local: bool,
    /// What the head says.
    pub remote: bool,
}

impl Privacy {
    /// What a version made from the file here is to have: what the head says
    /// until somebody here changes what was agreed on. Where the head has no file,
    /// nothing but the file here says it.
    #[must_use]
    pub fn to_send(self, base: BaseFact, is_at_head: bool) -> bool {
        let is_changed = match base {
            BaseFact::Known { .. } => self.local != self.agreed,
            // Two files came into being under one name: the narrower of both wins.
            BaseFact::Absent => self.local,
            BaseFact::Unknown(_) => false,
        };
        if is_changed || !is_at_head { self.local } else { self.remote }
    }
}

/// What the local file system can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTraits {
    /// Whether it keeps the executable bit, and with it the other modes.
    pub exec: bool,
}

impl Facts {
    /// Takes the exec bit from the log where the disk can't hold one (B10), so
    /// that its absence is no edit, and leaves out what only modes can say (B14). Whoever observes calls this once.
    #[must_use]
    pub fn seen_through(mut self, traits: LocalTraits) -> Self {
        if !traits.exec {
            let remote = self.privacy.remote;
            self.privacy = Privacy { agreed: remote, local: remote, remote };
        }
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
pub fn decide(facts: &Facts) -> Verdict {
    match decide_by_state(facts) {
        verdict @ (Verdict::Unchanged | Verdict::Adopt) => decide_by_privacy(verdict, facts),
        verdict => verdict,
    }
}

/// B14, where both sides are one file: only a change here is sent, and what is
/// private at the head is private here; nothing that is pulled widens a file.
fn decide_by_privacy(verdict: Verdict, facts: &Facts) -> Verdict {
    if facts.local.is_none() || facts.remote.is_none() {
        return verdict;
    }
    let Privacy { agreed, local, remote } = facts.privacy;
    let is_known = matches!(facts.base, BaseFact::Known { .. });
    let (is_changed, is_news) = (is_known && local != agreed, verdict == Verdict::Adopt);
    match (local, remote) {
        (false, true) if is_changed && !is_news => Verdict::Send,
        (false, true) => Verdict::Fetch,
        (true, false) if is_changed => Verdict::Send,
        (true, true) | (false, false) if is_changed => Verdict::Adopt,
        _ => verdict,
    }
}

#[expect(clippy::match_same_arms, reason = "a table has one line per rule")]
fn decide_by_state(facts: &Facts) -> Verdict {
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
mod tests;
