//! Hand cases: one letter is one line, except where line ends matter.

use super::shortest::Search;
use super::window::Window;
use super::*;
use proptest::prelude::*;

fn text(letters: &str) -> Vec<u8> {
    letters.chars().flat_map(|letter| format!("{letter}\n").into_bytes()).collect()
}

/// Merges both ways round.
#[track_caller]
fn merged(base: &[u8], one: &[u8], other: &[u8]) -> Merged {
    let merge = |sides| merge(Merger::Lines, Some(base), sides);
    let outcome = merge([one, other]);
    assert_eq!(merge([other, one]), outcome, "the other way round");
    outcome
}

/// Reads a case as `base one other`, in which `-` is the empty text.
#[track_caller]
fn check(case: &str, expected: Option<&str>) {
    let texts: Vec<Vec<u8>> =
        case.split(' ').map(|letters| text(letters.trim_matches('-'))).collect();
    let [base, one, other] = &texts[..] else { panic!("three texts in {case:?}") };
    let expected = expected.map_or(Merged::Overlapping, |letters| Merged::Clean(text(letters)));
    assert_eq!(merged(base, one, other), expected, "case {case:?}");
}

#[test]
fn changes_apart_are_both_taken() {
    check("abcde aBcde abcDe", Some("aBcDe"));
    check("abcde Xabcde abcdeY", Some("XabcdeY"));
    check("abcde bcde abcdeY", Some("bcdeY"));
    check("abcde abXYcde abcdZ", Some("abXYcdZ"));
}

#[test]
fn a_side_that_changed_nothing_yields() {
    check("abc abc aXc", Some("aXc"));
    check("abc abc -", Some(""));
    check("- - abc", Some("abc"));
}

#[test]
fn equal_changes_count_once() {
    check("abcde aBcde aBcdE", Some("aBcdE"));
    check("abc aXbc aXbcY", Some("aXbcY"));
    check("- abc abc", Some("abc"));
    check("abcde abde abdE", Some("abdE"));
}

#[test]
fn changes_that_touch_overlap() {
    check("abc aXc aYc", None);
    check("abcd aXcd abYd", None);
    check("abcd aXbcd aBcd", None);
    check("abcd abXcd aBcd", None);
    check("abcd acd abXd", None);
}

#[test]
fn one_unchanged_line_keeps_changes_apart() {
    check("abcde aBcde abcDe", Some("aBcDe"));
    check("abcd aXbcd abCd", Some("aXbCd"));
}

#[test]
fn additions_at_one_place_overlap_unless_equal() {
    check("ab aXb aYb", None);
    check("- x y", None);
    check("ab abX abXY", None);
}

#[test]
fn deletion_and_edit_of_one_line_overlap() {
    check("abc ac aBc", None);
    check("abcde ae abCde", None);
    check("abc - abC", None);
}

#[test]
fn a_merge_that_would_not_be_found_again_is_none() {
    check("aab aaab ab", None);
    check("abab ab ababab", None);
}

#[test]
fn edits_among_empty_lines_are_told_apart() {
    check("1_2_3_4_5 1_2_X_3_4_5 1_2_3_4_Y_5", Some("1_2_X_3_4_Y_5"));
    check("1_2_3_4_5 1_3_4_5 1_2_3_X_5", Some("1_3_X_5"));
    check("1_2_3_4_5 1_2X_3_4_5 1_2_3_4_Y5", Some("1_2X_3_4_Y5"));
}

#[test]
fn line_ends_stay_as_they_are() {
    let clean = |text: &[u8]| Merged::Clean(text.to_vec());
    assert_eq!(
        merged(b"a\r\nb\nc\r\nd", b"A\r\nb\nc\r\nd", b"a\r\nb\nc\r\nd\r\n"),
        clean(b"A\r\nb\nc\r\nd\r\n")
    );
    assert_eq!(merged(b"a\nb\nc", b"A\nb\nc", b"a\nb\nC"), clean(b"A\nb\nC"));
    assert_eq!(merged(b"a\nb\nc\n", b"a\r\nb\nc\n", b"a\nb\nc"), clean(b"a\r\nb\nc"));
    assert_eq!(merged(b"a\n", b"a\r\n", b"a"), Merged::Overlapping);
}

#[test]
fn only_text_is_merged() {
    assert!(is_text(b""));
    assert!(is_text("\u{feff}gr\u{fc}n\n".as_bytes()));
    assert!(!is_text(b"a\0b"));
    assert!(!is_text(b"\xff\n"));
    assert!(is_text(&vec![b'a'; MAX_TEXT_BYTES]));
    assert!(!is_text(&vec![b'a'; MAX_TEXT_BYTES + 1]));
    for bytes in [&b"a\0"[..], b"\xff"] {
        assert_eq!(merged(b"a", bytes, b"b"), Merged::NotText);
        assert_eq!(merged(bytes, b"a", b"b"), Merged::NotText);
        assert_eq!(merged(b"a", bytes, b"a"), Merged::Clean(bytes.to_vec()));
    }
}

#[test]
fn two_new_texts_are_two_texts_unless_equal() {
    let merge = |one: &[u8], other: &[u8]| merge(Merger::Lines, None, [one, other]);
    assert_eq!(merge(b"a\n", b"a\n"), Merged::Clean(b"a\n".to_vec()));
    assert_eq!(merge(b"a\n", b""), Merged::Overlapping);
    assert_eq!(merge(b"a\n", b"b\n"), Merged::Overlapping);
}

#[track_caller]
fn check_marked(texts: [Option<&str>; 3], expected: &str) {
    let [base, local, remote] = texts.map(|text| text.map(str::as_bytes));
    let sides = [local.unwrap_or_default(), remote.unwrap_or_default()];
    let text = marked(base, sides, ["here", "#2 by ann"]);
    let text = String::from_utf8(text.expect("text")).expect("text");
    assert_eq!(text, expected);
    assert_eq!(has_markers(text.as_bytes()), text.contains("<<<<<<<"));
}

#[test]
fn marks_show_what_each_side_made_of_the_base() {
    check_marked(
        [Some("a\nb\nc\nd\ne\n"), Some("a\nB\nc\nd\nE\n"), Some("a\nX\nc\nd\ne\n")],
        "a\n<<<<<<< here\nB\n||||||| base\nb\n=======\nX\n>>>>>>> #2 by ann\nc\nd\nE\n",
    );
}

#[test]
fn marks_without_a_base_show_every_difference() {
    check_marked(
        [None, Some("a\nb\nc\nd\n"), Some("a\nX\nc\n")],
        "a\n<<<<<<< here\nb\n=======\nX\n>>>>>>> #2 by ann\nc\n\
         <<<<<<< here\nd\n=======\n>>>>>>> #2 by ann\n",
    );
}

#[test]
fn marks_begin_a_line_and_end_like_the_lines_around() {
    check_marked(
        [Some("a"), Some("b"), Some("c")],
        "<<<<<<< here\nb\n||||||| base\na\n=======\nc\n>>>>>>> #2 by ann\n",
    );
    check_marked(
        [Some("1\r\na"), Some("1\r\nb"), Some("1\r\n")],
        "1\r\n<<<<<<< here\r\nb\r\n||||||| base\r\na\r\n=======\r\n>>>>>>> #2 by ann\r\n",
    );
}

#[test]
fn doubtful_merge_is_marked_as_a_whole() {
    check_marked(
        [Some("a\na\nb\n"), Some("a\na\na\nb\n"), Some("a\nb\n")],
        "a\n<<<<<<< here\na\na\n||||||| base\na\n=======\n>>>>>>> #2 by ann\nb\n",
    );
}

#[test]
fn clean_merge_has_no_marks() {
    check_marked([Some("a\nb\nc\n"), Some("A\nb\nc\n"), Some("a\nb\nC\n")], "A\nb\nC\n");
    assert_eq!(marked(None, [b"a", b"\0"], ["a", "b"]), None);
    assert_eq!(marked(Some(b"\0"), [b"a", b"b"], ["a", "b"]), None);
}

#[test]
fn left_over_marks_are_found_and_headings_are_none() {
    for text in ["<<<<<<< here\n", "a\n>>>>>>> x", "a\n|||||||\nb", "<<<<<<<\r\n", ">>>>>>>"] {
        assert!(has_markers(text.as_bytes()), "{text:?}");
    }
    for text in ["Title\n=======\n", "a <<<<<<< b\n", "<<<<<<<<\n", "|||||||a\n", " >>>>>>> a"] {
        assert!(!has_markers(text.as_bytes()), "{text:?}");
    }
}

/// The most lines two texts can keep, found by trying everything.
fn most_kept(old: &[LineId], new: &[LineId]) -> usize {
    let mut row = vec![0; new.len() + 1];
    for line in old {
        let above = row.clone();
        for (at, other) in new.iter().enumerate() {
            row[at + 1] = if line == other { above[at] + 1 } else { above[at + 1].max(row[at]) };
        }
    }
    row[new.len()]
}

proptest! {
    #[test]
    fn search_keeps_as_many_lines_as_can_be(
        old in proptest::collection::vec(0_usize..4, 0..24),
        new in proptest::collection::vec(0_usize..4, 0..24),
    ) {
        let mut search = Search::new(0);
        let done = search.look_in(&Window { first: (0, 0), old: &old, new: &new });
        prop_assert!(done.is_some());
        prop_assert!(search.found.iter().all(|(x, y)| old[*x] == new[*y]));
        prop_assert!(search.found.is_sorted_by(|one, next| one.0 < next.0 && one.1 < next.1));
        prop_assert_eq!(search.found.len(), most_kept(&old, &new));
    }
}
