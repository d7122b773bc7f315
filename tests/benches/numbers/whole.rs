//! Whole projects going up and coming down.

use super::place::{Place, fill, median, shell};
use super::table::Table;

pub(crate) fn first_push_and_clone(table: &mut Table) {
    clone_of(20_000, "20,000", 1, table);
    clone_of(500, "500", 3, table);
}

fn clone_of(count: usize, named: &str, runs: usize, table: &mut Table) {
    let (mut pushes, mut clones, mut copies) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..runs {
        let place = Place::new();
        fill(&place.path("one"), count);
        place.inits("one");
        pushes.push(place.mirrorctl("one", &["push"]));
        copies.push(shell(&place.path(""), "cp -r one copy && sync -f copy"));
        // Another machine, as one daemon has no two projects on one backend.
        let other = Place::new();
        clones.push(other.mirrorctl("", &["clone", &place.url("one.backend"), "two"]));
    }
    let of = |times: &mut Vec<_>| median(runs, || times.pop().expect("one a run"));
    let (up, down, peer) = (of(&mut pushes), of(&mut clones), of(&mut copies));
    let against = [("cp -r, sync", peer)];
    table.time(&format!("first push of {named} files alone"), up, &against, "-");
    table.time(&format!("clone of {named} files"), down, &against, "-");
}
