//! Makes a folder a project: `init`, `clone`, and `quickstart` on top of them.
//!
//! What fails is taken back; only a first commit that stands on the backend
//! stays, because a log's names are never removed (L2), and the error says so.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

use futures::FutureExt;
use mirror_core::patterns::Patterns;
use mirror_engine::{
    Holding, Job, JobEvent, JobRequest, Parts, Report, Scope, Settle, SharedSettings, create,
    inspect,
};
use tokio::sync::mpsc;

use super::opening::Ground;
use super::registry::{Closed, Condition, Open, Registry, Slot, claim_of};
use super::settings::given;
use super::undo::Undo;
use crate::backends::RootError;
use crate::config::{ProjectConfig, check_name, narrowing, write_private};
use crate::error::RequestError;
use crate::names::{resolved, without_dots};
use crate::sync_clients;
use crate::url::BackendUrl;

/// What a project is to be made of.
#[derive(Clone, Debug)]
pub(crate) struct SetUp {
    pub(crate) kind: SetUpKind,
    /// Absolute.
    pub(crate) folder: PathBuf,
    pub(crate) url: BackendUrl,
    pub(crate) name: Option<String>,
    pub(crate) patterns: Vec<String>,
    pub(crate) excludes: Vec<String>,
    /// Keys and values of the project's file.
    pub(crate) settings: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetUpKind {
    /// With `push`, what stands in the folder is committed at once.
    Init {
        push: bool,
    },
    Clone {
        pull: bool,
    },
}

/// How setting up ended.
#[derive(Debug)]
pub(crate) struct SetUpOutcome {
    pub(crate) config: ProjectConfig,
    pub(crate) project_id: String,
    pub(crate) joined: bool,
    pub(crate) head: u64,
    pub(crate) already_there: bool,
    pub(crate) report: Report,
}

/// A backend that was looked at.
struct Looked {
    ground: Ground,
    holding: Holding,
}

impl Registry {
    pub(crate) async fn set_up(
        &self,
        plan: SetUp,
        events: mpsc::Sender<JobEvent>,
    ) -> Result<SetUpOutcome, RequestError> {
        // Before the turn: a server that is slow or away holds up nobody else.
        let config = self.first_config(&plan)?;
        let service = self.backends.open(&config.url, &config.ssh).service;
        self.while_running(service.greet()).await?;
        let _turn = self.changes.lock().await;
        self.set_up_in_turn(plan, events).await
    }

    /// As [`Registry::set_up`], for whoever holds the turn already.
    pub(super) async fn set_up_in_turn(
        &self,
        plan: SetUp,
        events: mpsc::Sender<JobEvent>,
    ) -> Result<SetUpOutcome, RequestError> {
        if *self.stopping.borrow() {
            return Err(RequestError::Stopping);
        }
        let mut undo = Undo::default();
        // A panic is undone like any failure.
        let outcome = AssertUnwindSafe(self.try_set_up(&plan, &mut undo, events))
            .catch_unwind()
            .await
            .unwrap_or(Err(RequestError::Panicked));
        match outcome {
            Ok(outcome) => {
                tracing::info!(project = outcome.config.name, "a project was set up");
                Ok(outcome)
            }
            Err(error) => Err(undo.run(error).await),
        }
    }

    async fn try_set_up(
        &self,
        plan: &SetUp,
        undo: &mut Undo,
        events: mpsc::Sender<JobEvent>,
    ) -> Result<SetUpOutcome, RequestError> {
        let mut config = self.first_config(plan)?;
        make_places(plan, &config, undo)?;
        config.root = resolved(&config.root);
        self.make_remote_root(plan.kind, &config, undo).await?;
        let Looked { ground, holding } = self.look(&mut config, plan, undo).await?;
        let joined = self.join_or_create(plan, &mut config, &ground.parts, holding, undo).await?;

        let open = self.open_on(&config, ground).await?;
        undo.project = Some(open.project.clone());
        self.check_only(&open, &config.name)?;
        let file = self.folders.project_file(&config.name);
        write_private(&file, &config.to_text())
            .map_err(|error| crate::config::Problem::unusable(&file, &error))?;
        undo.files.push(file.clone());

        let report = match first_job(plan.kind, joined) {
            Some(job) => open.project.run(job, events).await?,
            None => Report::default(),
        };
        self.enter(&config, file, &open);
        Ok(SetUpOutcome {
            project_id: open.project.project_id().to_string(),
            head: open.project.head(),
            config,
            joined,
            already_there: false,
            report,
        })
    }

    /// What can be said, and refused, before anything is touched.
    fn first_config(&self, plan: &SetUp) -> Result<ProjectConfig, RequestError> {
        let folder = without_dots(&plan.folder);
        let usual = folder.file_name().unwrap_or_default().to_string_lossy();
        let name = plan.name.clone().unwrap_or_else(|| usual.into_owned());
        check_name(&name).map_err(|what| RequestError::Usage {
            what: format!("{what}: {name:?}"),
            hint: Some("choose another with --name".to_owned()),
        })?;
        checked_patterns(plan)?;
        let config = ProjectConfig { name, root: folder, ..given(&plan.url, &plan.settings)? };
        let root = resolved(&config.root);
        let own =
            [&self.folders.config, &self.folders.data, &self.folders.state, &self.folders.cache];
        if own.into_iter().any(|own| root.starts_with(resolved(own))) {
            return Err(folder_error(
                "the daemon keeps its own files in",
                &root,
                "choose another folder",
            ));
        }
        // A clone's own name is known only when its backend has been looked at.
        let is_named = plan.name.is_some() || matches!(plan.kind, SetUpKind::Init { .. });
        let mut claim = config.clone();
        if !is_named {
            claim.name = String::new();
        }
        self.check_claim(&claim, None)?;
        Ok(config)
    }

    /// Looks at what the backend holds, under the name that the project gets.
    async fn look(
        &self,
        config: &mut ProjectConfig,
        plan: &SetUp,
        undo: &mut Undo,
    ) -> Result<Looked, RequestError> {
        let opened = self.backends.open(&config.url, &config.ssh);
        let holding = inspect(opened.backend.as_ref()).await?;
        let takes_theirs = plan.name.is_none() && !matches!(plan.kind, SetUpKind::Init { .. });
        if takes_theirs {
            if let Holding::Project { settings, .. } = &holding {
                config.name = fitting_name(&settings.name, config);
            }
            self.check_claim(config, None)?;
        }
        // What stood there before, a project's that was taken out by hand, isn't ours.
        let own = self.folders.of_project(&config.name);
        undo.own_folders.extend(own.into_iter().filter(|folder| !folder.exists()));
        Ok(Looked { ground: self.ground_of(config)?, holding })
    }

    /// Makes the last component of a backend's root on a server; one on this
    /// machine is made with the project's own folder.
    async fn make_remote_root(
        &self,
        kind: SetUpKind,
        config: &ProjectConfig,
        undo: &mut Undo,
    ) -> Result<(), RequestError> {
        let service = self.backends.open(&config.url, &config.ssh).service;
        if !service.is_remote() {
            return Ok(());
        }
        let made = async {
            match (service.has_root().await?, kind) {
                (true, _) => Ok(false),
                (false, SetUpKind::Clone { .. }) => Err(RootError::Missing),
                (false, SetUpKind::Init { .. }) => service.make_root().await.map(|()| true),
            }
        };
        let at_url = |cause| RequestError::Root { url: config.url.to_string(), cause };
        if made.await.map_err(at_url)? {
            undo.made_root = Some(service);
        }
        Ok(())
    }

    /// Gives whether the project was there before.
    async fn join_or_create(
        &self,
        plan: &SetUp,
        config: &mut ProjectConfig,
        parts: &Parts,
        holding: Holding,
        undo: &mut Undo,
    ) -> Result<bool, RequestError> {
        match (holding, plan.kind) {
            (Holding::Project { .. }, _) => {
                refuse_synced_folder(&config.url)?;
                config.narrowing = narrowing_of(plan);
                Ok(true)
            }
            (Holding::Empty | Holding::PlainFiles, SetUpKind::Clone { .. }) => {
                Err(mirror_engine::EngineError::NoProject.into())
            }
            (Holding::Empty | Holding::PlainFiles, SetUpKind::Init { .. }) => {
                let settings =
                    SharedSettings { name: config.name.clone(), patterns: checked_patterns(plan)? };
                let (_, made) = create(parts, &self.author(), settings).await?;
                undo.created = made;
                Ok(!made)
            }
        }
    }

    fn enter(&self, config: &ProjectConfig, file: PathBuf, open: &Open) {
        let mut slot = Slot::closed(file, Some(config.clone()), Closed::not_yet());
        slot.condition = Condition::Open(open.clone());
        self.slots_mut().insert(config.name.clone(), slot);
    }

    /// The project whose root is exactly this folder.
    pub(super) fn rooted_at(&self, folder: &Path) -> Option<String> {
        let real = resolved(folder);
        let slots = self.slots();
        let mut claims = slots.values().filter_map(|slot| slot.config.as_ref().map(claim_of));
        claims.find(|claim| claim.root == real).map(|claim| claim.name)
    }
}

/// The first job of a project: what stands there comes here, be it a project
/// that was joined or plain files that the first commit adopted.
fn first_job(kind: SetUpKind, joined: bool) -> Option<JobRequest> {
    let scope = Scope::default();
    let job = match (kind, joined) {
        (SetUpKind::Clone { pull: false }, _) => return None,
        (SetUpKind::Init { push: true }, false) => {
            Job::Sync { scope, message: None, settle: Settle::Wait }
        }
        (SetUpKind::Init { .. } | SetUpKind::Clone { .. }, _) => Job::Pull { scope },
    };
    Some(JobRequest { job, dry_run: false, consent: false })
}

fn checked_patterns(plan: &SetUp) -> Result<Patterns, RequestError> {
    let mut patterns = Patterns::default();
    if !plan.patterns.is_empty() {
        patterns.include.clone_from(&plan.patterns);
    }
    patterns.exclude.clone_from(&plan.excludes);
    patterns.check().map_err(|error| RequestError::usage(error.to_string()))?;
    Ok(patterns)
}

fn narrowing_of(plan: &SetUp) -> Option<Patterns> {
    let given = |globs: &Vec<String>| (!globs.is_empty()).then(|| globs.clone());
    narrowing(given(&plan.patterns), given(&plan.excludes))
}

/// The project's own name, unless no file here could be called so.
fn fitting_name(theirs: &str, config: &ProjectConfig) -> String {
    match check_name(theirs) {
        Ok(()) => theirs.to_owned(),
        Err(_) => config.name.clone(),
    }
}

fn refuse_synced_folder(url: &BackendUrl) -> Result<(), RequestError> {
    let Some(folder) = url.folder().map(resolved) else {
        return Ok(());
    };
    match sync_clients::client_of(&folder) {
        None => Ok(()),
        Some(client) => Err(RequestError::SyncClient { folder, client }),
    }
}

/// Makes the last component of both folders where it is missing.
fn make_places(plan: &SetUp, config: &ProjectConfig, undo: &mut Undo) -> Result<(), RequestError> {
    if let Some(backend) = plan.url.folder() {
        match plan.kind {
            SetUpKind::Init { .. } => make_last(backend, undo)?,
            SetUpKind::Clone { .. } if !backend.is_dir() => {
                return Err(folder_error(
                    "there is no backend folder",
                    backend,
                    "check the URL, and that its disk is mounted",
                ));
            }
            SetUpKind::Clone { .. } => {}
        }
    }
    make_last(&config.root, undo)?;
    if !matches!(plan.kind, SetUpKind::Init { .. }) {
        let mut entries =
            std::fs::read_dir(&config.root).map_err(|cause| unusable(&config.root, cause))?;
        if entries.next().is_some() {
            return Err(RequestError::NotEmpty(config.root.clone()));
        }
        undo.filled_folder = Some(config.root.clone());
    }
    Ok(())
}

fn make_last(folder: &Path, undo: &mut Undo) -> Result<(), RequestError> {
    match std::fs::metadata(folder) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => return Err(folder_error("this is not a folder:", folder, "choose a folder")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(cause) => return Err(unusable(folder, cause)),
    }
    let above = folder.parent().unwrap_or(folder);
    if !above.is_dir() {
        return Err(folder_error(
            "there is no folder",
            above,
            "make it, or check the path and that its disk is mounted",
        ));
    }
    std::fs::create_dir(folder).map_err(|cause| unusable(folder, cause))?;
    undo.made_folders.push(folder.to_owned());
    Ok(())
}

fn unusable(folder: &Path, cause: std::io::Error) -> RequestError {
    RequestError::Folder {
        what: "this folder can't be used:",
        folder: folder.to_owned(),
        cause: Some(cause),
        hint: "make it readable and writable for yourself",
    }
}

fn folder_error(what: &'static str, folder: &Path, hint: &'static str) -> RequestError {
    RequestError::Folder { what, folder: folder.to_owned(), cause: None, hint }
}
