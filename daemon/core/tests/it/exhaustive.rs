//! Every plan for up to three paths, each absent or in one of three versions
//! at the base, here and at the head.

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::path::{Clash, Names};
use mirror_core::plan::{Intent, Plan, Selection, draw_plan};
use mirror_core::reconcile::{BaseFact, Facts, Privacy, Sighted, Verdict, decide};
use mirror_core::{RelPath, State};

use crate::model::{CONSENT, path, version};

const SIDES: u8 = 4 * 4 * 4;

fn facts(case: u8) -> Facts {
    let side = |number: u8| (number > 0).then(|| version(number));
    let [base, local, remote] = [case / 16, case / 4 % 4, case % 4];
    let seq = if base == remote { 1 } else { 2 };
    Facts {
        base: side(base).map_or(BaseFact::Absent, |state| BaseFact::Known { state, seq: 1 }),
        local: side(local),
        remote: side(remote).map(|state| Sighted { state, seq }),
        privacy: Privacy::default(),
    }
}

fn cases(names: [&str; 3]) -> impl Iterator<Item = BTreeMap<RelPath, Facts>> {
    let paths = names.map(path);
    let each = move |number: u32| {
        let digit = |place: u32| u8::try_from(number / 64_u32.pow(place) % 64).unwrap();
        let of = |(place, path): (u32, &RelPath)| (path.clone(), facts(digit(place)));
        (0..).zip(&paths).map(of).collect()
    };
    (0..u32::from(SIDES).pow(3)).map(each).filter(can_be)
}

/// No log ever has twins, in its head or behind a base.
fn can_be(facts: &BTreeMap<RelPath, Facts>) -> bool {
    fits(facts, |facts| facts.remote.is_some()) && fits(facts, |facts| facts.base.state().is_some())
}

fn fits(facts: &BTreeMap<RelPath, Facts>, has: impl Fn(&Facts) -> bool) -> bool {
    let mut names = Names::new();
    facts.iter().filter(|(_, facts)| has(facts)).all(|(path, _)| names.insert(path).is_ok())
}

fn plan(facts: &BTreeMap<RelPath, Facts>) -> Plan {
    draw_plan(facts, Intent::Sync, &Selection::all(), &CONSENT).unwrap()
}

/// Each path's lot: sent, written or removed here, or left alone.
struct Lots<'a> {
    sent: BTreeMap<&'a RelPath, Option<State>>,
    written: BTreeMap<&'a RelPath, State>,
    removed: BTreeSet<&'a RelPath>,
    left: BTreeSet<&'a RelPath>,
}

fn lots(plan: &Plan) -> Lots<'_> {
    let replaced = plan.fetches.iter().filter_map(|fetch| fetch.replaces.as_ref());
    Lots {
        sent: plan.sends.iter().map(|send| (&send.path, send.to)).collect(),
        written: plan.fetches.iter().map(|fetch| (&fetch.path, fetch.remote.state)).collect(),
        removed: plan.deletions.iter().chain(replaced).map(|removal| &removal.path).collect(),
        left: plan.diverged.iter().chain(plan.clashes.iter().map(Clash::path)).collect(),
    }
}

fn check(facts: &BTreeMap<RelPath, Facts>) {
    let plan = plan(facts);
    let lots = lots(&plan);
    for (path, facts) in facts {
        check_path(path, facts, &lots);
    }
    check_head(facts, &lots);
}

fn check_path(path: &RelPath, facts: &Facts, lots: &Lots) {
    let base = facts.base.state();
    let remote = facts.remote.map(|remote| remote.state);
    let (sent, written) = (lots.sent.contains_key(path), lots.written.contains_key(path));
    let (removed, left) = (lots.removed.contains(path), lots.left.contains(path));
    let lot_count = [sent, written, removed, left].iter().filter(|lot| **lot).count();
    assert!(lot_count <= 1, "two lots for {path}");

    let edited_here = facts.local.is_some() && facts.local != base;
    let edited_at_head = remote.is_some() && remote != base;
    assert!(!(edited_here && (written || removed)), "edit of {path} here is lost");
    assert!(!(edited_at_head && sent), "edit of {path} at the head is overwritten");
    assert!(!removed || base.is_some() && remote.is_none(), "{path} was never deleted");
    let has_news = decide(facts) != Verdict::Unchanged && facts.local != remote;
    assert_eq!(lot_count == 1, has_news, "{path} is forgotten, or touched for nothing");
    if edited_here && remote.is_none() {
        assert!(sent || left, "edit of {path} must beat its deletion");
    }
    if edited_at_head && facts.local.is_none() {
        assert!(written || left, "edit of {path} must beat its deletion");
    }
}

/// The commit is valid, and this disk holds what it will hold.
fn check_head(facts: &BTreeMap<RelPath, Facts>, lots: &Lots) {
    let at_head = facts.iter().filter(|(path, facts)| {
        lots.sent.get(path).map_or(facts.remote.is_some(), Option::is_some)
    });
    let mut names = Names::new();
    for (path, _) in at_head {
        names.insert(path).expect("no commit has twins");
    }
    if !fits(facts, |facts| facts.local.is_some()) {
        return;
    }
    let here = facts.iter().filter(|(path, facts)| {
        (facts.local.is_some() && !lots.removed.contains(path)) || lots.written.contains_key(path)
    });
    let mut names = Names::new();
    for (path, _) in here {
        names.insert(path).expect("no pull makes twins");
    }
}

#[test]
fn every_plan_for_three_paths_keeps_the_promises() {
    cases(["a", "b", "c"]).for_each(|facts| check(&facts));
}

#[test]
fn every_plan_keeps_the_promises_when_names_are_twins() {
    cases(["a", "A", "b"]).for_each(|facts| check(&facts));
}

#[test]
fn every_plan_keeps_the_promises_when_a_file_is_a_folder_elsewhere() {
    cases(["a", "a/b", "A/c"]).for_each(|facts| check(&facts));
}

#[test]
fn sync_is_push_and_pull_in_one() {
    for facts in cases(["a", "b", "a/c"]).step_by(7) {
        let draw = |intent| draw_plan(&facts, intent, &Selection::all(), &CONSENT).unwrap();
        let (push, pull, sync) = (draw(Intent::Push), draw(Intent::Pull), draw(Intent::Sync));

        assert_eq!(sync.sends, push.sends);
        assert_eq!((sync.fetches, sync.deletions), (pull.fetches, pull.deletions));
        assert!(!draw(Intent::Check).changes_files());
    }
}
