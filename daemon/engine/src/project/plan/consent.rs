//! Who agreed to which deletions (B12).

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::RelPath;
use mirror_core::plan::{Guard, Intent, NeedsConsent, Plan, Selection, Why, draw_plan};
use mirror_core::reconcile::{Facts, Verdict, decide};

use crate::api::{EngineResult, NoticeKind};
use crate::error::EngineError;
use crate::outside::TreeError;
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;

impl Worker {
    /// Whether every deletion that could be pulled was agreed to where it was
    /// made.
    pub(crate) async fn commits_carry_consent(
        &self,
        facts: &BTreeMap<RelPath, Facts>,
    ) -> EngineResult<bool> {
        let deleted: BTreeSet<&RelPath> = facts
            .iter()
            .filter(|(_, facts)| decide(facts) == Verdict::FetchDeletion)
            .map(|(path, _)| path)
            .collect();
        if deleted.is_empty() {
            return Ok(true);
        }
        let past = self.log.history().past().iter().rev();
        let mut last: BTreeMap<&RelPath, u64> = BTreeMap::new();
        for version in past.filter(|version| deleted.contains(&version.path)) {
            last.entry(&version.path).or_insert(version.until);
        }
        let commits: BTreeSet<u64> = last.values().copied().collect();
        for seq in commits {
            let entry = self.log.entry(seq).await?;
            if entry.commit.is_none_or(|commit| commit.consent != Some(true)) {
                return Ok(false);
            }
        }
        Ok(last.len() == deleted.len())
    }

    /// Draws the plan if a person has agreed to its deletions, or need not. A
    /// dry run shows it all the same, and says that consent will be needed.
    pub(crate) fn plan_with_consent(
        &self,
        facts: &BTreeMap<RelPath, Facts>,
        intent: Intent,
        selection: &Selection,
        guard: &Guard,
        reporter: &mut Reporter,
    ) -> EngineResult<Plan> {
        let drawn = draw_plan(facts, intent, selection, guard);
        let drawn = match drawn {
            Err(needed) if reporter.dry_run && needed.why != Why::RootMissing => {
                let message = format!(
                    "{}: you will be asked first; without a terminal this needs --allow-deletes",
                    reason(&needed)
                );
                reporter.notice(NoticeKind::ConsentNeeded, None, message, self.now());
                draw_plan(facts, intent, selection, &Guard { consent: true, ..*guard })
            }
            drawn => drawn,
        };
        drawn.map_err(|needed| refusal(&needed))
    }
}

/// What a person is told who has to agree first.
pub(crate) fn refusal(needed: &NeedsConsent) -> EngineError {
    match needed.why {
        Why::RootMissing => TreeError::RootMissing.into(),
        _ => EngineError::Consent(reason(needed)),
    }
}

fn reason(needed: &NeedsConsent) -> String {
    let named: Vec<&str> = needed.deletions.iter().take(3).map(RelPath::as_str).collect();
    let more = needed.deletions.len().saturating_sub(named.len());
    let which = match (named.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => format!(" ({})", named.join(", ")),
        (false, more) => format!(" ({} and {more} more)", named.join(", ")),
    };
    format!("{needed}{which}")
}
