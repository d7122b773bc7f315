//! `delete --ignored`: what isn't mirrored here any more goes from the project.
//!
//! A path that an ignore rule or no pattern leaves out is never deleted by what
//! happens to it here (B7), so only this takes it out of the head. What stands
//! here stays.

use std::collections::{BTreeMap, BTreeSet};

use mirror_core::RelPath;
use mirror_core::history::Placed;
use mirror_core::plan::{Agreed, Guard, Intent, NOTHING, Selection};
use mirror_core::reconcile::{BaseFact, Facts, Privacy};

use crate::api::{EngineResult, Scope};
use crate::error::EngineError;
use crate::project::commit::append::report_of_send;
use crate::project::job::delete::{Deletion, is_each_named};
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;

impl Worker {
    /// Deletes at the head, and in the view, what the names say and is not
    /// mirrored here.
    pub(crate) async fn delete_ignored(
        &mut self,
        scope: &Scope,
        message: Option<String>,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let selection = self.begin_deletion(scope, reporter).await?;
        let (root, _) = self.observe_disk().await?;
        let chosen = self.left_out_at_head(&selection);
        if let Err(unknown) = selection.check(&chosen) {
            let is_mirrored = self.check_names(&selection).await.is_ok();
            let what = "is mirrored here: `mirrorctl delete` without --ignored deletes it";
            return Err(match is_mirrored {
                true => EngineError::Usage(format!("{} {what}", unknown.0.join(", "))),
                false => EngineError::UnknownPaths(unknown.0),
            });
        }
        let facts = self.as_deletions(&chosen);
        let is_named = is_each_named(&chosen, scope);
        let guard = Guard {
            covered: self.facts().len() + chosen.len(),
            deletions_last_hour: self.recent_deletions().len(),
            root,
            consent: reporter.consent || is_named,
            agreed: Agreed::All,
            waiting: NOTHING,
        };
        let exactly = Selection::exactly(&chosen);
        self.plan_with_consent(&facts, Intent::Push, &exactly, &guard, reporter)?;
        if reporter.dry_run {
            for send in &self.deletions_of(&chosen) {
                reporter.file(report_of_send(send));
            }
            return Ok(());
        }
        let agreed = self.seqs_of(&chosen);
        let deletion =
            Deletion { chosen: &chosen, agreed, with_ignore_file: false, message, is_named };
        self.commit_deletions(deletion, reporter).await?;
        self.finish_view(false, reporter).await
    }

    /// The files of the head that are not mirrored here, of those that are meant.
    fn left_out_at_head(&self, selection: &Selection) -> BTreeSet<RelPath> {
        let Some(coverage) = &self.coverage else { return BTreeSet::new() };
        let is_left = |path: &&RelPath| {
            selection.matches(path) && (!coverage.covers(path) || self.index.is_hidden(path))
        };
        self.log.history().manifest().keys().filter(is_left).cloned().collect()
    }

    /// What the plan has to know of paths that it knows nothing of.
    fn as_deletions(&self, chosen: &BTreeSet<RelPath>) -> BTreeMap<RelPath, Facts> {
        let manifest = self.log.history().manifest();
        let mut facts = self.facts();
        for path in chosen {
            let Some(remote) = manifest.get(path).map(Placed::sighted) else { continue };
            let base = BaseFact::Known { state: remote.state, seq: remote.seq };
            facts.insert(
                path.clone(),
                Facts { base, local: None, remote: Some(remote), privacy: Privacy::default() },
            );
        }
        facts
    }
}
