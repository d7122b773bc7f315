//! The most lines that two texts can keep.
//!
//! Myers' algorithm in linear space ("An O(ND) Difference Algorithm and Its
//! Variations", 1986), exact: no heuristic gives up early. Its steps are
//! counted, and beyond the bound there is no answer.
//!
//! A path leads from the first place of a window to its last: right past a
//! removed line, down past an added one, along a diagonal past equal lines.

use super::window::{Corner, Place, Trimmed, Window};

/// The most steps that one comparison may take: enough for 5,000 moved lines.
const MAX_STEPS: usize = 20_000_000;

pub(super) struct Search {
    /// Where the lines are that stay, in order.
    pub(super) found: Vec<Place>,
    pub(super) steps: usize,
}

impl Search {
    /// Counts on from `steps`.
    pub(super) fn new(steps: usize) -> Self {
        Self { found: Vec::new(), steps }
    }

    /// `None` if it would take too many steps.
    pub(super) fn look_in(&mut self, window: &Window<'_>) -> Option<()> {
        let Trimmed { head, middle, tail } = window.trimmed();
        self.spend(head.old.len() + tail.old.len())?;
        self.found.extend(head.places());
        if !middle.old.is_empty() && !middle.new.is_empty() {
            let (before, after) = middle.split_at(self.meeting(&middle)?);
            self.look_in(&before)?;
            self.look_in(&after)?;
        }
        self.found.extend(tail.places());
        Some(())
    }

    /// A place on a shortest path, half of its edits on either side: paths are
    /// followed from both corners, one edit more each time, until two meet.
    fn meeting(&mut self, window: &Window<'_>) -> Option<Place> {
        let mut from_first = Front::new(window, Corner::First);
        let mut from_last = Front::new(window, Corner::Last);
        loop {
            if let Some(place) = from_first.advance(window, &from_last) {
                return Some(place);
            }
            if let Some((x, y)) = from_last.advance(window, &from_first) {
                return Some((window.old.len() - x, window.new.len() - y));
            }
            self.spend(from_first.take_steps() + from_last.take_steps())?;
        }
    }

    fn spend(&mut self, steps: usize) -> Option<()> {
        self.steps += steps;
        (self.steps <= MAX_STEPS).then_some(())
    }
}

/// How far the paths with a number of edits get, as seen from one corner.
///
/// `x` and `y` count from that corner; the diagonal of a place is
/// `x + (new.len() - y)`.
struct Front {
    corner: Corner,
    /// By diagonal plus one, the greatest `x` plus one; zero if no path leads there.
    reach: Vec<usize>,
    edits: usize,
    steps: usize,
}

impl Front {
    fn new(window: &Window<'_>, corner: Corner) -> Self {
        let diagonals = window.old.len() + window.new.len() + 1;
        Self { corner, reach: vec![0; diagonals + 2], edits: 0, steps: 0 }
    }

    /// Follows each path one edit further. Ends where one meets a path of the
    /// other corner, since the two then make a shortest one.
    fn advance(&mut self, window: &Window<'_>, other: &Self) -> Option<Place> {
        let (width, height) = (window.old.len(), window.new.len());
        let lowest = height - within(self.edits, height);
        let highest = height + within(self.edits, width);
        for diagonal in (lowest..=highest).step_by(2) {
            let Some(x) = self.next(diagonal, width) else { continue };
            let equal = window.equal_from(self.corner, (x, x + height - diagonal));
            self.steps += equal + 1;
            if self.steps > MAX_STEPS {
                return None;
            }
            let x = x + equal;
            self.reach[diagonal + 1] = x + 1;
            let met = other.at(width + height - diagonal);
            if met.is_some_and(|others| x + others >= width) {
                return Some((x, x + height - diagonal));
            }
        }
        self.edits += 1;
        None
    }

    /// The furthest `x` to which one edit leads on a diagonal.
    fn next(&self, diagonal: usize, width: usize) -> Option<usize> {
        if self.edits == 0 {
            return Some(0);
        }
        let removal = self.reach[diagonal].checked_sub(1).filter(|x| *x < width).map(|x| x + 1);
        let addition = self.at(diagonal + 1).filter(|x| *x <= diagonal);
        removal.max(addition)
    }

    fn at(&self, diagonal: usize) -> Option<usize> {
        self.reach[diagonal + 1].checked_sub(1)
    }

    fn take_steps(&mut self) -> usize {
        std::mem::take(&mut self.steps)
    }
}

/// The largest number of the same parity as `edits` that is not above `limit`.
fn within(edits: usize, limit: usize) -> usize {
    edits - edits.saturating_sub(limit).next_multiple_of(2)
}
