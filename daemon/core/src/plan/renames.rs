//! Sees that what vanishes in one place and appears in another is one file.

use std::collections::{BTreeMap, HashMap};

use super::{Plan, Removal, Send};
use crate::path::{Folded, RelPath};
use crate::reconcile::Facts;
use crate::{Digest, Kind, State};

/// What a rename keeps.
pub(super) type Content = (Kind, Digest);

pub(super) fn content(state: State) -> Content {
    (state.kind, state.digest)
}

/// Notes on a sent file which deletion it is the other half of, where exactly
/// one file of that content vanishes and exactly one appears.
pub(super) fn annotate(plan: &mut Plan, facts: &BTreeMap<RelPath, Facts>) {
    let mut vanished: HashMap<Content, Option<RelPath>> = HashMap::new();
    let mut appeared: HashMap<Content, usize> = HashMap::new();
    for send in &plan.sends {
        if let Some(old) = vanishing(send, facts) {
            let only = |old: &mut Option<RelPath>| *old = None;
            vanished.entry(old).and_modify(only).or_insert_with(|| Some(send.path.clone()));
        } else if let Some(new) = appearing(send) {
            *appeared.entry(new).or_default() += 1;
        }
    }
    for send in &mut plan.sends {
        let once = appearing(send).filter(|new| appeared[new] == 1);
        send.renamed_from = once.and_then(|new| vanished.get(&new).cloned().flatten());
    }
}

/// Makes one step of a removal and a fetch whose names fold alike (B11).
pub(super) fn join(plan: &mut Plan) {
    if plan.deletions.is_empty() || plan.fetches.is_empty() {
        return;
    }
    let fetches = plan.fetches.iter_mut().filter(|fetch| fetch.expected_local.is_none());
    let mut coming: HashMap<Folded, &mut Option<Removal>> =
        fetches.map(|fetch| (fetch.path.folded(), &mut fetch.replaces)).collect();
    plan.deletions.retain(|removal| match coming.get_mut(&removal.path.folded()) {
        Some(replaces) if replaces.is_none() => {
            **replaces = Some(removal.clone());
            false
        }
        Some(_) | None => true,
    });
}

pub(super) fn vanishing(send: &Send, facts: &BTreeMap<RelPath, Facts>) -> Option<Content> {
    match send.to {
        None => Some(content(facts.get(&send.path)?.remote?.state)),
        Some(_) => None,
    }
}

pub(super) fn appearing(send: &Send) -> Option<Content> {
    match send.from {
        None => send.to.map(content),
        Some(_) => None,
    }
}
