//! Runs a job of a project and passes its events on to the client.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mirror_engine::{EngineError, Job, JobEvent, JobRequest, OutputTree, Project, Report, Scope};
use mirror_proto::v1;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tonic::Response;

use super::running::{Kind, RunningJob};
use crate::error::{FolderError, Refusal, RequestError};
use crate::path_args::{resolved, without_dots};
use crate::projects::{Aside, AsideError, Open};
use crate::server::asked::names_aside;
use crate::server::convert::job::{job_event, job_finished};
use crate::server::host::{Events, Host, Streamed, beside, names_in};

/// Progress is dropped rather than let it fill the room that facts need.
const ROOM_FOR_FACTS: usize = 16;

/// The folder of the project that a job is for; none where that isn't known any more.
#[derive(Clone, Copy)]
pub(in crate::server) struct Place<'a>(Option<&'a Path>);

/// Who hears of a job, and may cancel it.
pub(in crate::server) struct Caller<T> {
    pub(in crate::server) client: Events<T>,
    pub(in crate::server) job: RunningJob,
}

impl Host {
    /// Runs the job that `job` makes of the names inside the project.
    pub(in crate::server) fn job(
        &self,
        verb: &'static str,
        scope: Option<v1::JobScope>,
        job: impl FnOnce(Scope, Place<'_>) -> Result<Job, RequestError> + Send + 'static,
    ) -> Response<Streamed<v1::JobEvent>> {
        let host = self.clone();
        self.job_stream(verb, Kind::OfProject, |client, running| async move {
            let caller = Caller { client, job: running };
            let mut scope = scope.unwrap_or_default();
            let open = host.project(scope.project.take()).await?;
            host.run_job(open, scope, job, &caller).await
        })
    }

    /// The same for a job that brings back what this machine may have: a project that
    /// can't be opened, or is none any more, does it by that.
    pub(in crate::server) fn job_aside(
        &self,
        verb: &'static str,
        scope: Option<v1::JobScope>,
        job: impl FnOnce(Scope, Place<'_>) -> Result<Job, RequestError> + Send + 'static,
    ) -> Response<Streamed<v1::JobEvent>> {
        let host = self.clone();
        self.job_stream(verb, Kind::OfProject, |client, running| async move {
            let caller = Caller { client, job: running };
            let mut scope = scope.unwrap_or_default();
            let name = host.name_of_any(scope.project.take()).await?;
            let error = match host.registry.open(&name).await {
                Ok(open) => return host.run_job(open, scope, job, &caller).await,
                Err(error) => error,
            };
            let aside = host.registry.keep_aside(&name).await.ok_or(error)??;
            let finished = host.run_aside(&aside, scope, job, &caller).await;
            aside.close().await;
            finished
        })
    }

    async fn run_aside(
        &self,
        aside: &Aside,
        scope: v1::JobScope,
        job: impl FnOnce(Scope, Place<'_>) -> Result<Job, RequestError> + Send + 'static,
        caller: &Caller<v1::JobEvent>,
    ) -> Result<v1::JobEvent, RequestError> {
        let v1::JobScope { paths, folder, dry_run, .. } = scope;
        caller.job.belongs_to(&aside.name);
        let names = names_aside(aside, folder, paths).await?;
        let root = aside.root.clone();
        let made = move || job(Scope { names }, Place(root.as_deref()));
        let job = spawn_blocking(made).await.map_err(|_| Refusal::Panicked)??;
        if !job.brings_back() {
            return Err(AsideError::of(aside).into());
        }
        if !job.writes_elsewhere() && !aside.has_folder {
            return Err(AsideError::NoFolder(aside.name.clone()).into());
        }
        let request = JobRequest { job, dry_run, consent: false };
        let report = run(&aside.project, request, caller).await?;
        let finished = job_finished(&aside.name, &report, &self.registry.folders.home);
        Ok(v1::JobEvent { event: Some(v1::job_event::Event::Finished(finished)) })
    }

    async fn run_job(
        &self,
        open: Open,
        scope: v1::JobScope,
        job: impl FnOnce(Scope, Place<'_>) -> Result<Job, RequestError> + Send + 'static,
        caller: &Caller<v1::JobEvent>,
    ) -> Result<v1::JobEvent, RequestError> {
        let v1::JobScope { paths, folder, dry_run, allow_deletes: consent, .. } = scope;
        caller.job.belongs_to(&open.config.name);
        let names = names_in(&open, folder, paths).await?;
        let place = |open: &Open| job(Scope { names }, Place(Some(&open.config.root)));
        let job = beside(&open, place).await?;
        let request = JobRequest { job, dry_run, consent };
        // Whoever asks again is never told an old cause; the job tells a new one.
        let connected = self.registry.while_running(open.account.connect());
        drop(caller.job.cancellation.unless_asked(connected).await);
        let report = self.run(&open, request, caller).await?;
        let finished = job_finished(&open.config.name, &report, &self.registry.folders.home);
        Ok(v1::JobEvent { event: Some(v1::job_event::Event::Finished(finished)) })
    }

    /// Runs a job, on the project as it is by then: while a server let us wait,
    /// its settings may have changed.
    async fn run(
        &self,
        open: &Open,
        request: JobRequest,
        caller: &Caller<v1::JobEvent>,
    ) -> Result<Report, RequestError> {
        match run(&open.project, request.clone(), caller).await {
            // Nothing of it was begun.
            Err(error) if matches!(error.as_raised(), Some(EngineError::Closed)) => {
                run(&self.registry.open_after(open).await?.project, request, caller).await
            }
            outcome => outcome,
        }
    }
}

/// Where files go that are not for the project: a folder outside it, whose last
/// component is made when it is missing, and nothing is only planned.
pub(in crate::server) fn output_tree(
    output: &str,
    Place(root): Place<'_>,
    own: Vec<PathBuf>,
    dry_run: bool,
) -> Result<Arc<OutputTree>, RequestError> {
    let output = without_dots(Path::new(output));
    if !output.is_absolute() {
        return Err(RequestError::usage("the output folder is not absolute"));
    }
    if root.is_some_and(|root| resolved(&output).starts_with(resolved(root))) {
        return Err(RequestError::usage("the output folder lies inside the project"));
    }
    if own.iter().any(|own| resolved(&output).starts_with(resolved(own))) {
        let what = format!("the daemon keeps its own files in {}", output.display());
        return Err(RequestError::usage_with_hint(what, "choose another folder"));
    }
    if !output.is_dir() && !dry_run {
        std::fs::create_dir(&output).map_err(|cause| FolderError {
            what: "can't make the folder",
            folder: output.clone(),
            cause: Some(cause),
            hint: "make the folders above it first",
        })?;
    }
    Ok(Arc::new(OutputTree(Arc::new(crate::wire::tree_at(&output, own)))))
}

/// The one file that a request is about.
pub(in crate::server) fn only(names: Vec<String>) -> Result<String, RequestError> {
    match <[String; 1]>::try_from(names) {
        Ok([name]) => Ok(name),
        Err(_) => Err(RequestError::usage("name one file, not the whole project")),
    }
}

/// An empty text of a request is one that was not given.
pub(in crate::server) fn text(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

async fn run(
    project: &Project,
    request: JobRequest,
    caller: &Caller<v1::JobEvent>,
) -> Result<Report, RequestError> {
    let (sender, heard) = mpsc::channel(64);
    let flag = caller.job.cancellation.flag();
    let run = async { Ok(project.run(request, sender, flag).await?) };
    pass_on(run, heard, caller, job_event).await
}

/// Awaits `work` while its events are passed on.
pub(in crate::server) async fn pass_on<T, R>(
    work: impl Future<Output = R>,
    mut heard: mpsc::Receiver<JobEvent>,
    caller: &Caller<T>,
    event: impl Fn(JobEvent) -> T,
) -> R {
    let client = &caller.client;
    let tell = |heard: JobEvent| {
        caller.job.note(&heard);
        let is_progress = matches!(heard, JobEvent::Progress(_));
        if !is_progress || client.capacity() > ROOM_FOR_FACTS {
            // A client that reads too slowly, or is gone, must not hold a job up.
            drop(client.try_send(Ok(event(heard))));
        }
    };
    tokio::pin!(work);
    let outcome = loop {
        tokio::select! {
            biased;
            Some(one) = heard.recv() => tell(one),
            outcome = &mut work => break outcome,
        }
    };
    while let Ok(one) = heard.try_recv() {
        tell(one);
    }
    outcome
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::facts::Facts;
    use crate::testing::World;

    #[tokio::test(flavor = "multi_thread")]
    async fn job_of_a_project_that_was_closed_meanwhile_runs_all_the_same() {
        let world = World::new();
        let machine = world.machine("laptop");
        world.init(&machine, "notes", "nas").await.unwrap();
        fs::write(world.at("notes/b.md"), "b").unwrap();
        let started_at = "2026-04-15T10:30:00Z".parse().unwrap();
        let facts = Facts::played(started_at, false);
        let host = Host::new(machine.clone(), facts);
        let stale = machine.open("notes").await.unwrap();
        stale.project.close().await;
        let scope = Scope::default();
        let job = Job::Push { scope, message: None, force_local: false, no_wait: false };
        let (client, _unread) = mpsc::channel(64);
        let caller = Caller { client, job: host.running.begin(0, "push", Kind::OfProject) };

        let request = JobRequest { job, dry_run: false, consent: false };
        let report = host.run(&stale, request, &caller).await.unwrap();

        assert_eq!(report.files.len(), 1);
        assert_eq!(fs::read_to_string(world.at("nas/b.md")).unwrap(), "b");
    }
}
