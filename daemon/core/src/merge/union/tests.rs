//! Hand cases: one letter is one line, and `_` an empty one.

use super::super::{Merged, Merger, merge};
use super::*;
use proptest::prelude::*;

fn text(letters: &str) -> Vec<u8> {
    letters
        .trim_matches('-')
        .chars()
        .flat_map(|letter| match letter {
            '_' => b"\n".to_vec(),
            letter => format!("{letter}\n").into_bytes(),
        })
        .collect()
}

fn said(text: &[u8]) -> String {
    String::from_utf8(text.to_vec()).expect("text")
}

/// Merges both ways round, and again with either side.
#[track_caller]
fn merged(base: &[u8], one: &[u8], other: &[u8]) -> String {
    let merge = |one, other| match merge(Merger::Union, Some(base), [one, other]) {
        Merged::Clean(merged) => said(&merged),
        outcome => format!("{outcome:?}"),
    };
    let merged = merge(one, other);
    assert_eq!(merge(other, one), merged, "the other way round");
    for side in [one, other] {
        assert_eq!(merge(merged.as_bytes(), side), merged, "merged again");
    }
    merged
}

/// Reads a case as `base one other`, in which `-` is the empty text.
#[track_caller]
fn check(case: &str, expected: &str) {
    let texts: Vec<Vec<u8>> = case.split(' ').map(text).collect();
    let [base, one, other] = &texts[..] else { panic!("three texts in {case:?}") };
    assert_eq!(merged(base, one, other), said(&text(expected)), "case {case:?}");
}

#[test]
fn lines_that_either_side_added_are_there_once() {
    check("abc abcX abcY", "abcXY");
    check("abc abcX abcX", "abcX");
    check("abc aXbc abcX", "aXbc");
    check("- x y", "xy");
    check("- - abc", "abc");
}

#[test]
fn a_line_that_one_side_removed_goes() {
    check("abc ac abc", "ac");
    check("abc ac abcX", "acX");
    check("abc ac abXc", "aXc");
    check("abc - abc", "");
    check("abc - abcX", "X");
}

#[test]
fn an_edit_on_both_sides_leaves_both_lines() {
    check("abc aXc aYc", "aXYc");
    check("abc aXc ac", "aXc");
}

#[test]
fn what_was_added_stands_after_what_it_was_added_to() {
    check("abc aXYbc abcZ", "aXYbcZ");
    check("abc Xabc Yabc", "XYabc");
    check("abc abXc acY", "aXcY");
}

#[test]
fn lines_that_one_side_moved_stay_moved() {
    check("abc cab abc", "cab");
    check("abc cab abXc", "cabX");
    check("abc cab bca", "bca");
    check("abc acXb abYc", "acXbY");
}

#[test]
fn lines_that_are_there_more_than_once_are_counted() {
    check("aba abab aba", "abab");
    check("aba ab aba", "ab");
    check("aa aaa aaaa", "aaaa");
    check("aab ab aab", "ab");
}

#[test]
fn sections_keep_their_distance() {
    check("#a_#b #aX_#b #a_#bY", "#aX_#bY");
    check("#a_#b #a #a_#b", "#a");
    check("a aX a_Y", "aX_Y");
    check("#a #a#b #ax", "#ax#b");
    check("a ax#y az", "axz#y");
}

#[test]
fn line_ends_stay_as_they_are() {
    assert_eq!(merged(b"a\r\nb\r\n", b"a\r\nb\r\nX\r\n", b"b\r\n"), "b\r\nX\r\n");
    assert_eq!(merged(b"a\nb\n", b"a\r\nb\r\n", b"a\nb\nX\n"), "a\r\nb\r\nX\n");
    assert_eq!(merged(b"a", b"a\nb", b"a\nc"), "a\nb\nc");
    assert_eq!(merged(b"a\n", b"a", b"a\n\n"), "a\n\n");
    assert_eq!(merged(b"a\n", b"a", b"a\nb\n"), "a\nb");
}

#[test]
fn repeated_lines_whose_place_is_in_doubt_wait_for_a_person() {
    let merge = merge(Merger::Union, None, [&text("cde"), &text("ecae")]);
    assert_eq!(merge, Merged::Overlapping);
}

fn lines(words: &'static str, most: usize) -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![6 => words, 1 => "#[ab]", 2 => Just(String::new())];
    let end = prop_oneof![9 => Just("\n"), 1 => Just("\r\n"), 1 => Just("\r\r\n")];
    let lines = proptest::collection::vec((line, end), 0..most);
    (lines, proptest::bool::weighted(0.2)).prop_map(|(lines, cut)| {
        let mut text: String = lines.into_iter().map(|(line, end)| line + end).collect();
        if cut {
            text.pop();
        }
        text.into_bytes()
    })
}

/// Without a line that is there already; the empty ones stay.
fn unlike(text: &[u8]) -> Vec<u8> {
    let mut seen = std::collections::HashSet::new();
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    lines
        .filter(|it| without_end(it).is_empty() || seen.insert(without_end(it)))
        .flatten()
        .copied()
        .collect()
}

fn index() -> impl Strategy<Value = Vec<u8>> {
    lines("[a-h]", 12).prop_map(|text| unlike(&text))
}

/// How often a text has a line.
fn count(text: &[u8], line: &[u8]) -> usize {
    text.split(|byte| *byte == b'\n').filter(|it| without_end(it) == line).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn unlike_lines_merge_either_way_and_again(
        base in index(), one in index(), other in index(),
    ) {
        let merged = merged(&base, &one, &other);
        prop_assert!(merged != "Overlapping", "{:?}", merged);
    }

    #[test]
    fn a_side_that_changed_nothing_yields(base in lines("[a-e]", 12), side in lines("[a-e]", 12)) {
        prop_assert_eq!(said(&merge_union(&base, [&base, &side])), said(&side));
        prop_assert_eq!(said(&merge_union(&base, [&side, &side])), said(&side));
    }

    #[test]
    fn no_line_is_lost_and_no_removal_undone(
        base in lines("[a-e]", 12), one in lines("[a-e]", 12), other in lines("[a-e]", 12),
    ) {
        let merged = merge_union(&base, [&one, &other]);
        for line in [&base, &one, &other].into_iter().flat_map(|it| it.split(|it| *it == b'\n')) {
            let line = without_end(line);
            let [merged, base, one, other] =
                [&merged, &base, &one, &other].map(|text| count(text, line));
            let expected = match (one, other) {
                (one, other) if one <= base && other <= base => one.min(other),
                (one, other) => one.max(other),
            };
            prop_assert!(line.is_empty() || merged == expected, "{:?}", said(line));
        }
    }
}
