//! The rounds of push, pull and sync: look, decide, act, until nothing is left.

use mirror_core::patterns::IGNORE_FILE;
use mirror_core::plan;
use mirror_core::plan::{Intent, Plan, Root};
use mirror_core::reconcile::Sighted;
use mirror_storage::FaultClass;

use crate::api::EngineResult;
use crate::error::EngineError;
use crate::project::commit::append::{CommitOutcome, CommitProgress};
use crate::project::commit::draft::Draft;
use crate::project::merge::Resolutions;
use crate::project::plan::draw::{CycleRequest, leave_out};
use crate::project::plan::report::preview;
use crate::project::worker::reporter::Reporter;
use crate::project::worker::{MOST_ROUNDS, READS, Worker};
use crate::state::BaseRecord;

impl Worker {
    pub(crate) async fn rounds(
        &mut self,
        request: &CycleRequest<'_>,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        self.recover_attempt(Some(&mut *reporter)).await?;
        self.catch_up().await?;
        self.recognise().await?;
        if request.intent != Intent::Push {
            // A push compares the head beside its packs.
            let confirmed = self.log.confirm_head().await;
            self.note_stop(confirmed)?;
        }
        if request.intent != Intent::Pull && !reporter.dry_run {
            self.send_queue(reporter).await?;
        }
        let (mut root, mut unsettled) = self.observe_disk().await?;
        if root != Root::Missing {
            self.check_names(request.selection)?;
        }
        let (mut progress, mut rules_landed) = (CommitProgress::default(), false);
        for _ in 0..MOST_ROUNDS {
            let (facts, head) = (self.facts(), self.log.head());
            let carried = self.commits_carry_consent(&facts).await?;
            let mut plan = self.plan(&facts, request, root, carried, reporter)?;
            leave_out(&mut plan, &progress.given_up, &unsettled);
            let mut resolutions = match request.intent {
                Intent::Push | Intent::Sync => {
                    let diverged = &mut plan.diverged;
                    self.merge_diverged(diverged, &facts, request.policy, reporter).await?
                }
                Intent::Pull | Intent::Check => Resolutions::default(),
            };
            if reporter.dry_run {
                preview(&plan, &resolutions, reporter);
                return Ok(());
            }
            if let Some(ignore_file) = newer_ignore_file(&mut plan, &mut rules_landed) {
                self.land(Vec::new(), vec![ignore_file], reporter).await?;
                (root, unsettled) = self.observe_disk().await?;
                continue;
            }
            self.record_adopted(&plan);
            let (deletions, fetches) =
                (std::mem::take(&mut plan.deletions), std::mem::take(&mut plan.fetches));
            let counted = self.state.deletions().to_vec();
            let agreed = reporter.consent || carried;
            self.land(deletions, fetches, reporter).await?;
            if agreed {
                // What somebody agreed to doesn't count towards asking again.
                self.state.set_deletions(counted);
            }
            self.land_arriving(&mut resolutions, "merge", reporter).await?;
            let sends = !plan.sends.is_empty() || !resolutions.outgoing.is_empty();
            let tried = if sends && self.log.head() != head {
                // Looking for a content again has moved the head that all this
                // was planned on: what did not come then may come now.
                reporter.report.failed.retain(|fault| fault.class != FaultClass::Transient);
                CommitOutcome::Lost
            } else {
                self.try_sends(request, &plan, &resolutions, &mut progress, reporter).await?
            };
            match tried {
                CommitOutcome::Nothing | CommitOutcome::Won => {
                    self.land_merged(&resolutions, reporter).await?;
                    if resolutions.is_partial {
                        (root, unsettled) = self.observe_disk().await?;
                        continue;
                    }
                    self.name_obstructed(request, reporter);
                    self.record_conflicts(root, &plan, request.intent, reporter).await;
                    self.conclude(&plan, &progress, &unsettled, &facts, reporter);
                    return Ok(());
                }
                CommitOutcome::Lost => {
                    // The winner may have changed what is covered.
                    self.catch_up().await?;
                    (root, unsettled) = self.observe_disk().await?;
                }
                CommitOutcome::Changed(paths) => {
                    for path in paths {
                        progress.count_read(path, READS);
                    }
                    (root, unsettled) = self.observe_disk().await?;
                }
            }
        }
        Err(EngineError::Internal("the head moved on at every try".to_owned()))
    }

    async fn try_sends(
        &mut self,
        request: &CycleRequest<'_>,
        plan: &Plan,
        resolutions: &Resolutions,
        progress: &mut CommitProgress,
        reporter: &mut Reporter,
    ) -> EngineResult<CommitOutcome> {
        if plan.sends.is_empty() && resolutions.outgoing.is_empty() {
            if request.intent == Intent::Push {
                let confirmed = self.log.confirm_head().await;
                self.note_stop(confirmed)?;
            }
            return Ok(CommitOutcome::Nothing);
        }
        let sends = plan.sends.iter().map(|send| self.outgoing(send.clone()));
        let draft = Draft {
            outgoing: sends.chain(resolutions.outgoing.iter().cloned()).collect(),
            resolved: resolutions.resolved.clone(),
            held: resolutions.held.clone(),
            ..Draft::of(request.action(), request.message.clone())
        };
        self.try_commit(&draft, progress, reporter).await
    }

    /// Both sides are equal: only the base follows (B1).
    fn record_adopted(&mut self, plan: &Plan) {
        for adopt in &plan.adopts {
            let known = |Sighted { state, seq }| BaseRecord::Known { state, seq };
            let base = adopt.remote.map(known);
            self.state.set_base(&adopt.path, base);
        }
    }
}

/// Takes the ignore file out of the plan, once a job: its rules come first, so
/// that what they ignore is not deleted here by the same job.
fn newer_ignore_file(plan: &mut Plan, landed: &mut bool) -> Option<plan::Fetch> {
    let at = plan.fetches.iter().position(|fetch| fetch.path.as_str() == IGNORE_FILE)?;
    (!std::mem::replace(landed, true)).then(|| plan.fetches.remove(at))
}
