//! Lines that settle which parts of two texts belong together.
//!
//! A line that each text has exactly once is the same line. Between such lines
//! a comparison stays local: what changed elsewhere can't pull empty or
//! repeated lines to another place, so a change looks the same next to others.

use super::lines::LineId;
use super::window::Place;

/// The longest run of lines that each text has once and both have in the same
/// order.
pub(super) fn anchors(old: &[LineId], new: &[LineId]) -> Vec<Place> {
    let count = old.iter().chain(new).max().map_or(0, |largest| largest + 1);
    let [in_old, in_new] = [old, new].map(|text| only_places(text, count));
    let common = old.iter().filter_map(|line| Some((in_old[*line].once()?, in_new[*line].once()?)));
    longest_rising(&common.collect::<Vec<_>>())
}

#[derive(Clone, Copy)]
enum Found {
    Never,
    Once(usize),
    Often,
}

impl Found {
    fn once(self) -> Option<usize> {
        match self {
            Self::Once(at) => Some(at),
            Self::Never | Self::Often => None,
        }
    }
}

fn only_places(text: &[LineId], count: usize) -> Vec<Found> {
    let mut found = vec![Found::Never; count];
    for (at, line) in text.iter().enumerate() {
        found[*line] = match found[*line] {
            Found::Never => Found::Once(at),
            Found::Once(_) | Found::Often => Found::Often,
        };
    }
    found
}

/// Of places in the order of the old text, the most that are in the order of
/// the new one too, by patience sorting.
fn longest_rising(places: &[Place]) -> Vec<Place> {
    // For each length, the run of it that ends earliest in the new text.
    let mut ends: Vec<usize> = Vec::new();
    let mut before = vec![None; places.len()];
    for (at, (_, new)) in places.iter().enumerate() {
        let length = ends.partition_point(|end| places[*end].1 < *new);
        before[at] = length.checked_sub(1).map(|shorter| ends[shorter]);
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let last = ends.last().copied();
    let mut run: Vec<Place> =
        std::iter::successors(last, |at| before[*at]).map(|at| places[at]).collect();
    run.reverse();
    run
}
