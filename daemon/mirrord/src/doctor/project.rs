//! One project: its folder, its state, what waits, and its backend.

use std::sync::Arc;

use mirror_core::reconcile::FileState;
use mirror_engine::{Phase, QueuedWork, StatusReport};
use tokio::time::timeout;

use super::backend::{Root, try_out};
use super::{Finding, PATIENCE, within};
use crate::config::ProjectConfig;
use crate::error::RequestError;
use crate::projects::{Open, Registry, View};

impl Registry {
    pub(super) async fn examine_project(self: &Arc<Self>, view: &View) -> Vec<Finding> {
        let Some(config) = &view.config else {
            // Its file is wrong, and has a finding of its own.
            return Vec::new();
        };
        let (mut findings, backend) =
            tokio::join!(self.examine_here(config), self.examine_backend(view));
        findings.extend(backend);
        findings
    }

    async fn examine_here(self: &Arc<Self>, config: &ProjectConfig) -> Vec<Finding> {
        let mut findings = vec![root(config).await];
        match self.opened_within(&config.name).await {
            Err(error) => findings.push(Finding::of_error(&config.name, &error)),
            Ok(open) => findings.extend(state(&open).await),
        }
        findings
    }

    async fn opened_within(self: &Arc<Self>, name: &str) -> Result<Open, RequestError> {
        let (registry, name) = (self.clone(), name.to_owned());
        // A task: the project opens even when nobody waits any more.
        let opening = tokio::spawn(async move { registry.open(&name).await });
        within(async { opening.await.unwrap_or(Err(RequestError::Panicked)) }).await
    }

    /// The backend alone, as deep as [`Registry::try_backend`].
    pub(super) async fn examine_backend(&self, view: &View) -> Vec<Finding> {
        let Some(config) = &view.config else {
            return Vec::new();
        };
        let service = self.backends.open(&config.url, &config.ssh).service;
        try_out(&service, config.url.clone(), Root::MustBeThere).await.findings
    }

    /// Whether the backend lets us in; for a folder, whether we may use it.
    pub(super) async fn sign_in_for(&self, view: &View) -> Option<Finding> {
        let config = view.config.as_ref()?;
        let place = config.url.to_string();
        let service = self.backends.open(&config.url, &config.ssh).service;
        Some(match within(service.let_in()).await {
            Ok(()) if service.is_remote() => {
                Finding::ok(place, "your own ssh signs in, and the server lets us in")
            }
            Ok(()) => Finding::ok(place, "no sign-in is needed, and the folder lets us in"),
            Err(error) => Finding::of_error(place, &error),
        })
    }
}

async fn root(config: &ProjectConfig) -> Finding {
    let root = config.root.clone();
    let looked = tokio::task::spawn_blocking(move || root.is_dir());
    let place = config.root.display().to_string();
    match timeout(PATIENCE, looked).await {
        Ok(Ok(true)) => Finding::ok(place, "the project's folder is there"),
        _ => Finding::fail(
            place,
            "the project's folder is missing or doesn't answer",
            "mount or restore it; nothing is deleted meanwhile",
        ),
    }
}

async fn state(open: &Open) -> Vec<Finding> {
    let (name, project) = (&open.config.name, &open.project);
    if let Phase::Stopped { .. } = project.phase() {
        // Refused before anything is reached, with the reason and what to do.
        let why = within(project.poll()).await.err();
        return why.map(|error| Finding::of_error(name, &error)).into_iter().collect();
    }
    let mut findings = Vec::new();
    if !project.is_watched() {
        findings.push(Finding::warn(
            name,
            "file-system events don't arrive: every look is a walk",
            "see the limit on watched folders, or move the project to a local disk",
        ));
    }
    match within(project.status(true)).await {
        Err(error) => findings.push(Finding::of_error(name, &error)),
        Ok(report) => findings.extend(waiting(name, &report)),
    }
    if findings.is_empty() {
        findings.push(Finding::ok(name, "the project runs, and nothing waits"));
    }
    findings
}

/// What waits for the backend or a person.
fn waiting(name: &str, report: &StatusReport) -> Vec<Finding> {
    let queued = report.queue.iter().map(|work| queued(name, work));
    let conflicts = report.files.iter().filter(|file| file.state == FileState::Conflict).count();
    let conflicts = (conflicts > 0).then(|| {
        let what = format!("{conflicts} conflicts wait for a decision");
        Finding::warn(name, what, "see `mirrorctl conflict list`")
    });
    let skipped = report.skipped.len();
    let skipped = (skipped > 0).then(|| {
        let what = format!("{skipped} files are not mirrored");
        Finding::warn(name, what, "see `mirrorctl status --long` for the reasons")
    });
    queued.chain(conflicts).chain(skipped).collect()
}

fn queued(name: &str, work: &QueuedWork) -> Finding {
    let what = format!("work waits for the backend: {}", work.fault.message);
    let fix = work.fault.hint.clone();
    Finding::warn(name, what, fix.unwrap_or_else(|| "it is tried again by itself".to_owned()))
}
