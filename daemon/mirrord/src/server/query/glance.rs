//! How much differs, for a prompt: it has a few milliseconds, and is drawn again soon.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use futures::future::join_all;
use mirror_engine::{Phase, Tally};
use mirror_proto::v1;
use mirror_proto::v1::project_ref::By;
use tokio::time::timeout;

use crate::config::{AutoMode, ProjectConfig};
use crate::projects::{Condition, Open, View};
use crate::server::convert::status::standing;
use crate::server::host::Host;

/// What is not counted by then is as it was counted last.
const PATIENCE: Duration = Duration::from_millis(30);

impl Host {
    /// Nothing is opened for it, and nothing is wrong enough to fail.
    pub(super) async fn glance_at(&self, project: Option<v1::ProjectRef>) -> v1::StatusGlance {
        let Some(name) = self.name_at_once(project).await else {
            return v1::StatusGlance::default();
        };
        let (config, open) = match self.registry.slots().get(&name) {
            Some(slot) => {
                let open = match &slot.condition {
                    Condition::Open(open) => Some(open.clone()),
                    Condition::Closed(_) => None,
                };
                (slot.config.clone(), open)
            }
            None => return v1::StatusGlance::default(),
        };
        let tally = match &open {
            Some(open) => tally_of(open).await,
            None => None,
        };
        // As it is once it was counted.
        let phase = self.registry.view(&name).map_or(Phase::Idle, |view| view.phase);
        glance_of(name, config.as_ref(), &phase, tally.unwrap_or_default())
    }

    /// Which of these projects have deletions that wait for a person.
    pub(in crate::server) async fn waiting_for_consent(&self, views: &[View]) -> BTreeSet<String> {
        let open = views.iter().filter_map(|view| view.open.as_ref());
        // A person's own jobs ask by themselves.
        let asking = open.filter(|open| {
            open.config.auto.mode() != AutoMode::Off && open.project.may_leave_deletions()
        });
        let looks = asking.map(async |open| {
            let waits = tally_of(open).await.is_some_and(|tally| tally.waits_for_consent);
            waits.then(|| open.config.name.clone())
        });
        join_all(looks).await.into_iter().flatten().collect()
    }

    async fn name_at_once(&self, project: Option<v1::ProjectRef>) -> Option<String> {
        match project?.by? {
            By::Name(name) => self.registry.named(&name).ok(),
            By::Folder(folder) => self.registry.home_of(Path::new(&folder)).await,
        }
    }
}

async fn tally_of(open: &Open) -> Option<Tally> {
    let project = open.project.clone();
    // A task: what comes too late for this prompt is there for the next.
    let counting = tokio::spawn(async move { project.tally().await });
    match timeout(PATIENCE, counting).await {
        Ok(Ok(Ok(tally))) => Some(tally),
        Ok(_) | Err(_) => open.project.last_tally(),
    }
}

fn glance_of(
    project: String,
    config: Option<&ProjectConfig>,
    phase: &Phase,
    tally: Tally,
) -> v1::StatusGlance {
    v1::StatusGlance {
        project,
        local_count: tally.local,
        remote_count: tally.remote,
        conflict_count: tally.conflicts,
        held_count: tally.held,
        state: standing(phase, config, tally.waits_for_consent).into(),
    }
}
