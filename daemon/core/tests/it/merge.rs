//! A merge loses nothing, converges, and says what git says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mirror_core::merge::{Merged, Merger, merge};
use proptest::prelude::*;

use crate::dice::Dice;

/// Merges both ways round.
fn merged(base: &[u8], one: &[u8], other: &[u8]) -> Merged {
    let merge = |sides| merge(Merger::Lines, Some(base), sides);
    let outcome = merge([one, other]);
    assert_eq!(merge([other, one]), outcome, "the other way round");
    outcome
}

fn counts(text: &[u8]) -> BTreeMap<&[u8], usize> {
    let mut counts = BTreeMap::new();
    text.split_inclusive(|byte| *byte == b'\n')
        .for_each(|line| *counts.entry(line).or_default() += 1);
    counts
}

/// A text of few different lines, so that many are equal.
fn text(lines: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let last = prop::sample::select(vec!["", "", "a", "d"]);
    (prop::collection::vec(prop::sample::select(lines), 0..10), last)
        .prop_map(|(lines, last)| (lines.concat() + last).into_bytes())
}

const LINES: &[&str] = &["a\n", "b\n", "c\n", "\n", "a\r\n", "d\n", "e\n"];
const NEW_LINES: &[&str] = &["v\n", "w\n", "x\n", "y\r\n", "a\n", "\n"];

/// A base and two texts made of it by a few edits.
fn versions() -> impl Strategy<Value = [Vec<u8>; 3]> {
    let edits =
        || prop::collection::vec((any::<prop::sample::Index>(), 0..3_usize, text(NEW_LINES)), 0..3);
    (text(LINES), edits(), edits()).prop_map(|(base, one, other)| {
        let [one, other] = [one, other].map(|edits| edited(&base, &edits));
        [base, one, other]
    })
}

fn edited(base: &[u8], edits: &[(prop::sample::Index, usize, Vec<u8>)]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = base.split_inclusive(|byte| *byte == b'\n').collect();
    for (at, removed, added) in edits {
        let at = at.index(lines.len() + 1);
        let end = lines.len().min(at + removed);
        lines.splice(at..end, added.split_inclusive(|byte| *byte == b'\n').take(2));
    }
    lines.concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn unchanged_side_yields_to_the_other(base in text(LINES), side in text(LINES)) {
        prop_assert_eq!(merged(&base, &base, &side), Merged::Clean(side.clone()));
        prop_assert_eq!(merged(&base, &side, &side), Merged::Clean(side));
    }

    #[test]
    fn no_line_is_lost_or_doubled([base, one, other] in versions()) {
        if let Merged::Clean(merge) = merged(&base, &one, &other) {
            let [base, one, other, merge] = [&base, &one, &other, &merge].map(|text| counts(text));
            let of = |text: &BTreeMap<&[u8], usize>, line| text.get(line).copied().unwrap_or(0);
            for line in one.keys().chain(other.keys()).chain(merge.keys()) {
                let (a, b, now) = (of(&one, line), of(&other, line), of(&merge, line));
                let least = match of(&base, line) {
                    0 => a.max(b),
                    1 => a.min(b).min(1),
                    // Which of them each side took away can't be told by counting.
                    _ => 0,
                };
                prop_assert!((least..=a + b).contains(&now), "{line:?}: {now}, sides {a} and {b}");
            }
        }
    }

    #[test]
    fn merging_again_changes_nothing([base, one, other] in versions()) {
        if let Merged::Clean(merge) = merged(&base, &one, &other) {
            prop_assert_eq!(merged(&base, &merge, &one), Merged::Clean(merge.clone()));
            prop_assert_eq!(merged(&base, &merge, &other), Merged::Clean(merge));
        }
    }
}

struct Case {
    base: Vec<u8>,
    sides: [Vec<u8>; 2],
}

impl Dice {
    /// A text in which no line is there twice, but that every second one is
    /// empty if `gaps` says so; both sides edit a few of its lines.
    fn case(&mut self, gaps: bool) -> Case {
        let base: Vec<String> = (0..4 + self.below(20))
            .map(|at| if gaps && at % 2 == 1 { "\n".into() } else { format!("{at}\n") })
            .collect();
        let sides = ["one", "other"].map(|name| self.edit(base.clone(), name, gaps));
        Case { base: base.concat().into_bytes(), sides }
    }

    fn edit(&mut self, mut lines: Vec<String>, name: &str, gaps: bool) -> Vec<u8> {
        for number in 0..=self.below(3) {
            let new = format!("{name} {number}\n");
            match (lines.len(), self.below(3)) {
                (0, _) | (_, 0) => {
                    let gap = gaps.then(|| "\n".to_owned());
                    let at = self.below(lines.len() + 1);
                    lines.splice(at..at, [new].into_iter().chain(gap));
                }
                (length, 1) => lines[self.below(length)] = new,
                (length, _) => drop(lines.remove(self.below(length))),
            }
        }
        lines.concat().into_bytes()
    }
}

fn scratch() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("mirror-core-merge-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// `--diff3` keeps git from looking for equal lines within a conflict.
fn merged_by_git(folder: &Path, case: &Case) -> Option<Vec<u8>> {
    let files = [("one", &case.sides[0]), ("base", &case.base), ("other", &case.sides[1])];
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
    let output = Command::new("git")
        .args(["merge-file", "--stdout", "--diff3", "one", "base", "other"])
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    // The status is the number of conflicts.
    assert!(matches!(output.status.code(), Some(0..128)), "git failed");
    output.status.success().then_some(output.stdout)
}

#[test]
fn git_merges_the_same_to_the_same() {
    let (mut dice, folder) = (Dice(3), scratch());
    let (mut clean, mut doubtful) = (0, 0);
    for number in 0..800 {
        let gaps = number % 2 == 1;
        let case = dice.case(gaps);
        let [one, other] = &case.sides;
        let by_git = merged_by_git(&folder, &case);
        let texts = [&case.base, one, other].map(|text| String::from_utf8_lossy(text));
        match (merged(&case.base, one, other), by_git) {
            (Merged::Clean(ours), by_git) => {
                assert_eq!(Some(ours), by_git, "{texts:?}");
                clean += 1;
            }
            (Merged::Overlapping, None) => {}
            // Between equal lines we may see a doubt where git sees none.
            (Merged::Overlapping, Some(_)) if gaps => doubtful += 1,
            (ours, by_git) => panic!("{texts:?}: {ours:?}, git {by_git:?}"),
        }
    }
    fs::remove_dir_all(&folder).unwrap();
    assert!(clean > 300, "only {clean} merges");
    assert!(doubtful < 40, "{doubtful} merges that git makes");
}

/// Numbered lines, in an order of chance.
fn shuffled(dice: &mut Dice, count: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..count).collect();
    (1..count).rev().for_each(|at| numbers.swap(at, dice.below(at + 1)));
    numbers
}

fn numbers(lines: impl IntoIterator<Item = usize>) -> Vec<u8> {
    lines.into_iter().flat_map(|number| format!("{number}\n").into_bytes()).collect()
}

#[test]
fn no_text_keeps_a_merge_busy_for_long() {
    const COUNT: usize = 100_000;
    let mut dice = Dice(9);
    let sorted = numbers(0..COUNT);
    let mut drawn = |kinds| numbers((0..COUNT).map(|_| dice.below(kinds)).collect::<Vec<_>>());
    let random = [drawn(2), drawn(2), drawn(2)];
    let orders = [sorted.clone(), numbers(shuffled(&mut dice, COUNT)), numbers((0..COUNT).rev())];
    let periods = [2, 3, 5].map(|period| numbers((0..COUNT).map(|at| at % period)));
    let empty = [1 << 20, 3 << 18, 1 << 19].map(|count| vec![b'\n'; count]);
    let long = [b'a', b'b', b'c'].map(|letter| vec![letter; 4 << 20]);
    let edited = |nth| numbers((0..COUNT).map(|at| if at % 4 == nth { at + COUNT } else { at }));
    let edits = [sorted, edited(0), edited(2)];

    let cases = [
        ("too different", random),
        ("overlapping", orders),
        ("overlapping", periods),
        ("overlapping", empty),
        ("overlapping", long),
        ("clean", edits),
    ];
    for (number, (expected, [base, one, other])) in cases.into_iter().enumerate() {
        let verdict = match merged(&base, &one, &other) {
            Merged::Clean(_) => "clean",
            Merged::Overlapping => "overlapping",
            Merged::TooDifferent => "too different",
            Merged::NotText => "no text",
        };
        assert_eq!(verdict, expected, "case {number}");
    }
}
