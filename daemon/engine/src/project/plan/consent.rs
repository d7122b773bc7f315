//! Who agreed to which deletions (B12).

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::RelPath;
use mirror_core::plan::{
    Guard, Intent, NeedsConsent, Plan, Selection, Unattended, Why, draw_plan, draw_unattended,
    empties,
};
use mirror_core::reconcile::{Facts, Verdict, decide};

use crate::api::{Deletions, EngineResult, NoticeKind};
use crate::error::EngineError;
use crate::outside::TreeError;
use crate::project::observe::FactMap;
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;

/// So many paths are named to whoever is asked.
const FIRST: usize = 20;

impl Worker {
    /// The paths whose loss could be pulled and was agreed to where it was made.
    pub(crate) async fn agreed_elsewhere(
        &self,
        facts: &BTreeMap<RelPath, Facts>,
    ) -> EngineResult<BTreeSet<RelPath>> {
        let deleted = facts
            .iter()
            .filter(|(_, facts)| decide(facts) == Verdict::FetchDeletion)
            .map(|(path, _)| path);
        let mut lost_by: BTreeMap<u64, Vec<&RelPath>> = BTreeMap::new();
        for path in deleted {
            if let Some(version) = self.log.history().past_of(path).next() {
                lost_by.entry(version.until).or_default().push(path);
            }
        }
        for (path, facts) in facts {
            if let Some(remote) = facts.remote
                && empties(facts.local, Some(remote.state))
                && decide(facts) == Verdict::Fetch
            {
                lost_by.entry(remote.seq).or_default().push(path);
            }
        }
        let mut agreed = BTreeSet::new();
        for (seq, paths) in lost_by {
            let entry = self.log.entry(seq).await?;
            if entry.commit.is_some_and(|commit| commit.consent == Some(true)) {
                agreed.extend(paths.into_iter().cloned());
            }
        }
        Ok(agreed)
    }

    /// Those of the losses that a job without a person left undone that are still some.
    pub(crate) fn waiting_losses(&self, facts: &BTreeMap<RelPath, Facts>) -> Vec<RelPath> {
        let is_loss = |facts: &Facts| {
            let remote = facts.remote.map(|remote| remote.state);
            match decide(facts) {
                Verdict::Send => empties(remote, facts.local),
                Verdict::Fetch => empties(facts.local, remote),
                Verdict::SendDeletion | Verdict::FetchDeletion => true,
                Verdict::Unchanged | Verdict::Adopt | Verdict::Diverged | Verdict::Kept => false,
            }
        };
        let waiting = self.state.waiting().iter();
        waiting.filter(|path| facts.get(*path).is_some_and(is_loss)).cloned().collect()
    }

    /// What is gone while the folder is missing, empty or another one waits for a
    /// person, also when some of it is there again: they may be in the middle of
    /// putting it back. Says whether any of it did not wait before.
    pub(crate) fn note_doubt(&mut self, facts: &FactMap) -> bool {
        let is_agreed = |facts: &Facts| facts.base.state().is_some() && facts.remote.is_some();
        let agreed = facts.iter().filter(|(_, facts)| is_agreed(facts));
        let mut waiting = self.state.waiting().clone();
        let before = waiting.len();
        waiting.extend(agreed.map(|(path, _)| path.clone()));
        let is_news = waiting.len() > before;
        self.state.set_waiting(waiting);
        is_news
    }

    pub(crate) fn tell_doubt(&self, error: &EngineError, reporter: &mut Reporter) {
        let message = format!(
            "{error}: nothing goes by itself meanwhile, and what is not there again afterwards \
             waits for you; `mirrorctl sync` asks"
        );
        reporter.notice(NoticeKind::DeletionsWait, None, message, self.now());
    }

    /// Draws the plan if a person has agreed to its deletions, or need not. A
    /// dry run shows it all the same, and says that consent will be needed.
    pub(crate) fn plan_with_consent(
        &self,
        facts: &BTreeMap<RelPath, Facts>,
        intent: Intent,
        selection: &Selection,
        guard: &Guard<'_>,
        reporter: &mut Reporter,
    ) -> EngineResult<Plan> {
        let drawn = draw_plan(facts, intent, selection, guard);
        let drawn = match drawn {
            Err(needed) if reporter.dry_run && needed.why != Why::RootMissing => {
                let message = format!(
                    "{}: you will be asked first; without a terminal this needs --allow-deletes",
                    deletions(&needed).message
                );
                reporter.notice(NoticeKind::ConsentNeeded, None, message, self.now());
                draw_plan(facts, intent, selection, &Guard { consent: true, ..*guard })
            }
            drawn => drawn,
        };
        drawn.map_err(|needed| refusal(&needed))
    }

    /// Draws the plan without the losses that somebody would have to agree to:
    /// they wait, and are told of once.
    pub(crate) fn plan_unattended(
        &mut self,
        facts: &BTreeMap<RelPath, Facts>,
        intent: Intent,
        selection: &Selection,
        guard: &Guard<'_>,
        reporter: &mut Reporter,
    ) -> EngineResult<Plan> {
        let waiting = self.state.waiting();
        let drawn = draw_unattended(facts, intent, selection, guard, waiting);
        let Unattended { plan, mut waiting, asked } = drawn.map_err(|needed| refusal(&needed))?;
        // Also those that this job would do nothing about anyway: one that only pulls, or
        // that leaves alone what moves, says nothing of them.
        waiting.extend(guard.waiting.iter().cloned());
        if let Some(needed) = asked {
            let message = format!(
                "{}: these wait for you, and all else goes on; `mirrorctl sync` asks for them",
                deletions(&needed).message
            );
            reporter.notice(NoticeKind::DeletionsWait, None, message, self.now());
        }
        self.state.set_waiting(waiting);
        Ok(plan)
    }
}

/// What a person is told who has to agree first.
pub(crate) fn refusal(needed: &NeedsConsent) -> EngineError {
    match needed.why {
        Why::RootMissing => TreeError::RootMissing.into(),
        _ => EngineError::Consent(Box::new(deletions(needed))),
    }
}

fn deletions(needed: &NeedsConsent) -> Deletions {
    let named: Vec<&str> = needed.losses.iter().take(3).map(RelPath::as_str).collect();
    let more = needed.losses.len().saturating_sub(named.len());
    let which = match (named.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => format!(" ({})", named.join(", ")),
        (false, more) => format!(" ({} and {more} more)", named.join(", ")),
    };
    Deletions {
        message: format!("{needed}{which}"),
        count: needed.losses.len(),
        first: needed.losses.iter().take(FIRST).cloned().collect(),
        folders: by_folder(&needed.losses),
    }
}

fn by_folder(paths: &[RelPath]) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for path in paths {
        let folder = path.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
        *counts.entry(folder).or_default() += 1;
    }
    let mut folders: Vec<_> =
        counts.into_iter().map(|(folder, count)| (folder.to_owned(), count)).collect();
    // Stable: folders of one size stay in the order of their names.
    folders.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_counted_by_what_lies_in_each() {
        let paths = ["a.md", "b/c/d.md", "b/c/e.md", "b/f.md"].map(|p| RelPath::new(p).unwrap());
        let why = Why::TooMany { deleted: 4, covered: 8 };
        let asked = deletions(&NeedsConsent { losses: paths.to_vec(), emptied: 0, why });

        let folders: Vec<_> = asked.folders.iter().map(|(name, n)| (name.as_str(), *n)).collect();
        assert_eq!(folders, [("b/c", 2), ("", 1), ("b", 1)]);
        assert_eq!((asked.count, asked.first.len()), (4, 4));
        assert_eq!(
            asked.message,
            "this would make 4 deletions within an hour, of 8 files \
             (a.md, b/c/d.md, b/c/e.md and 1 more)"
        );
    }
}
