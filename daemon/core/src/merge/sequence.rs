//! The order of what two sides made of one list.
//!
//! Each list has a thing once. What both sides have makes the frame; what only
//! one has stands after what stands before it there. Merged with either side
//! again, an order is what it was.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// All that `stays` of what either side has, in order. At one place stand the
/// sides' own things up to where a new part `begins`, then those new parts;
/// among equals bytes decide.
pub(super) fn woven<T: Copy + Eq + Hash + Ord>(
    base: &[T],
    sides: [&[T]; 2],
    stays: impl Fn(&T) -> bool,
    begins: impl Fn(&T) -> bool,
) -> Vec<T> {
    let in_sides = sides.map(|side| side.iter().copied().collect::<HashSet<T>>());
    let is_common = |thing: &T| stays(thing) && in_sides.iter().all(|side| side.contains(thing));
    let frame = frame(base, sides.map(|side| only(side, is_common)));
    let mut own = sides.map(|side| runs(&only(side, &stays), is_common));
    let mut order = Vec::new();
    for place in std::iter::once(None).chain(frame.into_iter().map(Some)) {
        order.extend(place);
        let mut parts = own.each_mut().map(|runs| {
            let mut head = runs.remove(&place).unwrap_or_default();
            let at = head.iter().position(&begins).unwrap_or(head.len());
            let rest = head.split_off(at);
            [head, rest]
        });
        parts.sort();
        let [[one, new], [other, newer]] = parts;
        let mut new = [new, newer];
        new.sort();
        order.extend([one, other].into_iter().chain(new).flatten());
    }
    order
}

/// What both sides have: in the order of the side that moved something; where
/// neither or both did, in the lesser of the two orders.
fn frame<T: Copy + Eq + Hash + Ord>(base: &[T], orders: [Vec<T>; 2]) -> Vec<T> {
    let common: HashSet<T> = orders[0].iter().copied().collect();
    let old: HashSet<T> = base.iter().copied().collect();
    let before = only(base, |thing| common.contains(thing));
    let has_moved = orders.each_ref().map(|order| only(order, |it| old.contains(it)) != before);
    let [one, other] = orders;
    match has_moved {
        [true, false] => one,
        [false, true] => other,
        [false, false] | [true, true] => one.min(other),
    }
}

/// What a side alone has, by what stands before it of what both have.
fn runs<T: Copy + Eq + Hash>(
    side: &[T],
    is_common: impl Fn(&T) -> bool,
) -> HashMap<Option<T>, Vec<T>> {
    let mut runs: HashMap<Option<T>, Vec<T>> = HashMap::new();
    let mut place = None;
    for thing in side {
        if is_common(thing) {
            place = Some(*thing);
        } else {
            runs.entry(place).or_default().push(*thing);
        }
    }
    runs
}

fn only<T: Copy>(list: &[T], takes: impl Fn(&T) -> bool) -> Vec<T> {
    list.iter().copied().filter(takes).collect()
}

/// What both sides made of one value: a side that changed nothing yields. Where
/// both changed it, the greater is taken.
pub(super) fn greater<T: Ord + Copy>(base: Option<T>, sides: [T; 2]) -> T {
    let [one, other] = sides;
    if base == Some(one) {
        other
    } else if base == Some(other) {
        one
    } else {
        one.max(other)
    }
}
