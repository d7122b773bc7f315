//! A set-up that was cancelled once its project was made goes on when the same
//! is asked for again.
//!
//! A file in the project's state says so. Without it, as when the state was
//! lost, the project is one like any other, and `pull` fetches what is missing.

use std::fs;
use std::path::PathBuf;

use mirror_engine::{JobEvent, Report};
use tokio::sync::mpsc;

use super::{SetUp, SetUpKind, SetUpOutcome, first_job};
use crate::error::RequestError;
use crate::path_args::resolved;
use crate::private_file::write_private;
use crate::projects::cancellation::Cancellation;
use crate::projects::registry::Registry;

impl Registry {
    /// The project that this very set-up had made when it was cancelled.
    pub(super) fn cancelled_before(&self, plan: &SetUp) -> Option<String> {
        let name = self.rooted_at(&plan.folder)?;
        let config = self.view(&name)?.config?;
        let is_same = config.url == plan.url
            && config.root == resolved(&plan.folder)
            && plan.name.as_ref().is_none_or(|typed| *typed == name);
        (is_same && self.note_of(&name).exists()).then_some(name)
    }

    /// Fetches what is missing.
    pub(super) async fn go_on(
        &self,
        name: &str,
        kind: SetUpKind,
        events: mpsc::Sender<JobEvent>,
        cancellation: &Cancellation,
    ) -> Result<SetUpOutcome, RequestError> {
        let open = self.open(name).await?;
        let connected = self.while_running(open.account.connect());
        cancellation.unless_asked(connected).await?;
        let report = match first_job(kind, true) {
            Some(job) => open.project.run(job, events, cancellation.flag()).await?,
            None => Report::default(),
        };
        let outcome = SetUpOutcome {
            project_id: open.project.project_id().to_string(),
            head: open.project.head(),
            config: open.config.as_ref().clone(),
            joined: true,
            already_there: false,
            report,
        };
        self.note_whether_to_go_on(&outcome);
        Ok(outcome)
    }

    pub(super) fn note_whether_to_go_on(&self, outcome: &SetUpOutcome) {
        let note = self.note_of(&outcome.config.name);
        let noted = match outcome.report.cancelled {
            true => write_private(&note, ""),
            false => fs::remove_file(&note).or_else(|error| match error.kind() {
                std::io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            }),
        };
        if let Err(error) = noted {
            tracing::warn!(note = %note.display(), %error, "nobody will know where to go on");
        }
    }

    fn note_of(&self, name: &str) -> PathBuf {
        let [state, ..] = self.folders.of_project(name);
        state.join("set-up-cancelled")
    }
}
