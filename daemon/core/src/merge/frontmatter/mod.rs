//! A text with frontmatter: its keys are merged one by one, what stands below a
//! key likewise, and the body line by line.
//!
//! When a text was last modified, and in which session, changes with every save.
//! That is never a conflict: of both sides the newer says it.

mod page;

use std::collections::HashMap;

use super::sequence::{greater, woven};
use super::{Merged, Merger, changed_alone, merge, merge_lines};
use crate::Timestamp;

use page::{Block, Entry, Page};

/// What says when a text was modified, and the session that did it: of one side,
/// both.
const LAST_CHANGE: [&str; 2] = ["modified", "originSessionId"];

/// Merges by keys where both sides have frontmatter, else by lines. All three are
/// text.
pub(super) fn merge_frontmatter(base: Option<&[u8]>, sides: [&[u8]; 2]) -> Merged {
    let merged = merge_pages(base.unwrap_or_default(), sides);
    merged.unwrap_or_else(|| merge(Merger::Lines, base, sides))
}

/// `None` where one of them is no page.
fn merge_pages(base: &[u8], sides: [&[u8]; 2]) -> Option<Merged> {
    let text = |bytes| std::str::from_utf8(bytes).ok();
    let before = text(base)?;
    let old = match Page::of(before) {
        Some(page) => page,
        None if before.starts_with("---") => return None,
        None => Page { body: before, ..Page::default() },
    };
    let [one, other] = [Page::of(text(sides[0])?)?, Page::of(text(sides[1])?)?];
    let Some(keys) = merge_blocks(&old.block, [&one.block, &other.block]) else {
        return Some(Merged::Overlapping);
    };
    let body = match merge_bodies(old.body.as_bytes(), [one.body, other.body].map(str::as_bytes)) {
        Merged::Clean(body) => body,
        outcome => return Some(outcome),
    };
    let fence = |at: usize| {
        let before = Some(old.fences[at]).filter(|fence| !fence.is_empty());
        greater(before, [one.fences[at], other.fences[at]])
    };
    let mut merged = [fence(0), &keys, fence(1)].concat().into_bytes();
    if !body.is_empty() && !merged.ends_with(b"\n") {
        merged.push(b'\n');
    }
    merged.extend(body);
    Some(Merged::Clean(merged))
}

fn merge_bodies(base: &[u8], sides: [&[u8]; 2]) -> Merged {
    match changed_alone(Some(base), sides) {
        Some(body) => Merged::Clean(body.to_vec()),
        None => merge_lines(base, sides),
    }
}

/// `None` where both sides gave one key values of their own.
fn merge_blocks(base: &Block<'_>, sides: [&Block<'_>; 2]) -> Option<String> {
    let newer = newer_of(base, sides);
    let mut texts = HashMap::new();
    for key in sides.iter().flat_map(|side| &side.entries).map(|entry| entry.key) {
        let text = match LAST_CHANGE.contains(&key) {
            true => sides[newer].entry(key).map(|entry| entry.text.to_owned()),
            false => merge_entries(base.entry(key), sides.map(|side| side.entry(key)))?,
        };
        texts.extend(text.map(|text| (key, text)));
    }
    let orders = sides.map(Block::keys);
    let stays = |key: &&str| texts.contains_key(key);
    let order = woven(&base.keys(), [&orders[0], &orders[1]], stays, |_| false);
    let mut merged = String::new();
    for key in order {
        merged += match sides.map(|side| side.entry(key)) {
            [Some(one), Some(other)] => {
                greater(base.entry(key).map(|entry| entry.gap), [one.gap, other.gap])
            }
            [one, other] => one.or(other).map_or("", |entry| entry.gap),
        };
        merged += &texts[key];
    }
    merged += greater(Some(base.rest), sides.map(|side| side.rest));
    Some(merged)
}

/// What becomes of one key: `None` if both sides changed it, `Some(None)` if it
/// goes. An edit on one side beats a removal on the other.
#[expect(clippy::option_option, reason = "no answer, and the answer that nothing is left")]
fn merge_entries(
    base: Option<&Entry<'_>>,
    sides: [Option<&Entry<'_>>; 2],
) -> Option<Option<String>> {
    let text = |entry: Option<&Entry<'_>>| entry.map(|entry| entry.text.to_owned());
    let [one, other] = sides.map(text);
    let before = text(base);
    match sides {
        _ if one == other || other == before => Some(one),
        _ if one == before => Some(other),
        [Some(one), Some(other)] => Some(Some(merge_inner(base, [one, other])?)),
        [_, _] => Some(one.or(other)),
    }
}

fn merge_inner(base: Option<&Entry<'_>>, sides: [&Entry<'_>; 2]) -> Option<String> {
    let [(one, below_one), (other, below_other)] =
        [sides[0].inner.as_ref()?, sides[1].inner.as_ref()?];
    let nothing = Block::default();
    let (head, below) = match base {
        None => (None, &nothing),
        Some(base) => base.inner.as_ref().map(|(head, below)| (Some(*head), below))?,
    };
    let below = merge_blocks(below, [below_one, below_other])?;
    Some(greater(head, [one, other]).to_owned() + &below)
}

/// The side that says when the text was last changed.
fn newer_of(base: &Block<'_>, sides: [&Block<'_>; 2]) -> usize {
    let last = |block: &Block<'_>| {
        let [modified, session] =
            LAST_CHANGE.map(|key| block.entry(key).map(|entry| entry.text.to_owned()));
        (modified.as_deref().and_then(time_of), modified, session)
    };
    let [one, other] = sides.map(last);
    usize::from(greater(Some(&last(base)), [&one, &other]) != &one)
}

fn time_of(line: &str) -> Option<Timestamp> {
    let (_, value) = line.split_once(':')?;
    value.trim().trim_matches(['"', '\'']).parse().ok()
}

impl<'t> Block<'t> {
    fn keys(&self) -> Vec<&'t str> {
        self.entries.iter().map(|entry| entry.key).collect()
    }

    fn entry(&self, key: &str) -> Option<&Entry<'t>> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

#[cfg(test)]
mod tests;
