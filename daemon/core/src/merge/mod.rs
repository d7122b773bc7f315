//! Puts two changed versions of one text together.
//!
//! The result depends on the base and the *set* of the two sides only (M1), so
//! machines that merge at once converge. It is given only where it is beyond
//! doubt: every change of both sides is in it, once, and merging either side
//! into it again changes nothing. The work is counted, never timed.

mod anchors;
mod changes;
mod lines;
mod markers;
mod shortest;
mod weave;
mod window;

#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::path::RelPath;

use changes::{Change, changes, whole_change};
use lines::{LineId, Lines};
use weave::{Piece, one_piece, settled, weave};

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

/// Merges what both sides made of `base`.
///
/// `path` is for files with rules of their own; today every path is plain text.
#[must_use]
pub fn merge(_path: &RelPath, base: &[u8], sides: [&[u8]; 2]) -> Merged {
    let [one, other] = sides;
    if one == other || other == base {
        return Merged::Clean(one.to_vec());
    }
    if one == base {
        return Merged::Clean(other.to_vec());
    }
    if ![base, one, other].into_iter().all(is_text) {
        return Merged::NotText;
    }
    merge_lines(base, sides)
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

/// A text with what was changed in it since the base.
struct Edit<'t> {
    text: &'t [LineId],
    changes: Vec<Change>,
}

impl<'t> Edit<'t> {
    fn new(base: &[LineId], text: &'t [LineId]) -> Option<Self> {
        Some(Self { text, changes: changes(base, text)? })
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
