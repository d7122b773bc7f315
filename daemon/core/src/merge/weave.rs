//! Two lists of changes to one base, laid side by side.

use std::ops::Range;

use super::changes::{Change, changes};
use super::lines::LineId;

/// A text with what was changed in it since the base.
pub(super) struct Edit<'t> {
    pub(super) text: &'t [LineId],
    pub(super) changes: Vec<Change>,
}

impl<'t> Edit<'t> {
    pub(super) fn new(base: &[LineId], text: &'t [LineId]) -> Option<Self> {
        Some(Self { text, changes: changes(base, text)? })
    }
}

/// A stretch of the merged text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece<'t> {
    Settled(&'t [LineId]),
    /// Changed by both sides, each in its own way.
    Open {
        base: &'t [LineId],
        sides: [&'t [LineId]; 2],
    },
}

/// Lays both sides' changes over the base. Changes that touch the same lines,
/// or lines next to each other, are looked at as one.
pub(super) fn weave<'t>(base: &'t [LineId], sides: [&Edit<'t>; 2]) -> Vec<Piece<'t>> {
    let mut rest = sides.map(|side| side.changes.as_slice());
    let mut pieces = Vec::new();
    let mut done = 0;
    while let Some(group) = next_group(&mut rest) {
        pieces.push(Piece::Settled(&base[done..group.base.start]));
        done = group.base.end;
        pieces.push(group.piece(base, sides));
    }
    pieces.push(Piece::Settled(&base[done..]));
    pieces
}

/// The merged text, when no piece is open.
pub(super) fn settled(pieces: &[Piece<'_>]) -> Option<Vec<LineId>> {
    let mut text = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Settled(lines) => text.extend_from_slice(lines),
            Piece::Open { .. } => return None,
        }
    }
    Some(text)
}

/// Both texts where no base is known: all that differs is open.
pub(super) fn differences<'t>(one: &'t [LineId], other: &'t [LineId]) -> Vec<Piece<'t>> {
    let Some(changes) = changes(one, other) else {
        return one_piece(one, [one, other]);
    };
    let mut pieces = Vec::new();
    let mut done = 0;
    for Change { base: range, side } in changes {
        pieces.push(Piece::Settled(&one[done..range.start]));
        done = range.end;
        pieces.push(Piece::Open { base: &[], sides: [&one[range], &other[side]] });
    }
    pieces.push(Piece::Settled(&one[done..]));
    pieces
}

/// All from the first difference to the last as one open piece.
pub(super) fn one_piece<'t>(base: &'t [LineId], sides: [&'t [LineId]; 2]) -> Vec<Piece<'t>> {
    let texts = [base, sides[0], sides[1]];
    let head = texts.map(|text| equal(text.iter(), base.iter())).into_iter().min().unwrap_or(0);
    let rest = texts.map(|text| &text[head..]);
    let tails = rest.map(|text| equal(text.iter().rev(), rest[0].iter().rev()));
    let tail = tails.into_iter().min().unwrap_or(0);
    let [middle, one, other] = rest.map(|text| &text[..text.len() - tail]);
    vec![
        Piece::Settled(&base[..head]),
        Piece::Open { base: middle, sides: [one, other] },
        Piece::Settled(&base[base.len() - tail..]),
    ]
}

fn equal<T: PartialEq>(one: impl Iterator<Item = T>, other: impl Iterator<Item = T>) -> usize {
    one.zip(other).take_while(|(one, other)| one == other).count()
}

/// Changes of both sides that touch, and the base lines they cover together.
struct Group<'c> {
    base: Range<usize>,
    changes: [&'c [Change]; 2],
}

impl Group<'_> {
    fn piece<'t>(&self, base: &'t [LineId], sides: [&Edit<'t>; 2]) -> Piece<'t> {
        let [one, other] = [0, 1].map(|at| self.text_of(self.changes[at], sides[at].text));
        match (one, other) {
            (Some(one), Some(other)) if one == other => Piece::Settled(one),
            (Some(one), Some(other)) => {
                Piece::Open { base: &base[self.base.clone()], sides: [one, other] }
            }
            (Some(lines), None) | (None, Some(lines)) => Piece::Settled(lines),
            (None, None) => unreachable!("a group has a change"),
        }
    }

    /// What a side has in place of the group's base lines, if it changed them.
    fn text_of<'t>(&self, changes: &[Change], text: &'t [LineId]) -> Option<&'t [LineId]> {
        let (first, last) = (changes.first()?, changes.last()?);
        let start = first.side.start - (first.base.start - self.base.start);
        let end = last.side.end + (self.base.end - last.base.end);
        Some(&text[start..end])
    }
}

/// Takes the next change off both lists, with all that touch it.
fn next_group<'c>(rest: &mut [&'c [Change]; 2]) -> Option<Group<'c>> {
    let first = rest.iter().filter_map(|changes| changes.first()).map(|change| change.base.start);
    let start = first.min()?;
    let mut end = start;
    let mut taken = [0, 0];
    while let Some(side) = [0, 1]
        .into_iter()
        .find(|side| rest[*side].get(taken[*side]).is_some_and(|change| change.base.start <= end))
    {
        end = end.max(rest[side][taken[side]].base.end);
        taken[side] += 1;
    }
    let changes = [0, 1].map(|side| {
        let (group, later) = rest[side].split_at(taken[side]);
        rest[side] = later;
        group
    });
    Some(Group { base: start..end, changes })
}
