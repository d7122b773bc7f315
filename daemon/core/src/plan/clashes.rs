//! Takes out of a plan what could not stand beside the names that stay.
//!
//! A commit with twins would be void (L6), and on some disks a fetched twin
//! would replace the file it is a twin of. What is there already wins, then
//! the first by bytes.

use std::collections::{BTreeMap, HashSet};

use super::{Fetch, Notice, Plan, Send};
use crate::path::{Clash, Names, RelPath};
use crate::reconcile::Facts;

pub(super) fn take_out(plan: &mut Plan, facts: &BTreeMap<RelPath, Facts>) {
    take_out_sends(plan, facts);
    take_out_fetches(plan, facts);
    let taken_out: HashSet<&RelPath> = plan.clashes.iter().map(Clash::path).collect();
    plan.notices.retain(|Notice::EditBeatDeletion { path, .. }| !taken_out.contains(path));
}

fn take_out_sends(plan: &mut Plan, facts: &BTreeMap<RelPath, Facts>) {
    let adds = |send: &Send| send.from.is_none();
    if !plan.sends.iter().any(adds) {
        return;
    }
    let leaving = plan.sends.iter().filter(|send| send.to.is_none()).map(|send| &send.path);
    let present = facts.iter().filter(|(_, facts)| facts.remote.is_some());
    let mut names = staying(present.map(|(path, _)| path), leaving);
    let Plan { sends, clashes, .. } = plan;
    sends.retain(|send| !adds(send) || fits(&mut names, &send.path, clashes));
}

fn take_out_fetches(plan: &mut Plan, facts: &BTreeMap<RelPath, Facts>) {
    let adds = |fetch: &Fetch| fetch.expected_local.is_none();
    if !plan.fetches.iter().any(adds) {
        return;
    }
    let leaving = plan.deletions.iter().map(|removal| &removal.path);
    let present = facts.iter().filter(|(_, facts)| facts.local.is_some());
    let mut names = staying(present.map(|(path, _)| path), leaving);
    let Plan { fetches, clashes, .. } = plan;
    fetches.retain(|fetch| !adds(fetch) || fits(&mut names, &fetch.path, clashes));
}

fn staying<'a>(
    present: impl Iterator<Item = &'a RelPath>,
    leaving: impl Iterator<Item = &'a RelPath>,
) -> Names {
    let leaving: HashSet<&RelPath> = leaving.collect();
    let mut names = Names::new();
    for path in present.filter(|path| !leaving.contains(path)) {
        // Twins that stand on this disk together already are nobody's news.
        let _ = names.insert(path);
    }
    names
}

fn fits(names: &mut Names, path: &RelPath, clashes: &mut Vec<Clash>) -> bool {
    names.insert(path).map_err(|clash| clashes.push(clash)).is_ok()
}
