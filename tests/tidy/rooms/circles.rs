//! Finds files that lean on each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::edges::Edges;

/// Two files that know each other are one thought in two pieces; more are a
/// knot.
const LARGEST: usize = 2;

/// Each circle of more than two files, with the edges that make it one.
pub(super) fn circles(edges: &Edges) -> Vec<String> {
    let mut arrows: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in edges.keys() {
        arrows.entry(from).or_default().push(to);
    }
    let below: BTreeMap<&str, BTreeSet<&str>> =
        arrows.keys().map(|file| (*file, everything_below(&arrows, file))).collect();
    let reaches = |from: &str, to: &str| below.get(from).is_some_and(|below| below.contains(to));
    let mut found: BTreeSet<Vec<&str>> = BTreeSet::new();
    for (file, below) in &below {
        found.insert(below.iter().copied().filter(|other| reaches(other, file)).collect());
    }
    found.retain(|circle| circle.len() > LARGEST);
    found.iter().map(|circle| described(edges, circle)).collect()
}

fn everything_below<'a>(arrows: &BTreeMap<&'a str, Vec<&'a str>>, file: &str) -> BTreeSet<&'a str> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![file]);
    while let Some(file) = open.pop() {
        for to in arrows.get(file).into_iter().flatten() {
            if seen.insert(*to) {
                open.push(to);
            }
        }
    }
    seen
}

fn described(edges: &Edges, circle: &[&str]) -> String {
    let within = edges
        .iter()
        .filter(|((from, to), _)| circle.contains(&from.as_str()) && circle.contains(&to.as_str()));
    let lines = within.map(|((from, to), names)| {
        let names: Vec<String> =
            names.iter().map(|(name, line)| format!("`{name}` ({line})")).collect();
        format!("  {from} -> {to} by {}", names.join(", "))
    });
    let lines: Vec<String> = lines.collect();
    format!("{} files in one circle:\n{}", circle.len(), lines.join("\n"))
}
