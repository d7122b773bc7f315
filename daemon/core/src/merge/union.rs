//! A list of lines to which both sides add: an index, such as `MEMORY.md`.
//!
//! No line is a conflict: it is there afterwards if both sides have it, or one
//! added it, and gone if a side removed it (M4). Empty lines belong to the
//! line after them, so that sections keep their distance.

use std::collections::HashMap;

use super::sequence::{greater, woven};

/// A line without its end, and how many equal ones stand before it.
type Key<'t> = (&'t [u8], usize);

/// How a line stands in a text.
#[derive(Clone, Copy)]
struct Standing<'t> {
    /// The empty lines before it.
    gap: &'t [u8],
    /// Without its line feed.
    line: &'t [u8],
}

#[derive(Default)]
struct List<'t> {
    order: Vec<Key<'t>>,
    lines: HashMap<Key<'t>, Standing<'t>>,
    /// How many equal lines there are.
    counts: HashMap<&'t [u8], usize>,
    /// The empty lines after the last.
    rest: &'t [u8],
    /// Whether it ends within its last line, without a line feed.
    is_cut: bool,
}

impl<'t> List<'t> {
    fn of(text: &'t [u8]) -> Self {
        let mut list = Self::default();
        let (mut gap, mut end) = (0, 0);
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let start = end;
            end += line.len();
            let words = without_end(line);
            if words.is_empty() {
                continue;
            }
            let count = list.counts.entry(words).or_default();
            let key = (words, *count);
            *count += 1;
            list.order.push(key);
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            list.lines.insert(key, Standing { gap: &text[gap..start], line });
            gap = end;
        }
        list.rest = &text[gap..];
        list.is_cut = list.rest.is_empty() && text.last().is_some_and(|last| *last != b'\n');
        list
    }

    fn begins_section(&self, key: &Key<'_>) -> bool {
        key.0.starts_with(b"#") || self.lines.get(key).is_some_and(|it| !it.gap.is_empty())
    }
}

/// Lines are the same whichever way they end.
fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let end = line.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
    &line[..end]
}

/// Puts both sides' lines together: those of `base` first, in the order that the
/// sides leave them in, and what was added after what it was added to.
pub(super) fn merge_union(base: &[u8], sides: [&[u8]; 2]) -> Vec<u8> {
    let base = List::of(base);
    let sides = sides.map(List::of);
    let stays = |(words, place): &Key<'_>| {
        let count = |list: &List<'_>| list.counts.get(words).copied().unwrap_or_default();
        *place < left(count(&base), sides.each_ref().map(count))
    };
    let begins = |key: &Key<'_>| sides.iter().any(|side| side.begins_section(key));
    let orders = sides.each_ref().map(|side| side.order.as_slice());
    let mut text = Vec::new();
    let mut seen: HashMap<&[u8], usize> = HashMap::new();
    for (words, _) in woven(&base.order, orders, stays, begins) {
        // Equal lines are told apart by their order alone, which is this one now.
        let place = seen.entry(words).or_default();
        let Standing { gap, line } = standing(&base, &sides, &(words, *place));
        *place += 1;
        text.extend([gap, line, b"\n"].concat());
    }
    match greater(Some(base.rest), sides.each_ref().map(|side| side.rest)) {
        [] if greater(Some(base.is_cut), sides.map(|side| side.is_cut)) => drop(text.pop()),
        rest => text.extend(rest),
    }
    text
}

/// How many equal lines are left: as many as either side has, but those that a
/// side removed while the other added none.
fn left(base: usize, [one, other]: [usize; 2]) -> usize {
    match (one <= base, other <= base) {
        (true, true) => one.min(other),
        (false, _) | (_, false) => one.max(other),
    }
}

fn standing<'t>(base: &List<'t>, sides: &[List<'t>; 2], key: &Key<'t>) -> Standing<'t> {
    let found = sides.each_ref().map(|side| side.lines.get(key).copied());
    match found {
        [Some(one), Some(other)] => {
            let before = base.lines.get(key).copied();
            Standing {
                gap: greater(before.map(|it| it.gap), [one.gap, other.gap]),
                line: greater(before.map(|it| it.line), [one.line, other.line]),
            }
        }
        [Some(only), None] | [None, Some(only)] => only,
        [None, None] => unreachable!("what stays is on a side"),
    }
}

#[cfg(test)]
mod tests;
