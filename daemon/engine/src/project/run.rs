//! Runs one job from its request to its report.

use mirror_storage::FaultClass;
use tokio::sync::mpsc;

use crate::api::{EngineResult, Job, JobEvent, JobRequest, Phase, Report};
use crate::error::EngineError;
use crate::outside::{Cancel, TreeError};
use crate::project::conflict::decision::Decision;
use crate::project::worker::Worker;
use crate::project::worker::reporter::Reporter;

impl Worker {
    /// Runs one job from trigger to report.
    ///
    /// Stopping anywhere is safe: attempts and targets are saved before each
    /// step and settled before the next job of that path (B3).
    pub(crate) async fn run(
        &mut self,
        request: JobRequest,
        events: mpsc::Sender<JobEvent>,
        cancel: Cancel,
    ) -> EngineResult<Report> {
        if !request.job.brings_back() {
            self.refuse_when_stopped()?;
        }
        let JobRequest { job, dry_run, consent } = request;
        let mut reporter = Reporter::new(events, self.board.clone(), dry_run, consent);
        let is_heard = job.is_heard();
        self.set_phase(Phase::Busy(verb(&job)));
        self.parts.outside.interrupt.follow(Some(cancel.clone()));
        self.board.begin_job(verb(&job));
        let known = if is_heard { self.journal.untold().len() } else { 0 };
        reporter.add_notices(self.journal.untold()[..known].to_vec());
        let outcome = self.carry_out(job, &mut reporter).await;
        self.parts.outside.interrupt.follow(None);
        let outcome = end_by(&cancel, outcome, &mut reporter);
        let saved = self.save(false).await;
        reporter.skipped(self.skipped().len());
        reporter.waiting(self.queue.pushes().len());
        let report = reporter.into_report();
        if outcome.is_err() || !is_heard {
            // There will be no report to say them.
            self.keep_notices(&report.notices[known..]).await;
            let stashed = report.failed.iter().filter(|fault| fault.class == FaultClass::Conflict);
            self.pending_stashed.extend(stashed.cloned());
        } else {
            self.record_told(&report, known).await;
        }
        self.set_phase(Phase::Idle);
        self.board.end_job();
        self.note_stop(outcome.and(saved.map_err(Into::into)))?;
        Ok(report)
    }

    /// Keeps in the journal what a report says.
    async fn record_told(&mut self, report: &Report, known: usize) {
        for notice in report.notices[known..].iter().filter(|_| !report.dry_run) {
            let number = self.journal.add(notice, true).await;
            self.events.notice(number);
        }
        if !report.notices.is_empty() {
            self.journal.set_told().await;
        }
    }

    async fn carry_out(&mut self, job: Job, reporter: &mut Reporter) -> EngineResult<()> {
        if job.is_heard() {
            reporter.add_faults(std::mem::take(&mut self.pending_stashed));
        }
        if !reporter.dry_run && !job.writes_elsewhere() {
            reporter.add_files(self.recover_targets().await);
        }
        self.refuse_when_cancelled()?;
        match job {
            Job::Push { scope, message, force_local, no_wait } => {
                self.push(&scope, message, force_local, no_wait, reporter).await
            }
            Job::Pull { scope } => self.pull(&scope, reporter).await,
            Job::Sync { scope, message, settle } => {
                self.sync(&scope, message, settle, reporter).await
            }
            Job::Delete { scope, keep_local, message } => {
                self.delete(&scope, keep_local, message, reporter).await
            }
            Job::DeleteIgnored { scope, message } => {
                self.delete_ignored(&scope, message, reporter).await
            }
            Job::ChangeSettings { settings } => self.change_settings(settings, reporter).await,
            Job::Resolve { path, resolution, token, no_push } => {
                self.resolve(Decision { path, resolution, token, no_push }, reporter).await
            }
            Job::Export { scope, output } => self.export(&scope, &output.0, reporter).await,
            Job::Restore { scope, from, output } => {
                self.restore(&scope, from, output.as_deref(), reporter).await
            }
            Job::RestoreVersion { path, digits, output } => {
                self.restore_version(&path, digits, output.as_deref(), reporter).await
            }
            Job::RestoreStash { id, output } => {
                self.restore_stash(&id, output.as_deref(), reporter).await
            }
            Job::AcceptHeld(choice) => self.accept_held(&choice, reporter).await,
            Job::RejectHeld { choice, for_everyone } => {
                self.reject_held(&choice, for_everyone, reporter).await
            }
            Job::Auto(auto) => self.auto(auto, reporter).await,
        }
    }
}

/// A job that was asked to end has a report: what it had done stands. An error that
/// can't come of that is told as ever.
fn end_by(cancel: &Cancel, outcome: EngineResult<()>, reporter: &mut Reporter) -> EngineResult<()> {
    let came_of_it = matches!(
        &outcome,
        Err(EngineError::Cancelled
            | EngineError::Storage(_)
            | EngineError::Disk(_)
            | EngineError::Tree(TreeError::Failed { .. }))
    );
    if cancel.is_cancelled() && came_of_it {
        tracing::info!("a job was cancelled");
        reporter.cancelled();
        return Ok(());
    }
    outcome
}

fn verb(job: &Job) -> &'static str {
    match job {
        Job::Push { .. } => "push",
        Job::Pull { .. } => "pull",
        Job::Sync { .. } => "sync",
        Job::Delete { .. } | Job::DeleteIgnored { .. } => "delete",
        Job::ChangeSettings { .. } => "settings",
        Job::Resolve { .. } => "resolve",
        Job::Export { .. } => "export",
        Job::AcceptHeld(_) => "accept",
        Job::RejectHeld { .. } => "reject",
        Job::Auto(_) => "auto",
        Job::Restore { .. } | Job::RestoreVersion { .. } | Job::RestoreStash { .. } => "restore",
    }
}
