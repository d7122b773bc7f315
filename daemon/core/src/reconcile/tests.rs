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
    Facts { base, local, remote: side(remote), privacy: Privacy::default() }
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
    for case in ["- a -", "- - a", "a b a", "a a b2", "a - a", "a a -", "a - -", "earlier - a"] {
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

/// Reads `agreed local remote`, `p` for private, `-` for not.
fn with_privacy(case: &str, privacy: &str) -> Facts {
    let marks: Vec<bool> = privacy.split(' ').map(|mark| mark == "p").collect();
    let privacy = Privacy { agreed: marks[0], local: marks[1], remote: marks[2] };
    Facts { privacy, ..facts(case) }
}

#[track_caller]
fn check_privacy(case: &str, privacy: &str, verdict: Verdict) {
    assert_eq!(decide(&with_privacy(case, privacy)), verdict, "case {case:?} {privacy:?}");
}

#[test]
fn only_a_change_here_of_who_may_read_is_sent() {
    check_privacy("a a a", "- p -", Verdict::Send);
    check_privacy("a a a", "p - p", Verdict::Send);
    // A machine whose new files are all private, and one whose are not.
    check_privacy("a a a", "p p -", Verdict::Unchanged);
    check_privacy("a a a2", "p p -", Verdict::Adopt);
    check_privacy("other a a", "- p -", Verdict::Adopt);
    // Changed alike on both sides.
    check_privacy("a a a", "- p p", Verdict::Adopt);
}

#[test]
fn what_is_private_at_the_head_is_private_here_and_its_loss_widens_nothing() {
    check_privacy("a a a2", "- - p", Verdict::Fetch);
    check_privacy("a a a", "- - p", Verdict::Fetch);
    check_privacy("other a a", "- - p", Verdict::Fetch);
    check_privacy("a a a2", "p - p", Verdict::Fetch);
    check_privacy("a a a2", "p p -", Verdict::Adopt);
}

#[test]
fn contents_decide_before_who_may_read_them() {
    check_privacy("a b a", "- p -", Verdict::Send);
    check_privacy("a a b", "- p -", Verdict::Fetch);
    check_privacy("a b c", "- p p", Verdict::Diverged);
    check_privacy("- - -", "- - -", Verdict::Unchanged);
}

#[test]
fn version_made_here_is_private_as_the_head_until_somebody_changes_that() {
    for (case, privacy, expected) in [
        ("a b a", "- - p", true),
        ("a b a", "p p -", false),
        ("a b a", "- p -", true),
        ("a b a", "p - p", false),
        ("- b -", "- p -", true),
        ("- b a", "- p -", true),
        ("- b a", "- - p", true),
        ("- b a", "- - -", false),
        ("other b a", "- p -", false),
        ("other b a", "- - p", true),
        // Deleted at the head meanwhile: it says nothing any more.
        ("a b -", "p p -", true),
        ("a b -", "p - -", false),
        ("a b -", "- - -", false),
        ("other b -", "- p -", true),
    ] {
        let facts = with_privacy(case, privacy);
        let sent = facts.privacy.to_send(facts.base, facts.remote.is_some());
        assert_eq!(sent, expected, "{case:?} {privacy:?}");
    }
}

#[test]
fn disk_without_modes_never_differs() {
    for privacy in ["- p -", "p - p", "- - p", "p p -"] {
        let facts = with_privacy("a a a", privacy).seen_through(LocalTraits { exec: false });
        assert_eq!(decide(&facts), Verdict::Unchanged, "{privacy:?}");
    }
}
