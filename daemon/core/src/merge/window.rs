//! A part of two texts, to be compared.

use super::lines::LineId;

/// Before a line of the old and a line of the new text.
pub(super) type Place = (usize, usize);

/// The end from which a window is looked at.
#[derive(Clone, Copy)]
pub(super) enum Corner {
    First,
    Last,
}

#[derive(Clone, Copy)]
pub(super) struct Window<'t> {
    /// Where it begins in the texts.
    pub(super) first: Place,
    pub(super) old: &'t [LineId],
    pub(super) new: &'t [LineId],
}

/// A window without the lines with which both texts begin and end.
pub(super) struct Trimmed<'t> {
    pub(super) head: Window<'t>,
    pub(super) middle: Window<'t>,
    pub(super) tail: Window<'t>,
}

impl<'t> Window<'t> {
    pub(super) fn split_at(&self, (x, y): Place) -> (Self, Self) {
        let (old, later_old) = self.old.split_at(x);
        let (new, later_new) = self.new.split_at(y);
        let later = (self.first.0 + x, self.first.1 + y);
        (
            Self { first: self.first, old, new },
            Self { first: later, old: later_old, new: later_new },
        )
    }

    pub(super) fn trimmed(&self) -> Trimmed<'t> {
        let equal = self.equal_from(Corner::First, (0, 0));
        let (head, rest) = self.split_at((equal, equal));
        let equal = rest.equal_from(Corner::Last, (0, 0));
        let (middle, tail) = rest.split_at((rest.old.len() - equal, rest.new.len() - equal));
        Trimmed { head, middle, tail }
    }

    /// How many lines are equal from a place on, both counted from `corner`.
    pub(super) fn equal_from(&self, corner: Corner, (x, y): Place) -> usize {
        let equal = |(one, other): &(&LineId, &LineId)| one == other;
        match corner {
            Corner::First => self.old[x..].iter().zip(&self.new[y..]).take_while(equal).count(),
            Corner::Last => {
                let old = self.old[..self.old.len() - x].iter().rev();
                let new = self.new[..self.new.len() - y].iter().rev();
                old.zip(new).take_while(equal).count()
            }
        }
    }

    /// The places of a window in which all lines are equal.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> + use<> {
        let (x, y) = self.first;
        (0..self.old.len()).map(move |step| (x + step, y + step))
    }
}
