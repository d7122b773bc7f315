//! Ends jobs at their next safe point: for `Cancel`, for clients that hang up,
//! and for a daemon that stops.

use futures::future::join_all;
use mirror_proto::v1;
use mirror_proto::v1::cancel_request::Which;
use tokio::time::timeout;

use super::running::{ANSWER, Kind};
use crate::error::RequestError;
use crate::projects::{Open, View};
use crate::server::host::Host;

impl Host {
    pub(in crate::server) async fn cancel_which(
        &self,
        which: Option<Which>,
    ) -> Result<Vec<v1::CancelledJob>, RequestError> {
        match which {
            Some(Which::JobId(id)) => match self.running.find(&id) {
                Some(job) => Ok(vec![job.cancel().await]),
                // It has ended by itself.
                None => Ok(Vec::new()),
            },
            Some(Which::Project(project)) => {
                let name = self.name_of(Some(project)).await?;
                let view = self.registry.view(&name);
                Ok(self.cancel_in(view.into_iter().collect()).await)
            }
            Some(Which::All(true)) => Ok(self.cancel_all().await),
            Some(Which::All(false)) | None => {
                Err(RequestError::usage("the request names nothing to cancel"))
            }
        }
    }

    async fn cancel_all(&self) -> Vec<v1::CancelledJob> {
        let set_ups = self.running.of_kind(Kind::SetUp);
        let set_ups = join_all(set_ups.iter().map(super::running::RunningJob::cancel));
        let in_projects = self.cancel_in(self.registry.views());
        let (mut cancelled, set_up) = tokio::join!(in_projects, set_ups);
        cancelled.extend(set_up);
        cancelled.sort_by(|one, other| one.project.cmp(&other.project));
        cancelled
    }

    /// Jobs that wait for the running one end, too: nobody is there to run them.
    /// A set-up takes itself back.
    pub(in crate::server) async fn cancel_to_stop(&self) {
        for job in self.running.of_kind(Kind::OfProject) {
            job.cancellation.ask();
        }
        self.cancel_in(self.registry.views()).await;
    }

    async fn cancel_in(&self, views: Vec<View>) -> Vec<v1::CancelledJob> {
        let open: Vec<Open> = views.into_iter().filter_map(|view| view.open).collect();
        let cancelled = join_all(open.iter().map(|open| self.cancel_running(open))).await;
        cancelled.into_iter().flatten().collect()
    }

    async fn cancel_running(&self, open: &Open) -> Option<v1::CancelledJob> {
        let project = &open.project;
        let running = project.job()?;
        let cancelling = timeout(ANSWER, project.cancel());
        // Once that has begun, whoever waits for the job is told as well.
        let (cancelled, ()) = tokio::join!(cancelling, async { self.running.follow_flags() });
        let (kind, commit) = match cancelled {
            Ok(cancelled) => cancelled.map(|job| (job.kind, job.commit))?,
            Err(_) => (running.kind, project.job().and_then(|job| job.commit)),
        };
        Some(v1::CancelledJob { project: open.config.name.clone(), kind: kind.to_owned(), commit })
    }
}
