//! A set-up that was cancelled or cut off goes on when the same is asked for again.

use mirror_engine::{JobEvent, Report};
use tokio::sync::mpsc;

use super::{SetUp, SetUpKind, SetUpOutcome, first_job};
use crate::error::RequestError;
use crate::path_args::resolved;
use crate::projects::cancellation::Cancellation;
use crate::projects::registry::Registry;

impl Registry {
    /// The project that this very set-up had made when it was cut off.
    pub(super) fn begun_before(&self, plan: &SetUp) -> Option<String> {
        let name = self.rooted_at(&plan.folder)?;
        let config = self.view(&name)?.config?;
        let is_same = config.url == plan.url
            && config.root == resolved(&plan.folder)
            && plan.name.as_ref().is_none_or(|typed| *typed == name);
        (is_same && self.is_unfinished(&config)).then_some(name)
    }

    /// Does what is missing.
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
        let was_new = matches!(kind, SetUpKind::Init { push: true, .. });
        let report = match first_job(kind, !was_new) {
            Some(job) => open.project.run(job, events, cancellation.flag()).await?,
            None => Report::default(),
        };
        let outcome = SetUpOutcome {
            shared_mode: super::sharing::of(&open).await,
            project_id: open.project.project_id().to_string(),
            head: open.project.head(),
            config: open.config.as_ref().clone(),
            joined: true,
            already_there: false,
            covered: None,
            report,
        };
        self.note_whether_to_go_on(&outcome);
        Ok(outcome)
    }

    pub(super) fn note_whether_to_go_on(&self, outcome: &SetUpOutcome) {
        if !outcome.report.cancelled {
            self.forget_beginning(&outcome.config);
        }
    }
}
