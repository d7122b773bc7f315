//! Turns verdicts into what one job does, in full, before it does anything.
//!
//! Pure. A plan names each path once at most per list, and each step carries
//! what it expects to find, so that whoever carries it out can check.

mod clashes;
mod draw;
mod guard;
mod hold;
mod losses;
mod renames;
mod selection;
#[cfg(test)]
mod tests;
mod unattended;

pub use draw::draw_plan;
pub use guard::{Agreed, Guard, NOTHING, NeedsConsent, Root, Why};
pub use hold::news;
pub use losses::{Losses, empties, losses};
pub use selection::{Selection, UnknownNames, possible_globs};
pub use unattended::{Unattended, draw_unattended};

use crate::path::{Clash, RelPath};
use crate::reconcile::{Sighted, Verdict};
use crate::{Digest, State};

/// What a job is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Intent {
    /// Looks and changes nothing, not even the base.
    Check,
    Push,
    Pull,
    Sync,
}

/// What is done about one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Both sides are equal; only the base follows.
    UpdateRecord,
    Upload,
    RemoveAtHead,
    Download,
    RemoveHere,
}

/// Turns a verdict into the action that this intent allows, if any. `named`:
/// a person named this path, rather than the whole project.
#[must_use]
#[expect(clippy::match_same_arms, reason = "a table has one line per rule")]
pub fn action_for(verdict: Verdict, intent: Intent, named: bool) -> Option<Action> {
    use Intent::{Check, Pull, Push, Sync};
    match (verdict, intent) {
        (Verdict::Unchanged | Verdict::Diverged, _) | (_, Check) => None,
        (Verdict::Adopt, _) => Some(Action::UpdateRecord),
        (Verdict::Send, Push | Sync) => Some(Action::Upload),
        (Verdict::SendDeletion, Push | Sync) => Some(Action::RemoveAtHead),
        (Verdict::Fetch, Pull | Sync) => Some(Action::Download),
        (Verdict::FetchDeletion, Pull | Sync) => Some(Action::RemoveHere),
        (Verdict::Kept, Push | Sync) => named.then_some(Action::Upload),
        (Verdict::Send | Verdict::SendDeletion | Verdict::Kept, Pull)
        | (Verdict::Fetch | Verdict::FetchDeletion, Push) => None,
    }
}

/// All that one job does. The lists are by path; of the local steps,
/// `deletions` come before `fetches`, so that a file makes room for a folder
/// and nothing just written can be removed (B11).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub adopts: Vec<Adopt>,
    /// The changes of one commit.
    pub sends: Vec<Send>,
    pub deletions: Vec<Removal>,
    pub fetches: Vec<Fetch>,
    /// Changed on both sides: left as they are.
    pub diverged: Vec<RelPath>,
    /// Deleted at the head while the base was lost: left as they are.
    pub kept: Vec<RelPath>,
    /// Neither sent nor fetched, as another name is in the way.
    pub clashes: Vec<Clash>,
    pub notices: Vec<Notice>,
}

/// Moves the base to the head's version, or to no file, and touches no file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopt {
    pub path: RelPath,
    pub remote: Option<Sighted>,
}

/// One change of the commit to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Send {
    pub path: RelPath,
    /// What the head has.
    pub from: Option<Digest>,
    /// What the disk has; `None` deletes.
    pub to: Option<State>,
    /// The path whose deletion, in this plan too, held the same content.
    pub renamed_from: Option<RelPath>,
}

/// Writes the head's version of a file here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    pub path: RelPath,
    pub remote: Sighted,
    pub expected_local: Option<State>,
    /// The same name in other case or Unicode form, which goes in this same
    /// step: move it aside, write, drop what was moved aside. Where both are
    /// one file, a removal on its own would hit what was just written (B11).
    pub replaces: Option<Removal>,
}

/// Removes a file here if it is still the expected one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    pub path: RelPath,
    pub expected: State,
}

/// Something that a person may be surprised by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The deletion was made elsewhere (`true`) or here.
    EditBeatDeletion { path: RelPath, edited_here: bool },
}

impl Plan {
    /// Whether there is a file, here or at the head, that carrying this out writes.
    pub fn brings_files(&self) -> bool {
        self.sends.iter().any(|send| send.to.is_some()) || !self.fetches.is_empty()
    }

    /// Whether carrying this out changes a file here or at the head.
    pub fn changes_files(&self) -> bool {
        !(self.sends.is_empty() && self.deletions.is_empty() && self.fetches.is_empty())
    }
}
