//! Named behaviours of plans; `tests/it` tries all small cases.

use std::collections::BTreeMap;

use super::*;
use crate::Kind;
use crate::path::Clash;
use crate::reconcile::{BaseFact, Facts, Past, Privacy};

const GUARD: Guard<'static> = Guard {
    covered: 1_000,
    deletions_last_hour: 0,
    root: Root::Sound,
    consent: false,
    agreed: Agreed::All,
    waiting: NOTHING,
};

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn state(letter: u8) -> State {
    State { kind: Kind::File, digest: Digest([letter; 32]), exec: false }
}

/// Reads lines of `path base local remote`, one letter per content, `-` for
/// none; a base of `?` is one that was lost after the path's deletion.
fn facts(lines: &[&str]) -> BTreeMap<RelPath, Facts> {
    lines.iter().map(|line| fact(line)).collect()
}

fn fact(line: &str) -> (RelPath, Facts) {
    let words: Vec<&str> = line.split(' ').collect();
    let [name, base, local, remote] = words[..] else {
        panic!("four words in {line:?}");
    };
    let side = |word: &str| (word != "-").then(|| state(word.as_bytes()[0]));
    let known = |state| BaseFact::Known { state, seq: 1 };
    let base_fact = match base {
        "?" => BaseFact::Unknown(Past::DeletedAtHead),
        word => side(word).map_or(BaseFact::Absent, known),
    };
    let seq = if remote == base { 1 } else { 2 };
    let remote = side(remote).map(|state| Sighted { state, seq });
    (path(name), Facts { base: base_fact, local: side(local), remote, privacy: Privacy::default() })
}

fn plan(intent: Intent, lines: &[&str]) -> Plan {
    plan_for(intent, &Selection::all(), lines)
}

fn plan_for(intent: Intent, selection: &Selection, lines: &[&str]) -> Plan {
    draw_plan(&facts(lines), intent, selection, &GUARD).unwrap()
}

fn named(names: &[&str]) -> Selection {
    Selection::of(names, |_| false)
}

fn sent(plan: &Plan) -> Vec<&str> {
    plan.sends.iter().map(|send| send.path.as_str()).collect()
}

fn fetched(plan: &Plan) -> Vec<&str> {
    plan.fetches.iter().map(|fetch| fetch.path.as_str()).collect()
}

fn renamed_from(plan: &Plan) -> Vec<Option<&str>> {
    plan.sends.iter().map(|send| send.renamed_from.as_ref().map(RelPath::as_str)).collect()
}

#[test]
fn steps_carry_what_they_expect_to_find() {
    let plan =
        plan(Intent::Sync, &["edit a b a", "gone a - a", "new - a -", "old a a b", "rm a a -"]);

    let send = |path: &RelPath, from, to| Send { path: path.clone(), from, to, renamed_from: None };
    let letter = |letter: u8| Some(Digest([letter; 32]));
    assert_eq!(plan.sends[0], send(&path("edit"), letter(b'a'), Some(state(b'b'))));
    assert_eq!(plan.sends[1], send(&path("gone"), letter(b'a'), None));
    assert_eq!(plan.sends[2].from, None);
    assert_eq!(plan.fetches[0].expected_local, Some(state(b'a')));
    assert_eq!(plan.fetches[0].remote, Sighted { state: state(b'b'), seq: 2 });
    assert_eq!(plan.deletions, [Removal { path: path("rm"), expected: state(b'a') }]);
}

#[test]
fn diverged_file_is_left_alone_and_the_rest_goes_through() {
    let plan = plan(Intent::Sync, &["a a b c", "b - b -"]);

    assert_eq!(plan.diverged, [path("a")]);
    assert_eq!(sent(&plan), ["b"]);
    assert!(plan.fetches.is_empty());
}

#[test]
fn edit_that_beat_a_deletion_is_told_by_whoever_acts_on_it() {
    let notice = |edited_here| Notice::EditBeatDeletion { path: path("a"), edited_here };

    assert_eq!(plan(Intent::Push, &["a a b -"]).notices, [notice(true)]);
    assert_eq!(plan(Intent::Pull, &["a a - b"]).notices, [notice(false)]);
    assert_eq!(plan(Intent::Pull, &["a a b -"]).notices, []);
}

#[test]
fn kept_file_is_sent_only_by_a_push_that_names_it() {
    let lines = ["a ? a -"];

    assert_eq!(plan(Intent::Push, &lines).kept, [path("a")]);
    assert!(plan(Intent::Push, &lines).sends.is_empty());
    assert_eq!(sent(&plan_for(Intent::Push, &named(&["a"]), &lines)), ["a"]);
    assert_eq!(plan_for(Intent::Pull, &named(&["a"]), &lines).kept, [path("a")]);
}

#[test]
fn only_selected_paths_are_touched() {
    let lines = ["a/x - x -", "b - b -", "c - - c"];
    let plan = plan_for(Intent::Sync, &named(&["a", "c"]), &lines);

    assert_eq!((sent(&plan), fetched(&plan)), (vec!["a/x"], vec!["c"]));
}

#[test]
fn check_plans_nothing_but_tells_what_waits() {
    let plan = plan(Intent::Check, &["a a b c", "b - b -", "c a b b", "d ? d -"]);

    assert_eq!((plan.diverged, plan.kept), (vec![path("a")], vec![path("d")]));
    assert!(plan.sends.is_empty() && plan.adopts.is_empty());
}

#[test]
fn file_that_moved_is_a_rename() {
    let plan = plan(Intent::Push, &["new - a -", "old a - a"]);
    assert_eq!(renamed_from(&plan), [Some("old"), None]);
}

#[test]
fn rename_is_told_only_one_to_one() {
    let two_appear = plan(Intent::Push, &["n1 - a -", "n2 - a -", "old a - a"]);
    assert_eq!(renamed_from(&two_appear), [None, None, None]);
    let two_vanish = plan(Intent::Push, &["new - a -", "o1 a - a", "o2 a - a"]);
    assert_eq!(renamed_from(&two_vanish), [None, None, None]);
    let edited = plan(Intent::Push, &["new - b -", "old a - a"]);
    assert_eq!(renamed_from(&edited), [None, None]);
}

#[test]
fn file_edited_elsewhere_while_it_was_renamed_here_stays_beside_the_new_name() {
    let plan = plan(Intent::Sync, &["new - a -", "old a - b"]);

    assert_eq!((sent(&plan), fetched(&plan)), (vec!["new"], vec!["old"]));
    assert_eq!(renamed_from(&plan), [None]);
}

#[test]
fn case_rename_is_one_step_here() {
    let plan = plan(Intent::Pull, &["README.md - - a", "readme.md a a -"]);

    let old = Removal { path: path("readme.md"), expected: state(b'a') };
    assert_eq!(plan.fetches[0].replaces, Some(old));
    assert_eq!(plan.deletions, []);
}

#[test]
fn unicode_rename_is_one_step_here_even_with_an_edit() {
    let plan = plan(Intent::Pull, &["cafe\u{301} a a -", "caf\u{e9} - - b", "other a a -"]);

    assert_eq!(plan.fetches[0].replaces.as_ref().unwrap().path, path("cafe\u{301}"));
    assert_eq!(plan.deletions.len(), 1);
}

#[test]
fn case_rename_here_is_sent_as_a_rename() {
    let plan = plan(Intent::Push, &["README.md - a -", "readme.md a - a"]);

    assert_eq!(renamed_from(&plan), [Some("readme.md"), None]);
    assert_eq!(plan.clashes, []);
}

#[test]
fn new_twin_of_a_file_at_the_head_is_left_out_and_told() {
    let plan = plan(Intent::Sync, &["A.md - a -", "a.md - - b"]);

    let (upper, lower) = (path("A.md"), path("a.md"));
    let both = [
        Clash::Twin { path: upper.clone(), other: lower.clone() },
        Clash::Twin { path: lower, other: upper },
    ];
    assert_eq!(plan.clashes, both);
    assert!(!plan.changes_files());
}

#[test]
fn of_two_new_twins_the_first_by_bytes_is_sent() {
    let plan = plan(Intent::Push, &["A.md - a -", "a.md - b -"]);

    assert_eq!(sent(&plan), ["A.md"]);
    assert_eq!(plan.clashes, [Clash::Twin { path: path("a.md"), other: path("A.md") }]);
}

#[test]
fn twin_is_in_the_way_also_when_it_is_not_selected() {
    let lines = ["README.md - a -", "readme.md a - a"];
    let plan = plan_for(Intent::Push, &named(&["README.md"]), &lines);

    assert!(plan.sends.is_empty());
    assert_eq!(plan.clashes.len(), 1);
}

#[test]
fn file_can_become_a_folder_and_a_folder_a_file() {
    let pulled = plan(Intent::Pull, &["a a a -", "a/b - - b"]);
    assert_eq!((fetched(&pulled), pulled.deletions.len()), (vec!["a/b"], 1));
    let pushed = plan(Intent::Push, &["a - b -", "a/b a - a"]);
    assert_eq!((sent(&pushed), pushed.clashes.len()), (vec!["a", "a/b"], 0));
}

#[test]
fn edited_file_is_not_replaced_by_a_folder() {
    let plan = plan(Intent::Sync, &["a a x -", "a/b - - b"]);

    assert!(!plan.changes_files());
    assert_eq!(plan.clashes[0], Clash::IsFolder { path: path("a") });
    assert_eq!(plan.clashes[1], Clash::BelowFile { path: path("a/b"), file: path("a") });
    assert_eq!(plan.notices, []);
}

const VERDICTS: [Verdict; 8] = [
    Verdict::Unchanged,
    Verdict::Adopt,
    Verdict::Send,
    Verdict::SendDeletion,
    Verdict::Fetch,
    Verdict::FetchDeletion,
    Verdict::Diverged,
    Verdict::Kept,
];

#[test]
fn check_does_nothing() {
    for verdict in VERDICTS {
        assert_eq!(action_for(verdict, Intent::Check, true), None, "{verdict:?}");
    }
}

#[test]
fn push_never_touches_the_disk_and_pull_never_the_head() {
    for verdict in VERDICTS {
        let push = action_for(verdict, Intent::Push, true);
        assert!(!matches!(push, Some(Action::Download | Action::RemoveHere)), "{verdict:?}");
        let pull = action_for(verdict, Intent::Pull, true);
        assert!(!matches!(pull, Some(Action::Upload | Action::RemoveAtHead)), "{verdict:?}");
    }
}

#[test]
fn sync_does_what_push_and_pull_do() {
    for (verdict, named) in VERDICTS.iter().flat_map(|v| [(*v, true), (*v, false)]) {
        let push = action_for(verdict, Intent::Push, named);
        let pull = action_for(verdict, Intent::Pull, named);
        assert_eq!(action_for(verdict, Intent::Sync, named), push.or(pull), "{verdict:?}");
    }
}

#[test]
fn kept_file_is_sent_only_when_named() {
    assert_eq!(action_for(Verdict::Kept, Intent::Push, false), None);
    assert_eq!(action_for(Verdict::Kept, Intent::Push, true), Some(Action::Upload));
    assert_eq!(action_for(Verdict::Kept, Intent::Pull, true), None);
}

/// What goes on without a person, and what waits for one.
#[track_caller]
fn unattended(guard: Guard<'_>, waiting: &[&str], lines: &[&str]) -> Result<Unattended, Why> {
    let waiting = waiting.iter().map(|name| path(name)).collect();
    let drawn = draw_unattended(&facts(lines), Intent::Sync, &Selection::all(), &guard, &waiting);
    drawn.map_err(|refused| refused.why)
}

fn waiting(drawn: &Unattended) -> Vec<&str> {
    drawn.waiting.iter().map(RelPath::as_str).collect()
}

const FIVE_GONE: [&str; 7] =
    ["1 a - a", "2 b - b", "3 c - c", "4 d - d", "5 e - e", "edit f g f", "old h h i"];

#[test]
fn nobody_to_ask_makes_the_losses_wait_and_nothing_else() {
    let few = Guard { covered: 7, ..GUARD };
    let drawn = unattended(few, &[], &FIVE_GONE).unwrap();

    assert_eq!(waiting(&drawn), ["1", "2", "3", "4", "5"]);
    assert_eq!(drawn.asked.unwrap().losses.len(), 5);
    assert_eq!((sent(&drawn.plan), fetched(&drawn.plan)), (vec!["edit"], vec!["old"]));
    assert!(drawn.plan.deletions.is_empty());
}

#[test]
fn losses_that_need_nobody_go_on_without_one() {
    let drawn = unattended(GUARD, &[], &FIVE_GONE).unwrap();
    assert!(drawn.waiting.is_empty() && drawn.asked.is_none());
    assert_eq!(sent(&drawn.plan), ["1", "2", "3", "4", "5", "edit"]);
}

#[test]
fn loss_that_waited_waits_on_when_no_number_speaks_against_it_any_more() {
    let drawn = unattended(GUARD, &["1", "back"], &["1 a - a", "back b b b", "2 c - c"]).unwrap();
    assert_eq!((waiting(&drawn), sent(&drawn.plan)), (vec!["1"], vec!["2"]));
    assert_eq!(drawn.asked, None);
}

#[test]
fn moved_files_wait_for_nobody() {
    let lines = ["1 a - a", "2 b - b", "3 c - c", "n/1 - a -", "n/2 - b -", "n/3 - c -"];
    let drawn = unattended(Guard { covered: 3, ..GUARD }, &[], &lines).unwrap();
    assert!(drawn.waiting.is_empty());
    assert_eq!(drawn.plan.sends.len(), 6);
}

#[test]
fn nobody_to_ask_does_nothing_at_all_in_a_folder_that_is_not_the_one_it_was() {
    for (root, why) in [
        (Root::Empty, Why::RootEmpty),
        (Root::Missing, Why::RootMissing),
        (Root::OtherDevice, Why::RootOnOtherDevice),
    ] {
        let lines = ["1 a - a", "2 b - c"];
        assert_eq!(unattended(Guard { root, ..GUARD }, &[], &lines).unwrap_err(), why);
    }
}
