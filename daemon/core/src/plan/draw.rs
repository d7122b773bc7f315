//! Draws a plan: one action per path, then the rules on all of them at once.

use std::collections::BTreeMap;

use super::guard::{Guard, NeedsConsent};
use super::{
    Action, Adopt, Fetch, Intent, Notice, Plan, Removal, Selection, Send, action_for, clashes,
    renames,
};
use crate::path::RelPath;
use crate::reconcile::{Facts, Verdict, decide, edit_beats_deletion};

/// Decides what a job does, or that a person has to agree first: then nothing
/// at all may be done.
///
/// `facts` holds every covered path, also those not selected: names that stay
/// can be in the way of names that come.
pub fn draw_plan(
    facts: &BTreeMap<RelPath, Facts>,
    intent: Intent,
    selection: &Selection,
    guard: &Guard,
) -> Result<Plan, NeedsConsent> {
    let mut plan = Plan::default();
    for (path, facts) in facts.iter().filter(|(path, _)| selection.matches(path)) {
        plan.add(path, facts, intent, selection.names(path));
    }
    clashes::take_out(&mut plan, facts);
    renames::annotate(&mut plan, facts);
    renames::join(&mut plan);
    guard.check(&plan, facts, intent)?;
    Ok(plan)
}

impl Plan {
    fn add(&mut self, path: &RelPath, facts: &Facts, intent: Intent, named: bool) {
        let verdict = decide(facts);
        let action = action_for(verdict, intent, named);
        match action {
            Some(Action::UpdateRecord) => self.adopts.push(adopt(path, facts)),
            Some(Action::Upload | Action::RemoveAtHead) => self.sends.push(send(path, facts)),
            Some(Action::Download) => self.fetches.extend(fetch(path, facts)),
            Some(Action::RemoveHere) => self.deletions.extend(removal(path, facts)),
            None if verdict == Verdict::Diverged => self.diverged.push(path.clone()),
            None if verdict == Verdict::Kept => self.kept.push(path.clone()),
            None => {}
        }
        if action.is_some() && edit_beats_deletion(facts) {
            let edited_here = facts.local.is_some();
            self.notices.push(Notice::EditBeatDeletion { path: path.clone(), edited_here });
        }
    }
}

fn adopt(path: &RelPath, facts: &Facts) -> Adopt {
    Adopt { path: path.clone(), remote: facts.remote }
}

fn send(path: &RelPath, facts: &Facts) -> Send {
    Send {
        path: path.clone(),
        from: facts.remote.map(|remote| remote.state.digest),
        to: facts.local,
        renamed_from: None,
    }
}

fn fetch(path: &RelPath, facts: &Facts) -> Option<Fetch> {
    Some(Fetch {
        path: path.clone(),
        remote: facts.remote?,
        expected_local: facts.local,
        replaces: None,
    })
}

fn removal(path: &RelPath, facts: &Facts) -> Option<Removal> {
    Some(Removal { path: path.clone(), expected: facts.local? })
}
