//! When a person is asked.

use super::super::{Selection, draw_plan};
use super::*;
use crate::reconcile::{BaseFact, Privacy, Sighted};
use crate::{Digest, Kind, State};

const NOBODY: Agreed<'static> = Agreed::Only(&BTreeSet::new());

const CALM: Guard<'static> = Guard {
    covered: 100,
    deletions_last_hour: 0,
    root: Root::Sound,
    consent: false,
    agreed: NOBODY,
    waiting: NOTHING,
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
        (
            RelPath::new(&format!("{number}.md")).unwrap(),
            Facts { base, local, remote, privacy: Privacy::default() },
        )
    });
    facts.collect()
}

fn new_file(number: usize, name: &str) -> (RelPath, Facts) {
    let facts = Facts {
        base: BaseFact::Absent,
        local: Some(state(number)),
        remote: None,
        privacy: Privacy::default(),
    };
    (RelPath::new(name).unwrap(), facts)
}

fn asks(facts: &BTreeMap<RelPath, Facts>, intent: Intent, guard: Guard<'_>) -> Option<Why> {
    let plan = draw_plan(facts, intent, &Selection::all(), &guard);
    plan.err().map(|refused| refused.why)
}

fn too_many(deleted: usize, covered: usize) -> Why {
    Why::TooMany { deleted, covered }
}

#[test]
fn five_deletions_ask_where_they_are_more_than_a_quarter() {
    let covering = |covered| Guard { covered, ..CALM };
    assert_eq!(asks(&deleted(4, 0), Intent::Push, covering(5)), None);
    assert_eq!(asks(&deleted(5, 0), Intent::Push, covering(20)), None);
    assert_eq!(asks(&deleted(5, 0), Intent::Push, covering(19)), Some(too_many(5, 19)));
    assert_eq!(asks(&deleted(0, 5), Intent::Pull, covering(19)), Some(too_many(5, 19)));
    assert_eq!(asks(&deleted(3, 2), Intent::Sync, covering(19)), Some(too_many(5, 19)));
    assert_eq!(asks(&deleted(9, 0), Intent::Push, covering(10)), Some(too_many(9, 10)));
}

#[test]
fn more_than_a_hundred_deletions_ask_in_any_project() {
    let guard = Guard { covered: 1_000_000, ..CALM };
    assert_eq!(asks(&deleted(100, 0), Intent::Push, guard), None);
    assert_eq!(asks(&deleted(101, 0), Intent::Push, guard), Some(too_many(101, 1_000_000)));
    assert_eq!(asks(&deleted(0, 101), Intent::Pull, guard), Some(too_many(101, 1_000_000)));
}

#[test]
fn deletions_of_the_last_hour_count() {
    let guard = Guard { covered: 19, deletions_last_hour: 4, ..CALM };
    assert_eq!(asks(&deleted(1, 0), Intent::Push, guard), Some(too_many(5, 19)));
    assert_eq!(asks(&deleted(0, 0), Intent::Push, guard), None);
    let guard = Guard { covered: 1_000, deletions_last_hour: 100, ..CALM };
    assert_eq!(asks(&deleted(1, 0), Intent::Push, guard), Some(too_many(101, 1_000)));
    let guard = Guard { covered: 1, deletions_last_hour: 1, ..CALM };
    assert_eq!(asks(&deleted(1, 0), Intent::Push, guard), Some(Why::All { covered: 1 }));
    let mut replaced = deleted(1, 0);
    replaced.extend([new_file(7, "new.md")]);
    assert_eq!(asks(&replaced, Intent::Push, guard), None);
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
fn pulled_deletions_that_were_agreed_to_count_for_nothing() {
    let facts = deleted(0, 30);
    let all = Guard { covered: 60, agreed: Agreed::All, ..CALM };
    let but_four: BTreeSet<RelPath> = facts.keys().skip(4).cloned().collect();
    let but_five: BTreeSet<RelPath> = facts.keys().skip(5).cloned().collect();
    let (four, five) = (Agreed::Only(&but_four), Agreed::Only(&but_five));
    assert_eq!(asks(&facts, Intent::Pull, all), None);
    assert_eq!(asks(&facts, Intent::Sync, all), None);
    assert_eq!(asks(&facts, Intent::Pull, Guard { covered: 10, agreed: four, ..CALM }), None);
    let guard = Guard { covered: 10, agreed: five, ..CALM };
    assert_eq!(asks(&facts, Intent::Pull, guard), Some(too_many(5, 10)));
    assert_eq!(asks(&deleted(30, 30), Intent::Sync, all), Some(too_many(30, 60)));
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
fn other_device_asks_where_files_would_go_or_are_missing() {
    let guard = Guard { root: Root::OtherDevice, ..CALM };
    let edit = BTreeMap::from([new_file(1, "a.md")]);
    assert_eq!(asks(&edit, Intent::Push, guard), None);
    assert_eq!(asks(&deleted(1, 0), Intent::Push, guard), Some(Why::RootOnOtherDevice));
    assert_eq!(asks(&deleted(0, 1), Intent::Pull, guard), Some(Why::RootOnOtherDevice));
    // What is fetched there would be written beside files that are missing.
    let (path, mut fetched) = new_file(2, "b.md");
    (fetched.local, fetched.remote) = (None, Some(Sighted { state: state(2), seq: 2 }));
    let mut lacking = deleted(1, 0);
    lacking.insert(path.clone(), fetched);
    assert_eq!(asks(&lacking, Intent::Pull, guard), Some(Why::RootOnOtherDevice));
    assert_eq!(asks(&BTreeMap::from([(path, fetched)]), Intent::Pull, guard), None);
}

/// Facts of a file that both sides had, and what became of it here and there.
fn changed(base: State, local: Option<State>, remote: Option<State>) -> Facts {
    let seq = if remote == Some(base) { 1 } else { 2 };
    let remote = remote.map(|state| Sighted { state, seq });
    Facts {
        base: BaseFact::Known { state: base, seq: 1 },
        local,
        remote,
        privacy: Privacy::default(),
    }
}

fn numbered(facts: impl Fn(usize) -> Facts) -> BTreeMap<RelPath, Facts> {
    (0..10).map(|n| (RelPath::new(&format!("{n}.md")).unwrap(), facts(n))).collect()
}

#[test]
fn emptied_files_are_losses() {
    let empty = State { digest: Digest::of(b""), ..state(0) };
    let guard = Guard { covered: 10, ..CALM };
    let here = numbered(|n| changed(state(n), Some(empty), Some(state(n))));
    let there = numbered(|n| changed(state(n), Some(state(n)), Some(empty)));
    let were_empty = numbered(|_| changed(empty, Some(state(1)), Some(empty)));
    assert_eq!(asks(&here, Intent::Push, guard), Some(Why::All { covered: 10 }));
    assert_eq!(asks(&there, Intent::Pull, guard), Some(Why::All { covered: 10 }));
    assert_eq!(asks(&were_empty, Intent::Push, guard), None);
    let refused = draw_plan(&here, Intent::Push, &Selection::all(), &guard).unwrap_err();
    assert_eq!(refused.emptied, 10);
    assert!(refused.to_string().ends_with("10 files are emptied and not deleted"), "{refused}");
}

#[test]
fn other_text_or_kind_is_no_loss() {
    let guard = Guard { covered: 10, ..CALM };
    let link = |n| State { kind: Kind::Link, ..state(n + 100) };
    let edited = numbered(|n| changed(state(n), Some(state(n + 100)), Some(state(n))));
    let links = numbered(|n| changed(state(n), Some(link(n)), Some(state(n))));
    assert_eq!(asks(&edited, Intent::Push, guard), None);
    assert_eq!(asks(&links, Intent::Push, guard), None);
}

#[test]
fn file_that_was_copied_first_and_removed_later_was_moved() {
    let guard = Guard { covered: 20, ..CALM };
    let copies = |seq: u64| {
        let mut facts = numbered(|n| changed(state(n), None, Some(state(n))));
        facts.extend((0..10).map(|n| {
            let sighted = Some(Sighted { state: state(n), seq });
            let base = BaseFact::Known { state: state(n), seq };
            let facts =
                Facts { base, local: Some(state(n)), remote: sighted, privacy: Privacy::default() };
            (RelPath::new(&format!("copy/{n}.md")).unwrap(), facts)
        }));
        facts
    };
    assert_eq!(asks(&copies(2), Intent::Push, guard), None);
    // Those that came with them are twins, each of its own name.
    assert_eq!(asks(&copies(1), Intent::Push, guard), Some(too_many(10, 20)));
}

#[test]
fn missing_root_is_never_everything_deleted() {
    let guard = Guard { root: Root::Missing, consent: true, agreed: Agreed::All, ..CALM };
    for intent in [Intent::Push, Intent::Pull, Intent::Sync] {
        assert_eq!(asks(&deleted(3, 0), intent, guard), Some(Why::RootMissing), "{intent:?}");
    }
}
