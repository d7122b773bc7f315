//! Which file of a crate may lean on which other: by its imports, by paths, and
//! by calls of methods whose `impl` blocks lie in other files.
//!
//! Two promises: no circle of more than two files, and arrows between rooms
//! that point down (`tables.rs`). Whom a method belongs to is told by the types
//! that are written down, or by its name where only one type has it; what is
//! called through a trait counts as the trait.

mod circles;
mod edges;
mod fixtures;
mod floors;
mod modules;
mod tables;
mod types;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;

use edges::Edges;
use floors::Floors;
use modules::Crate;
use tables::CRATES;

use super::{files, nothing_in};

/// A crate's name in paths, the folder of its root, and its rooms.
type House = (&'static str, &'static str, &'static str);

/// What was read of one crate.
struct Plan {
    folder: &'static str,
    floors: Floors<'static>,
    files: BTreeSet<String>,
    edges: Edges,
}

/// All crates of the tables, read once.
fn plans() -> &'static [Plan] {
    static PLANS: OnceLock<Vec<Plan>> = OnceLock::new();
    PLANS.get_or_init(|| {
        let plans = CRATES.into_iter().map(|(name, folder, table)| {
            let below = |path: &Path| {
                let path = path.strip_prefix(folder).expect("it lies below");
                path.to_str().expect("names are plain").to_owned()
            };
            let sources = files(folder, "rs").into_iter();
            let sources = sources.map(|file| (below(&file.path), file.text)).collect();
            let whole = Crate::read(name, &sources);
            let floors = Floors::new(table);
            Plan { folder, floors, files: whole.files(), edges: edges::edges(&whole) }
        });
        plans.collect()
    })
}

#[test]
fn no_more_than_two_files_lean_on_each_other() {
    nothing_in(plans().iter().flat_map(|plan| {
        let found = circles::circles(&plan.edges);
        found.into_iter().map(|circle| format!("{}: {circle}", plan.folder))
    }));
}

#[test]
fn arrows_between_rooms_point_down() {
    nothing_in(plans().iter().flat_map(|plan| {
        let found = plan.floors.differences(&plan.files, &plan.edges);
        found.into_iter().map(|difference| format!("{}: {difference}", plan.folder))
    }));
}
