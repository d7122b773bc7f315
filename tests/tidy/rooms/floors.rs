//! Compares what rooms name with what their crate's table lets them name.

use std::collections::{BTreeMap, BTreeSet};

use super::edges::Edges;

/// Each room of a crate with the rooms that it may name, highest first: what a
/// room names stands below it. A room is a file, or a folder with all in it
/// that is no room of its own.
pub(super) type Floors = &'static [(&'static str, &'static [&'static str])];

/// Every way in which a crate and its table differ.
pub(super) fn differences(floors: Floors, files: &BTreeSet<String>, edges: &Edges) -> Vec<String> {
    let mut found = Vec::new();
    let mut used: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    let lives = |file: &str| room_of(floors, file);
    for file in files.iter().filter(|file| lives(file).is_none()) {
        found.push(format!("{file} is in no room"));
    }
    for ((from, to), names) in edges {
        if let (Some(here), Some(there)) = (lives(from), lives(to))
            && here != there
        {
            let names: Vec<&str> = names.keys().map(String::as_str).collect();
            let line = format!("{from} -> {to} by {}", names.join(", "));
            used.entry((here, there)).or_default().push(line);
        }
    }
    for (at, (room, allowed)) in floors.iter().enumerate() {
        if !files.iter().any(|file| lives(file) == Some(room)) {
            found.push(format!("nothing is in {room}"));
        }
        for below in *allowed {
            if !floors[at + 1..].iter().any(|(other, _)| other == below) {
                found.push(format!("{below} does not stand below {room}"));
            } else if !used.contains_key(&(room, below)) {
                found.push(format!("{room} names nothing in {below} any more"));
            }
        }
    }
    let allowed = |here: &str, there: &str| {
        floors.iter().any(|(room, below)| *room == here && below.contains(&there))
    };
    for ((here, there), lines) in &used {
        if !allowed(here, there) {
            found.push(format!("{here} may not name {there}:\n  {}", lines.join("\n  ")));
        }
    }
    found
}

/// The narrowest room that holds a file.
fn room_of(floors: Floors, file: &str) -> Option<&'static str> {
    let holds = |room: &str| {
        let rest = file.strip_prefix(room);
        room == "." || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    floors.iter().map(|(room, _)| *room).filter(|room| holds(room)).max_by_key(|room| room.len())
}
