//! Asks before a job deletes more than a person is likely to have meant.

use std::collections::BTreeMap;

use super::renames::losses;
use super::{Intent, Plan};
use crate::path::RelPath;
use crate::reconcile::Facts;

/// So many deletions need no consent, however few files there are.
const FEW: usize = 20;

/// What the rule on mass deletion (B12) has to know beside the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The covered files as last agreed on, before any of this job's deletions.
    pub covered: usize,
    /// Deletions of the last hour in this project, whatever brought them.
    pub deletions_last_hour: usize,
    pub root: Root,
    /// A person has agreed to this job's deletions.
    pub consent: bool,
    /// Every commit that this job would pull a deletion from carries consent.
    pub commits_carry_consent: bool,
}

/// What became of the project's folder since the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    Sound,
    Missing,
    /// It is there and holds no covered file.
    Empty,
    OtherDevice,
}

/// A person has to agree before anything at all is done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct NeedsConsent {
    /// What would be deleted, here or at the head; renamed files are not.
    pub deletions: Vec<RelPath>,
    pub why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// No consent helps: a missing folder says nothing about its files.
    #[error("the project's folder is missing")]
    RootMissing,
    #[error("the project's folder is empty")]
    RootEmpty,
    #[error("the project's folder is on another device than before")]
    RootOnOtherDevice,
    #[error("this would delete all {covered} files")]
    All { covered: usize },
    #[error("this would make {deleted} deletions within an hour, of {covered} files")]
    TooMany { deleted: usize, covered: usize },
}

impl Guard {
    pub(super) fn check(
        &self,
        plan: &Plan,
        facts: &BTreeMap<RelPath, Facts>,
        intent: Intent,
    ) -> Result<(), NeedsConsent> {
        let losses = losses(plan, facts);
        let mut asked = losses.at_head;
        if !self.commits_carry_consent {
            asked.extend_from_slice(&losses.here);
        }
        let why = match self.doubt_of_root(plan, facts, intent) {
            Some(Why::RootMissing) => Some(Why::RootMissing),
            _ if self.consent => None,
            Some(why) => Some(why),
            None => self.doubt_of_number(asked.len()),
        };
        why.map_or(Ok(()), |why| Err(NeedsConsent { deletions: asked, why }))
    }

    fn doubt_of_root(
        &self,
        plan: &Plan,
        facts: &BTreeMap<RelPath, Facts>,
        intent: Intent,
    ) -> Option<Why> {
        match self.root {
            Root::Sound => None,
            Root::Missing => (intent != Intent::Check).then_some(Why::RootMissing),
            Root::OtherDevice => plan.changes_files().then_some(Why::RootOnOtherDevice),
            // A folder that never held anything is empty and sound.
            Root::Empty => {
                let vanished =
                    |facts: &Facts| facts.base.state().is_some() && facts.local.is_none();
                let doubtful = plan.changes_files() && facts.values().any(vanished);
                doubtful.then_some(Why::RootEmpty)
            }
        }
    }

    fn doubt_of_number(&self, now: usize) -> Option<Why> {
        let covered = self.covered;
        let deleted = now + self.deletions_last_hour;
        if now == 0 {
            None
        } else if covered >= 2 && now >= covered {
            Some(Why::All { covered })
        } else if deleted > FEW && deleted * 4 > covered {
            Some(Why::TooMany { deleted, covered })
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Selection, draw_plan};
    use super::*;
    use crate::reconcile::{BaseFact, Sighted};
    use crate::{Digest, Kind, State};

    const CALM: Guard = Guard {
        covered: 100,
        deletions_last_hour: 0,
        root: Root::Sound,
        consent: false,
        commits_carry_consent: false,
    };

    fn state(number: usize) -> State {
        let digest = Digest::of(&number.to_le_bytes());
        State { kind: Kind::File, digest, exec: false }
    }

    /// Files that stand on both sides, of which some are gone here or there.
    fn deleted(here: usize, at_head: usize) -> BTreeMap<RelPath, Facts> {
        let facts = (0..here + at_head).map(|number| {
            let (state, seq) = (state(number), 1);
            let base = BaseFact::Known { state, seq };
            let local = (number >= here).then_some(state);
            let remote = (number < here).then_some(Sighted { state, seq });
            (RelPath::new(&format!("{number}.md")).unwrap(), Facts { base, local, remote })
        });
        facts.collect()
    }

    fn new_file(number: usize, name: &str) -> (RelPath, Facts) {
        let facts = Facts { base: BaseFact::Absent, local: Some(state(number)), remote: None };
        (RelPath::new(name).unwrap(), facts)
    }

    fn asks(facts: &BTreeMap<RelPath, Facts>, intent: Intent, guard: Guard) -> Option<Why> {
        let plan = draw_plan(facts, intent, &Selection::all(), &guard);
        plan.err().map(|refused| refused.why)
    }

    fn too_many(deleted: usize, covered: usize) -> Why {
        Why::TooMany { deleted, covered }
    }

    #[test]
    fn deletions_ask_above_twenty_and_above_a_quarter() {
        let covering = |covered| Guard { covered, ..CALM };
        assert_eq!(asks(&deleted(20, 0), Intent::Push, covering(30)), None);
        assert_eq!(asks(&deleted(21, 0), Intent::Push, covering(84)), None);
        assert_eq!(asks(&deleted(21, 0), Intent::Push, covering(83)), Some(too_many(21, 83)));
        assert_eq!(asks(&deleted(0, 21), Intent::Pull, covering(83)), Some(too_many(21, 83)));
        assert_eq!(asks(&deleted(11, 10), Intent::Sync, covering(83)), Some(too_many(21, 83)));
    }

    #[test]
    fn deletions_of_the_last_hour_count() {
        let guard = Guard { covered: 80, deletions_last_hour: 20, ..CALM };
        assert_eq!(asks(&deleted(1, 0), Intent::Push, guard), Some(too_many(21, 80)));
        assert_eq!(asks(&deleted(0, 0), Intent::Push, guard), None);
    }

    #[test]
    fn deleting_all_of_two_or_more_asks() {
        let covering = |covered| Guard { covered, ..CALM };
        assert_eq!(asks(&deleted(2, 0), Intent::Push, covering(2)), Some(Why::All { covered: 2 }));
        assert_eq!(asks(&deleted(0, 2), Intent::Pull, covering(2)), Some(Why::All { covered: 2 }));
        assert_eq!(asks(&deleted(2, 0), Intent::Push, covering(3)), None);
        assert_eq!(asks(&deleted(1, 0), Intent::Push, covering(1)), None);
    }

    #[test]
    fn consent_lets_deletions_through() {
        let guard = Guard { covered: 30, consent: true, ..CALM };
        assert_eq!(asks(&deleted(30, 0), Intent::Push, guard), None);
    }

    #[test]
    fn consent_of_commits_is_for_what_is_pulled_only() {
        let guard = Guard { covered: 60, commits_carry_consent: true, ..CALM };
        assert_eq!(asks(&deleted(0, 30), Intent::Pull, guard), None);
        assert_eq!(asks(&deleted(0, 30), Intent::Sync, guard), None);
        assert_eq!(asks(&deleted(30, 30), Intent::Sync, guard), Some(too_many(30, 60)));
    }

    #[test]
    fn only_the_direction_that_deletes_asks() {
        let guard = Guard { covered: 30, ..CALM };
        assert_eq!(asks(&deleted(30, 0), Intent::Pull, guard), None);
        assert_eq!(asks(&deleted(0, 30), Intent::Push, guard), None);
        assert_eq!(asks(&deleted(30, 30), Intent::Check, guard), None);
    }

    #[test]
    fn renamed_files_are_not_deletions() {
        let mut facts = deleted(30, 0);
        facts.extend((0..30).map(|number| new_file(number, &format!("moved/{number}.md"))));
        assert_eq!(asks(&facts, Intent::Push, Guard { covered: 30, ..CALM }), None);
    }

    #[test]
    fn one_copy_excuses_one_deletion() {
        let mut facts = deleted(3, 0);
        for facts in facts.values_mut() {
            let (state, seq) = (state(0), 1);
            facts.base = BaseFact::Known { state, seq };
            facts.remote = Some(Sighted { state, seq });
        }
        facts.extend([new_file(0, "copy.md")]);
        let guard = Guard { covered: 2, ..CALM };
        assert_eq!(asks(&facts, Intent::Push, guard), Some(Why::All { covered: 2 }));
    }

    #[test]
    fn emptied_root_asks_for_a_single_deletion_already() {
        let guard = Guard { root: Root::Empty, ..CALM };
        assert_eq!(asks(&deleted(1, 0), Intent::Push, guard), Some(Why::RootEmpty));
        assert_eq!(asks(&deleted(1, 0), Intent::Push, Guard { consent: true, ..guard }), None);
    }

    #[test]
    fn root_that_was_always_empty_is_filled_without_a_question() {
        let (path, mut facts) = new_file(1, "a.md");
        (facts.local, facts.remote) = (None, Some(Sighted { state: state(1), seq: 1 }));
        let guard = Guard { root: Root::Empty, covered: 0, ..CALM };
        assert_eq!(asks(&BTreeMap::from([(path, facts)]), Intent::Pull, guard), None);
    }

    #[test]
    fn root_on_another_device_asks_before_any_change() {
        let guard = Guard { root: Root::OtherDevice, ..CALM };
        let facts = BTreeMap::from([new_file(1, "a.md")]);
        assert_eq!(asks(&facts, Intent::Push, guard), Some(Why::RootOnOtherDevice));
        assert_eq!(asks(&facts, Intent::Pull, guard), None);
    }

    #[test]
    fn missing_root_is_never_everything_deleted() {
        let guard =
            Guard { root: Root::Missing, consent: true, commits_carry_consent: true, ..CALM };
        for intent in [Intent::Push, Intent::Pull, Intent::Sync] {
            assert_eq!(asks(&deleted(3, 0), intent, guard), Some(Why::RootMissing), "{intent:?}");
        }
    }
}
