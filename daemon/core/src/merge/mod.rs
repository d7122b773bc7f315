//! Puts two changed versions of one text together.
//!
//! The result depends on the base and the *set* of the two sides only (M1), so
//! machines that merge at once converge. It is given only where it is beyond
//! doubt: every change of both sides is in it, once, and merging either side
//! into it again changes nothing. The work is counted, never timed.

mod anchors;
mod changes;
mod frontmatter;
mod lines;
mod markers;
mod sequence;
mod shortest;
mod union;
mod weave;
mod window;

#[cfg(test)]
mod tests;

use std::ops::Range;

use changes::{Change, changes, whole_change};
use frontmatter::merge_frontmatter;
use lines::{LineId, Lines};
use union::merge_union;
use weave::{Edit, Piece, one_piece, settled, weave};

pub use markers::{has_markers, marked};

/// The largest text that is merged.
pub const MAX_TEXT_BYTES: usize = 4 << 20;

/// What became of an attempt to merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merged {
    Clean(Vec<u8>),
    /// Both sides changed the same lines, or lines next to each other.
    Overlapping,
    /// One of the three is no text.
    NotText,
    /// Comparing them would cost too much.
    TooDifferent,
}

/// How two versions of a path are put together, as the project's settings say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Merger {
    /// As a text: changes of the same lines wait for a person.
    #[default]
    Lines,
    /// As a list of lines, to which both may add.
    Union,
    /// Its frontmatter key by key, the rest by lines.
    Frontmatter,
}

impl Merger {
    const ALL: [Self; 3] = [Self::Lines, Self::Union, Self::Frontmatter];

    /// The word that stands in the log.
    pub fn word(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Union => "union",
            Self::Frontmatter => "frontmatter",
        }
    }

    /// Whether two files may be put together that nobody made from one another.
    pub fn needs_no_base(self) -> bool {
        self != Self::Lines
    }

    /// Reads the word that stands in the log; `None` for one of a later version.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|merger| merger.word() == word)
    }
}

/// Merges what both sides made of `base`; without one there was no file, and both
/// made it.
#[must_use]
pub fn merge(merger: Merger, base: Option<&[u8]>, sides: [&[u8]; 2]) -> Merged {
    if let Some(text) = changed_alone(base, sides) {
        return Merged::Clean(text.to_vec());
    }
    let old = base.unwrap_or_default();
    if ![old, sides[0], sides[1]].into_iter().all(is_text) {
        return Merged::NotText;
    }
    match put_together(merger, base, sides) {
        Merged::Clean(text) if !is_final(merger, base, sides, &text) => Merged::Overlapping,
        outcome => outcome,
    }
}

/// Merges what both sides changed, each in its own way. All are text.
fn put_together(merger: Merger, base: Option<&[u8]>, sides: [&[u8]; 2]) -> Merged {
    let old = base.unwrap_or_default();
    match merger {
        // Two texts that nobody made from one another are two texts.
        _ if base.is_none() && !merger.needs_no_base() => Merged::Overlapping,
        Merger::Lines => merge_lines(old, sides),
        Merger::Union => Merged::Clean(merge_union(old, sides)),
        Merger::Frontmatter => merge_frontmatter(base, sides),
    }
}

/// Whether merged with either side again it is what it was: machines that merge
/// at once would else go on merging (M1).
fn is_final(merger: Merger, base: Option<&[u8]>, sides: [&[u8]; 2], text: &[u8]) -> bool {
    match merger {
        // Said of its own changes already.
        Merger::Lines => true,
        Merger::Union | Merger::Frontmatter => sides.into_iter().all(|side| {
            let again = put_together(merger, base, [text, side]);
            again == Merged::Clean(text.to_vec())
        }),
    }
}

/// What both sides have, or what one made while the other changed nothing.
fn changed_alone<'t>(base: Option<&[u8]>, [one, other]: [&'t [u8]; 2]) -> Option<&'t [u8]> {
    if one == other || base == Some(other) {
        return Some(one);
    }
    (base == Some(one)).then_some(other)
}

/// How much agents load of an index: so many lines, or so many bytes.
pub const INDEX_LINES: usize = 200;
pub const INDEX_BYTES: usize = 25_000;

/// Whether those who read an index don't get to its end.
#[must_use]
pub fn is_overlong_index(text: &[u8]) -> bool {
    text.len() > INDEX_BYTES || text.split_inclusive(|byte| *byte == b'\n').count() > INDEX_LINES
}

/// UTF-8 without NUL, and not too large.
#[must_use]
pub fn is_text(bytes: &[u8]) -> bool {
    bytes.len() <= MAX_TEXT_BYTES && !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok()
}

/// Lines of one text, and what another has in their place; counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineChange {
    pub old: Range<usize>,
    pub new: Range<usize>,
}

/// Where two texts differ, in order; between two places lies at least one equal
/// line. Texts that cost too much to compare differ from the first line that does
/// to the last.
#[must_use]
pub fn line_changes(old: &[u8], new: &[u8]) -> Vec<LineChange> {
    let mut lines = Lines::default();
    let (old, new) = (lines.split(old), lines.split(new));
    let changes = changes(&old, &new).unwrap_or_else(|| vec![whole_change(&old, &new)]);
    changes.into_iter().map(|Change { base, side }| LineChange { old: base, new: side }).collect()
}

fn merge_lines(base: &[u8], sides: [&[u8]; 2]) -> Merged {
    let mut lines = Lines::default();
    let base = lines.split(base);
    let sides = sides.map(|side| lines.split(side));
    let Some(pieces) = pieces(&base, [&sides[0], &sides[1]]) else {
        return Merged::TooDifferent;
    };
    match settled(&pieces) {
        Some(merged) => Merged::Clean(lines.join(&merged)),
        None => Merged::Overlapping,
    }
}

/// What both sides made of the base, piece by piece; `None` if that is too
/// costly to find.
fn pieces<'t>(base: &'t [LineId], sides: [&'t [LineId]; 2]) -> Option<Vec<Piece<'t>>> {
    let edits = [Edit::new(base, sides[0])?, Edit::new(base, sides[1])?];
    let pieces = weave(base, [&edits[0], &edits[1]]);
    match settled(&pieces) {
        Some(merged) if !is_stable(base, &edits, &merged)? => Some(one_piece(base, sides)),
        _ => Some(pieces),
    }
}

/// Whether a merge can be told from its own changes: merged with either side it
/// is what it was. Lines that occur more than once can make it look as if other
/// lines had been changed; such a merge would not converge.
fn is_stable(base: &[LineId], sides: &[Edit<'_>; 2], merged: &[LineId]) -> Option<bool> {
    let again = Edit::new(base, merged)?;
    let mut outcomes = sides.iter().map(|side| settled(&weave(base, [&again, side])));
    Some(outcomes.all(|outcome| outcome.as_deref() == Some(merged)))
}
