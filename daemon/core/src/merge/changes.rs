//! What changed from one text to another.

use std::collections::HashSet;
use std::ops::Range;

use super::anchors::anchors;
use super::lines::LineId;
use super::shortest::Search;
use super::window::{Place, Trimmed, Window};

/// Lines of the base and what a side has in their place. Between two changes of
/// a side lies at least one unchanged line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) base: Range<usize>,
    pub(super) side: Range<usize>,
}

/// All changes from `base` to `side`, in order; `None` if they are too costly
/// to find.
pub(super) fn changes(base: &[LineId], side: &[LineId]) -> Option<Vec<Change>> {
    let mut comparison = Comparison::default();
    let mut rest = Window { first: (0, 0), old: base, new: side };
    for (x, y) in anchors(base, side) {
        let (before, after) = rest.split_at((x - rest.first.0, y - rest.first.1));
        comparison.look_in(&before)?;
        rest = after;
    }
    comparison.look_in(&rest)?;
    Some(between(comparison.kept, (base.len(), side.len())))
}

/// All from the first line that differs to the last.
pub(super) fn whole_change(base: &[LineId], side: &[LineId]) -> Change {
    let Window { first: (x, y), old, new } =
        Window { first: (0, 0), old: base, new: side }.trimmed().middle;
    Change { base: x..x + old.len(), side: y..y + new.len() }
}

#[derive(Default)]
struct Comparison {
    /// Where unchanged lines are, in order.
    kept: Vec<Place>,
    steps: usize,
}

impl Comparison {
    /// Looks for unchanged lines. Those that only one text has can't be; left
    /// out, they cost nothing.
    fn look_in(&mut self, window: &Window<'_>) -> Option<()> {
        let Trimmed { head, middle, tail } = window.trimmed();
        self.kept.extend(head.places());
        let [old, new] = [(middle.old, middle.new), (middle.new, middle.old)]
            .map(|(text, counterpart)| Shared::new(text, counterpart));
        let mut search = Search::new(self.steps);
        search.look_in(&Window { first: (0, 0), old: &old.lines, new: &new.lines })?;
        self.steps = search.steps;
        let (x, y) = middle.first;
        let found = search.found.iter();
        self.kept.extend(found.map(|(a, b)| (x + old.places[*a], y + new.places[*b])));
        self.kept.extend(tail.places());
        Some(())
    }
}

/// The lines of a text that its counterpart has too, and where they are.
struct Shared {
    lines: Vec<LineId>,
    places: Vec<usize>,
}

impl Shared {
    fn new(text: &[LineId], counterpart: &[LineId]) -> Self {
        let there: HashSet<LineId> = counterpart.iter().copied().collect();
        let places: Vec<usize> = (0..text.len()).filter(|at| there.contains(&text[*at])).collect();
        Self { lines: places.iter().map(|at| text[*at]).collect(), places }
    }
}

/// The changes between unchanged lines, up to the ends of both texts.
fn between(kept: Vec<Place>, ends: Place) -> Vec<Change> {
    let mut found = Vec::new();
    let mut next = (0, 0);
    for place in kept.into_iter().chain([ends]) {
        if place != next {
            found.push(Change { base: next.0..place.0, side: next.1..place.1 });
        }
        next = (place.0 + 1, place.1 + 1);
    }
    found
}
