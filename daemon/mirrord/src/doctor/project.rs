//! One project: its folder, its state, what waits, and its backend.

use std::sync::Arc;

use mirror_core::reconcile::FileState;
use mirror_engine::{Phase, QueuedWork, StatusReport};
use tokio::time::timeout;

use super::backend::{Expected, try_out};
use super::{PATIENCE, let_in, within};
use crate::config::{MemoryFolder, ProjectConfig};
use crate::error::{Refusal, RequestError};
use crate::finding::Finding;
use crate::projects::{Open, Registry, View, strayed};

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
        findings.extend(memories(config).await);
        match self.opened_within(&config.name).await {
            Err(why) => findings.push(why),
            Ok(open) => findings.extend(state(&open).await),
        }
        findings
    }

    async fn opened_within(self: &Arc<Self>, name: &str) -> Result<Open, Finding> {
        let (registry, own_name) = (self.clone(), name.to_owned());
        // A task: the project opens even when nobody waits any more.
        let opening = tokio::spawn(async move { registry.open(&own_name).await });
        let opened = async { opening.await.unwrap_or_else(|_| Err(Refusal::Panicked.into())) };
        answered(name, || Phase::Busy("open"), opened).await
    }

    /// The backend alone, as deep as [`Registry::try_backend`].
    pub(super) async fn examine_backend(&self, view: &View) -> Vec<Finding> {
        let Some(config) = &view.config else {
            return Vec::new();
        };
        let account = self.backends.account(&config.url, &config.settings);
        let ours = view.open.as_ref().map(|open| open.project.project_id());
        try_out(&account, config.url.clone(), Expected::Project(ours)).await.findings
    }

    /// Whether the backend lets us in; for a folder, whether we may use it.
    pub(super) async fn sign_in_for(&self, view: &View) -> Option<Finding> {
        let config = view.config.as_ref()?;
        let place = config.url.to_string();
        let account = self.backends.account(&config.url, &config.settings);
        Some(match let_in(async move { account.sign_in().await }).await {
            Ok(how) => Finding::ok(place, how),
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
            format!(
                "mount or restore it, or say where it is now: `mirrorctl --project {:?} config \
                 set root DIR`; nothing is deleted meanwhile",
                config.name
            ),
        ),
    }
}

/// Mapped folders that stand for nothing, as they are missing or others by now.
async fn memories(config: &ProjectConfig) -> Vec<Finding> {
    let config = config.clone();
    let looked = tokio::task::spawn_blocking(move || strayed(&config));
    let Ok(Ok(found)) = timeout(PATIENCE, looked).await else { return Vec::new() };
    let finding = |(name, mapped): (String, MemoryFolder)| {
        let (place, root) = (mapped.folder.display().to_string(), mapped.root.display());
        let fix = format!("bring it back, or map it again: `mirrorctl memory map {root} {name}`");
        Finding::warn(place, "the folder that is mapped here is missing or another one", fix)
    };
    found.into_iter().map(finding).collect()
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
    match answered(name, || project.phase(), Box::pin(project.status(true))).await {
        Err(why) => findings.push(why),
        Ok(report) => findings.extend(waiting(name, &report)),
    }
    if findings.is_empty() {
        findings.push(Finding::ok(name, "the project runs, and nothing waits"));
    }
    findings
}

/// Bounds in time what the project says of itself: whoever asks stands behind
/// the job that runs, and not behind its backend alone.
async fn answered<T, E>(
    name: &str,
    phase: impl Fn() -> Phase,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, Finding>
where
    RequestError: From<E>,
{
    match (timeout(PATIENCE, answer).await, phase()) {
        (Ok(answer), _) => answer.map_err(|error| Finding::of_error(name, &error.into())),
        (Err(_), Phase::Busy(verb)) => {
            Err(Finding::ok(name, format!("busy ({verb}): what waits is told once that is done")))
        }
        (Err(_), Phase::Idle | Phase::Stopped { .. }) => Err(Finding::fail(
            name,
            format!("the project doesn't answer within {} seconds", PATIENCE.as_secs()),
            "look at the disks that its folder and the daemon's are on, and run it again",
        )),
    }
}

/// What waits for the backend or a person.
fn waiting(name: &str, report: &StatusReport) -> Vec<Finding> {
    let wrong = report.fault.as_ref().map(|fault| {
        let fix = fault.hint.clone().unwrap_or_else(|| "see `mirrorctl status`".to_owned());
        Finding { class: Some(fault.class), ..Finding::fail(name, fault.message.clone(), fix) }
    });
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
    wrong.into_iter().chain(queued).chain(conflicts).chain(skipped).collect()
}

fn queued(name: &str, work: &QueuedWork) -> Finding {
    let what = format!("work waits for the backend: {}", work.fault.message);
    let fix = work.fault.hint.clone();
    Finding::warn(name, what, fix.unwrap_or_else(|| "it is tried again by itself".to_owned()))
}

#[cfg(test)]
mod tests {
    use mirror_engine::EngineError;

    use super::*;
    use crate::finding::Level;

    #[tokio::test(start_paused = true)]
    async fn project_that_works_is_busy_and_its_backend_not_away() {
        let asked = |phase: Phase| async move {
            let never = std::future::pending::<Result<(), EngineError>>();
            answered("notes", || phase.clone(), never).await.unwrap_err()
        };

        let busy = asked(Phase::Busy("push")).await;
        assert_eq!((busy.level, busy.class), (Level::Ok, None));
        assert!(busy.what.contains("push"), "{busy:?}");
        let hung = asked(Phase::Idle).await;
        assert_eq!(hung.level, Level::Fail);
        assert!(!hung.what.contains("storage"), "{hung:?}");
    }
}
