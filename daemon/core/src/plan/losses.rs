//! What a plan takes away for good, as the rule on mass deletion counts it (B12).
//!
//! A file whose content comes to stand under another name is none: it was moved,
//! in this plan or in two steps. A file that is emptied is one, as its content is
//! as gone as a deleted one's.

use std::collections::{BTreeMap, HashMap};

use super::Plan;
use super::renames::{Content, appearing, content, vanishing};
use crate::path::RelPath;
use crate::reconcile::{BaseFact, Facts};
use crate::{Digest, Kind, State};

/// The paths whose content a plan takes away, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    pub at_head: Vec<RelPath>,
    pub here: Vec<RelPath>,
}

/// A content that leaves its path, and the commit that brought it there.
struct Leaving<'a> {
    path: &'a RelPath,
    content: Content,
    seq: u64,
}

pub fn losses(plan: &Plan, facts: &BTreeMap<RelPath, Facts>) -> Losses {
    let sent = plan.sends.iter().filter_map(|send| {
        let remote = facts.get(&send.path)?.remote?;
        let is_loss = vanishing(send, facts).is_some() || empties(Some(remote.state), send.to);
        let leaving = Leaving { path: &send.path, content: content(remote.state), seq: remote.seq };
        is_loss.then_some(leaving)
    });
    let at_head = unmatched(sent.collect(), plan.sends.iter().filter_map(appearing), facts);
    let removed = plan.deletions.iter().map(|gone| (&gone.path, gone.expected));
    let emptied = plan.fetches.iter().filter(|f| empties(f.expected_local, Some(f.remote.state)));
    let emptied = emptied.filter_map(|fetch| Some((&fetch.path, fetch.expected_local?)));
    let removed = removed.chain(emptied).map(|(path, state)| Leaving {
        path,
        content: content(state),
        seq: base_seq(path, facts),
    });
    let fetched = plan.fetches.iter().map(|fetch| content(fetch.remote.state));
    let here = unmatched(removed.collect(), fetched, facts);
    Losses { at_head, here }
}

/// Whether a file's text is taken out of it.
pub fn empties(before: Option<State>, after: Option<State>) -> bool {
    let (Some(before), Some(after)) = (before, after) else { return false };
    let empty = Digest::of(b"");
    let is_file = [before, after].iter().all(|state| state.kind == Kind::File);
    is_file && after.digest == empty && before.digest != empty
}

fn base_seq(path: &RelPath, facts: &BTreeMap<RelPath, Facts>) -> u64 {
    match facts.get(path).map(|facts| facts.base) {
        Some(BaseFact::Known { seq, .. }) => seq,
        Some(BaseFact::Absent | BaseFact::Unknown(_)) | None => 0,
    }
}

/// Those of `leaving` that no copy makes up for. Each copy makes up for one: one
/// that appears now, or one that stands on both sides and came later than what
/// leaves, as when files are copied first and removed afterwards.
fn unmatched(
    mut leaving: Vec<Leaving<'_>>,
    appeared: impl Iterator<Item = Content>,
    facts: &BTreeMap<RelPath, Facts>,
) -> Vec<RelPath> {
    if leaving.is_empty() {
        return Vec::new();
    }
    let mut appearing: HashMap<Content, usize> = HashMap::new();
    for new in appeared {
        *appearing.entry(new).or_default() += 1;
    }
    leaving.retain(|gone| match appearing.get_mut(&gone.content) {
        Some(count @ 1..) => {
            *count -= 1;
            false
        }
        Some(0) | None => true,
    });
    let mut copies: HashMap<Content, Vec<u64>> =
        leaving.iter().map(|gone| (gone.content, Vec::new())).collect();
    for facts in facts.values() {
        if let (Some(local), Some(remote)) = (facts.local, facts.remote)
            && local == remote.state
            && let Some(copies) = copies.get_mut(&content(local))
        {
            copies.push(remote.seq);
        }
    }
    for seqs in copies.values_mut() {
        seqs.sort_unstable();
    }
    // The newest first, so that no older one takes the copy that it needs.
    leaving.sort_by_key(|gone| std::cmp::Reverse(gone.seq));
    leaving.retain(|gone| {
        let copies = copies.get_mut(&gone.content).expect("each content has its list");
        copies.pop_if(|seq| *seq > gone.seq).is_none()
    });
    let mut lost: Vec<RelPath> = leaving.into_iter().map(|gone| gone.path.clone()).collect();
    lost.sort();
    lost
}
