//! Compares what rooms name with what their crate's table lets them name.

use std::collections::{BTreeMap, BTreeSet};

use super::edges::Edges;

/// Each room of a crate with the rooms that it may name, all below it.
pub(super) struct Floors<'a>(Vec<(&'a str, Vec<&'a str>)>);

impl<'a> Floors<'a> {
    /// Reads `room: below below …`, over as many lines as it takes.
    pub(super) fn new(table: &'a str) -> Self {
        let mut rows: Vec<(&str, Vec<&str>)> = Vec::new();
        for word in table.split_whitespace() {
            match (word.strip_suffix(':'), rows.last_mut()) {
                (Some(room), _) => rows.push((room, Vec::new())),
                (None, Some((_, below))) => below.push(word),
                (None, None) => panic!("{word} stands before the first room"),
            }
        }
        Self(rows)
    }

    /// Every way in which a crate and its table differ.
    pub(super) fn differences(&self, files: &BTreeSet<String>, edges: &Edges) -> Vec<String> {
        let homeless = files.iter().filter(|file| self.room_of(file).is_none());
        let mut found: Vec<String> = homeless.map(|file| format!("{file} is in no room")).collect();
        let used = self.used(edges);
        for (at, (room, allowed)) in self.0.iter().enumerate() {
            if !files.iter().any(|file| self.room_of(file) == Some(room)) {
                found.push(format!("nothing is in {room}"));
            }
            for below in allowed {
                if !self.0[at + 1..].iter().any(|(other, _)| other == below) {
                    found.push(format!("{below} does not stand below {room}"));
                } else if !used.contains_key(&(*room, *below)) {
                    found.push(format!("{room} names nothing in {below} any more"));
                }
            }
        }
        for ((here, there), lines) in &used {
            if !self.0.iter().any(|(room, below)| room == here && below.contains(there)) {
                found.push(format!("{here} may not name {there}:\n  {}", lines.join("\n  ")));
            }
        }
        found
    }

    /// The edges that lead from one room into another.
    fn used(&self, edges: &Edges) -> BTreeMap<(&'a str, &'a str), Vec<String>> {
        let mut used: BTreeMap<_, Vec<String>> = BTreeMap::new();
        for ((from, to), names) in edges {
            if let (Some(here), Some(there)) = (self.room_of(from), self.room_of(to))
                && here != there
            {
                let names: Vec<String> =
                    names.iter().map(|(name, line)| format!("`{name}` ({line})")).collect();
                let line = format!("{from} -> {to} by {}", names.join(", "));
                used.entry((here, there)).or_default().push(line);
            }
        }
        used
    }

    /// The room whose path for a file is the longest.
    fn room_of(&self, file: &str) -> Option<&'a str> {
        let holds = |path: &str| {
            let rest = file.strip_prefix(path);
            path == "." || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let paths = |room: &'a str| room.split('+').map(move |path| (path, room));
        let paths = self.0.iter().flat_map(|(room, _)| paths(room));
        paths
            .filter(|(path, _)| holds(path))
            .max_by_key(|(path, _)| path.len())
            .map(|(_, room)| room)
    }
}
