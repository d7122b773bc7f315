//! The plan of a job that nobody can answer (B12).

use std::collections::{BTreeMap, BTreeSet};

use super::draw::draw_plan;
use super::guard::{Guard, NeedsConsent, Why};
use super::losses::losses;
use super::{Intent, Plan, Selection};
use crate::path::RelPath;
use crate::reconcile::Facts;

/// What goes on without a person, and what waits for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unattended {
    pub plan: Plan,
    /// The losses that wait, sorted: here and in `plan` nothing is done about them.
    pub waiting: BTreeSet<RelPath>,
    /// Why, of those that were not waiting before.
    pub asked: Option<NeedsConsent>,
}

/// Draws a plan with all but the losses that a person would have to agree to.
///
/// `waiting` are those of earlier jobs: a loss that waited once goes with consent
/// alone, however many others are left. What is wrong with the project's folder
/// as a whole is refused as ever, for then nothing at all may be done.
pub fn draw_unattended(
    facts: &BTreeMap<RelPath, Facts>,
    intent: Intent,
    selection: &Selection,
    guard: &Guard<'_>,
    waiting: &BTreeSet<RelPath>,
) -> Result<Unattended, NeedsConsent> {
    let everything = draw_plan(facts, intent, selection, &Guard { consent: true, ..*guard })?;
    let all = losses(&everything, facts);
    let is_agreed = |path: &&RelPath| guard.agreed.has(path);
    let here = all.here.iter().filter(|path| !is_agreed(path));
    let lost: BTreeSet<&RelPath> = all.at_head.iter().chain(here).collect();
    let mut waiting: BTreeSet<RelPath> =
        waiting.iter().filter(|path| lost.contains(path)).cloned().collect();
    let mut asked = None;
    loop {
        match draw_plan(facts, intent, &selection.without(&waiting), guard) {
            Ok(plan) => return Ok(Unattended { plan, waiting, asked }),
            Err(needed) => {
                let is_about_number = matches!(needed.why, Why::All { .. } | Why::TooMany { .. });
                // Each round takes losses out, so that it ends.
                if !is_about_number || needed.losses.iter().all(|path| waiting.contains(path)) {
                    return Err(needed);
                }
                waiting.extend(needed.losses.iter().cloned());
                asked = Some(needed);
            }
        }
    }
}
