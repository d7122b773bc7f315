//! Runs one job from its request to its report.

use mirror_storage::FaultClass;
use tokio::sync::mpsc;

use crate::api::{EngineResult, Job, JobEvent, JobRequest, Phase, Report};
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
    ) -> EngineResult<Report> {
        self.refuse_when_stopped()?;
        let JobRequest { job, dry_run, consent } = request;
        self.set_phase(Phase::Busy(verb(&job)));
        let mut reporter =
            Reporter { events, report: Report { dry_run, ..Report::default() }, dry_run, consent };
        reporter.report.notices = std::mem::take(&mut self.pending_notices);
        let outcome = self.carry_out(job, &mut reporter).await;
        let saved = self.save(false).await;
        if outcome.is_err() {
            // There will be no report to say them.
            self.keep_notices(std::mem::take(&mut reporter.report.notices));
            let failed = std::mem::take(&mut reporter.report.failed);
            let stashed = failed.into_iter().filter(|fault| fault.class == FaultClass::Conflict);
            self.pending_stashed = stashed.collect();
        }
        self.set_phase(Phase::Idle);
        self.note_stop(outcome.and(saved.map_err(Into::into)))?;
        Ok(reporter.report)
    }

    async fn carry_out(&mut self, job: Job, reporter: &mut Reporter) -> EngineResult<()> {
        reporter.report.failed = std::mem::take(&mut self.pending_stashed);
        if !reporter.dry_run {
            reporter.report.failed.extend(self.recover_targets().await);
        }
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
            Job::ChangeSettings { settings } => self.change_settings(settings, reporter).await,
            Job::Resolve { path, resolution, token, no_push } => {
                self.resolve(Decision { path, resolution, token, no_push }, reporter).await
            }
            Job::Export { scope, output } => self.export(&scope, &output.0, reporter).await,
            Job::Restore { scope, from, output } => {
                self.restore(&scope, from, output.as_deref(), reporter).await
            }
            Job::RestoreStash { id } => self.restore_stash(&id, reporter).await,
        }
    }
}

fn verb(job: &Job) -> &'static str {
    match job {
        Job::Push { .. } => "push",
        Job::Pull { .. } => "pull",
        Job::Sync { .. } => "sync",
        Job::Delete { .. } => "delete",
        Job::ChangeSettings { .. } => "settings",
        Job::Resolve { .. } => "resolve",
        Job::Export { .. } => "export",
        Job::Restore { .. } | Job::RestoreStash { .. } => "restore",
    }
}
