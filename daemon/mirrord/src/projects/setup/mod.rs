//! Makes a folder a project: `init`, `clone`, and `quickstart` on top of them.
//!
//! What fails is taken back; only a first commit that stands on the backend
//! stays, because a log's names are never removed (L2), and the error says so.

mod begun;
mod counted;
mod error;
mod fetched_files;
mod folders;
mod join;
mod plan;
mod quickstart;
mod resume;
mod rollback;
mod sharing;
mod sync_clients;

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::FutureExt;
use mirror_core::commit::SharedMode;
use mirror_engine::{
    Cancel, Covered, Holding, Job, JobEvent, JobRequest, Report, Scope, Settle, SharedSettings,
    create, inspect, preview,
};
use mirror_storage::FaultClass;
use tokio::sync::mpsc;

use counted::Counted;
use error::SetUpError;
use folders::{folder_error, make_places, make_remote_root, refuse_synced_folder};
pub(crate) use plan::{SetUp, SetUpKind, parsed_shared_mode};
use plan::{checked_patterns, narrowing_of, shared_settings};
use rollback::{Created, Rollback};

use crate::backends::Breaker;
use crate::config::{Place, ProjectConfig, check_name};
use crate::error::{Refusal, RequestError};
use crate::path_args::{resolved, without_dots};
use crate::private_file::create_private;
use crate::projects::cancellation::Cancellation;
use crate::projects::open::Ground;
use crate::projects::registry::{Open, Registry, check_only};
use crate::projects::reservations::Reservation;
use crate::projects::settings::given;

/// How setting up ended.
#[derive(Debug)]
pub(crate) struct SetUpOutcome {
    pub(crate) config: ProjectConfig,
    pub(crate) project_id: String,
    pub(crate) joined: bool,
    pub(crate) head: u64,
    pub(crate) already_there: bool,
    /// What was found to be mirrored, before it was made.
    pub(crate) covered: Option<Covered>,
    pub(crate) report: Report,
    pub(crate) shared_mode: SharedMode,
}

/// A set-up that has its place, with what it has made so far.
struct Begun<'a> {
    plan: SetUp,
    config: ProjectConfig,
    shared: SharedMode,
    place: Reservation<'a>,
    rollback: Rollback,
    covered: Option<Covered>,
    _counted: Counted<'a>,
}

impl Registry {
    pub(crate) async fn set_up(
        &self,
        plan: SetUp,
        events: mpsc::Sender<JobEvent>,
        cancellation: &Cancellation,
    ) -> Result<SetUpOutcome, RequestError> {
        if let Some(name) = self.begun_before(&plan) {
            return self.go_on(&name, plan.kind, events, cancellation).await;
        }
        let begun = self.begin(plan).await?;
        // Before anything is made: nobody can say how long that takes.
        let account = self.backends.account(&begun.config.url, &begun.config.settings);
        cancellation.unless_asked(self.while_running(account.connect())).await?;
        Box::pin(self.finish(begun, events, cancellation)).await
    }

    /// Refuses what can be refused before anything is touched, and takes the
    /// place: a set-up waits for its backend, and nobody else for the set-up.
    async fn begin(&self, plan: SetUp) -> Result<Begun<'_>, RequestError> {
        let config = self.first_config(&plan)?;
        let mut claimed = config.clone();
        if plan.takes_their_name() {
            claimed.name = String::new();
        }
        let place = self.reserve(&claimed).await?;
        let (rollback, set_ups) = (Rollback::default(), &self.set_ups);
        let (shared, covered, counted) = (SharedMode::Private, None, Counted::among(set_ups));
        Ok(Begun { plan, config, shared, place, rollback, covered, _counted: counted })
    }

    /// Sets up what was begun, or takes it back.
    async fn finish(
        &self,
        mut begun: Begun<'_>,
        events: mpsc::Sender<JobEvent>,
        cancellation: &Cancellation,
    ) -> Result<SetUpOutcome, RequestError> {
        if *self.stopping.borrow() {
            return Err(begun.rollback.run(Refusal::Stopping.into()).await);
        }
        // A panic is undone like any failure.
        let made = AssertUnwindSafe(self.make(&mut begun, events, cancellation))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err(Refusal::Panicked.into()));
        match made {
            Ok((outcome, open)) => {
                let file = self.folders.project_file(&outcome.config.name);
                if let Err(twin) = self.enter_made(begun.place, file, &open).await {
                    let stays = begun.rollback.stays().await.is_some();
                    return Err(if stays { twin } else { begun.rollback.run(twin).await });
                }
                self.note_whether_to_go_on(&outcome);
                tracing::info!(project = outcome.config.name, "a project was set up");
                Ok(outcome)
            }
            Err(error) => Err(self.give_up(begun, error).await),
        }
    }

    /// Takes back what was made, unless something of a person would go with it.
    async fn give_up(&self, mut begun: Begun<'_>, error: RequestError) -> RequestError {
        let is_cut_off = *self.stopping.borrow() && error.class() == FaultClass::Transient;
        let error = if is_cut_off { Refusal::Stopping.into() } else { error };
        let Some((file, open, why)) = begun.rollback.stays().await else {
            return begun.rollback.run(error).await;
        };
        let name = begun.config.name;
        tracing::warn!(project = name, why, "a project stays half-made");
        match self.enter_made(begun.place, file, &open).await {
            Ok(()) => SetUpError::HalfMade { name, why, cause: error }.into(),
            Err(twin) => twin,
        }
    }

    async fn enter_made(
        &self,
        place: Reservation<'_>,
        file: PathBuf,
        open: &Open,
    ) -> Result<(), RequestError> {
        let entered = place.enter(file, open);
        // A daemon that stops may have looked for open projects before.
        if *self.stopping.borrow() {
            open.project.close().await;
        }
        entered
    }

    async fn make(
        &self,
        begun: &mut Begun<'_>,
        events: mpsc::Sender<JobEvent>,
        cancellation: &Cancellation,
    ) -> Result<(SetUpOutcome, Open), RequestError> {
        let Begun { plan, config, rollback, .. } = begun;
        let account = self.backends.account(&config.url, &config.settings);
        let wanted = self.while_running(sharing::wanted(plan, account.as_ref()));
        let shared = cancellation.unless_asked(wanted).await?;
        make_places(plan, &config.root, &shared, rollback)?;
        config.root = resolved(&config.root);
        rollback.note = self.note_beginning(config)?;
        let made = self.while_running(make_remote_root(plan, account, &shared, rollback));
        cancellation.unless_asked(made).await?;
        begun.shared = shared;
        let held = self.while_running(self.look(&begun.config));
        let holding = cancellation.unless_asked(held).await?;
        self.take_name(begun, &holding).await?;
        let mut ground = self.ground_of(&begun.config)?;
        self.show_covered(begun, &ground, &holding, &events).await;
        let door = Arc::new(Breaker::new(ground.parts.backend.clone()));
        ground.parts.backend = door.clone();
        // Steps that are under way end in good order, and soon.
        let mut stopping = self.stopping();
        let mut filled = Box::pin(self.fill(begun, ground, holding, events, cancellation.flag()));
        tokio::select! {
            filled = &mut filled => return filled,
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
        door.shut(Some(Refusal::Stopping.to_string()));
        filled.await
    }

    /// Says what is going to be mirrored of a folder that holds files already.
    async fn show_covered(
        &self,
        begun: &mut Begun<'_>,
        ground: &Ground,
        holding: &Holding,
        events: &mpsc::Sender<JobEvent>,
    ) {
        let Begun { plan, config, covered, .. } = begun;
        let settings = match (plan.kind, holding) {
            (SetUpKind::Clone { .. }, _) => return,
            (_, Holding::Project { settings, .. }) => Ok(SharedSettings::clone(settings)),
            (_, Holding::Empty | Holding::PlainFiles) => shared_settings(plan, config),
        };
        let Ok(settings) = settings else { return };
        let joins = matches!(holding, Holding::Project { .. });
        let narrowing = if joins { narrowing_of(plan) } else { None };
        match preview(&ground.parts, &settings, narrowing).await {
            Ok(found) => {
                let found = Covered { exclude: settings.exclude.clone(), ..found };
                // A client that reads nothing must not hold us up.
                drop(events.try_send(JobEvent::Covered(found.clone())));
                *covered = Some(found);
            }
            Err(error) => tracing::warn!(%error, "what will be mirrored could not be counted"),
        }
    }

    async fn fill(
        &self,
        begun: &mut Begun<'_>,
        ground: Ground,
        holding: Holding,
        events: mpsc::Sender<JobEvent>,
        cancel: Cancel,
    ) -> Result<(SetUpOutcome, Open), RequestError> {
        let goes_on = begun.rollback.note.is_none();
        self.check_joining(&begun.plan, &begun.config, (&holding, goes_on), &ground).await?;
        let joined = self.join_or_create(begun, &ground, holding).await?;
        let Begun { plan, config, rollback, covered, .. } = begun;
        let open = self.open_on(config, ground).await?;
        rollback.open = Some(open.clone());
        let shared_mode = sharing::of(&open).await;
        if joined {
            sharing::check_joined(plan, &shared_mode)?;
        }
        check_only(&self.slots(), &open)?;
        let file = self.folders.project_file(&config.name);
        create_private(&file, &config.to_text())
            .map_err(|error| crate::config::Problem::unusable(&file, &error))?;
        rollback.file = Some(file);
        let report = match first_job(plan.kind, joined) {
            Some(job) => open.project.run(job, events, cancel).await?,
            None => Report::default(),
        };
        let outcome = SetUpOutcome {
            shared_mode,
            project_id: open.project.project_id().to_string(),
            head: open.project.head(),
            config: config.clone(),
            joined,
            already_there: false,
            covered: covered.take(),
            report,
        };
        Ok((outcome, open))
    }

    /// What can be said, and refused, before anything is touched.
    fn first_config(&self, plan: &SetUp) -> Result<ProjectConfig, RequestError> {
        let folder = without_dots(&plan.folder);
        let usual = folder.file_name().unwrap_or_default().to_string_lossy();
        let name = plan.name.clone().unwrap_or_else(|| usual.into_owned());
        check_name(&name).map_err(|what| {
            RequestError::usage_with_hint(format!("{what}: {name:?}"), "choose another with --name")
        })?;
        checked_patterns(plan)?;
        plan.shared_mode()?;
        let own: Vec<_> = plan.own_settings().cloned().collect();
        let config = ProjectConfig { name, root: folder, ..given(&plan.url, &own)? };
        let root = resolved(&config.root);
        let own = self.folders.own_places();
        if own.iter().any(|own| root.starts_with(resolved(own))) {
            return Err(folder_error(
                "the daemon keeps its own files in",
                &root,
                "choose another folder",
            ));
        }
        Ok(config)
    }

    async fn look(&self, config: &ProjectConfig) -> Result<Holding, RequestError> {
        let opened = self.backends.open(&config.url, &config.settings);
        Ok(inspect(opened.backend.as_ref()).await?)
    }

    /// Settles what the project is called here, and that its file and folders
    /// are ours to make.
    async fn take_name(
        &self,
        begun: &mut Begun<'_>,
        holding: &Holding,
    ) -> Result<(), RequestError> {
        let Begun { plan, config, place, rollback, .. } = begun;
        if plan.takes_their_name() {
            if let Holding::Project { settings, .. } = holding {
                config.name = fitting_name(&settings.name, config);
            }
            place.change(config).await?;
        }
        let file = self.folders.project_file(&config.name);
        if file.symlink_metadata().is_ok() {
            return Err(crate::config::Problem::with_fix(
                Place::File { file, line: None },
                "this file of a project is there already, and was not read yet",
                "`mirrorctl reload` reads it; or choose another name with --name",
            )
            .into());
        }
        self.make_room(&config.name, holding)?;
        // What stood there before is the same project's, which was taken out by hand.
        let own = self.folders.of_project(&config.name);
        rollback.own_folders.extend(own.into_iter().filter(|folder| !folder.exists()));
        Ok(())
    }

    /// Gives whether the project was there before.
    async fn join_or_create(
        &self,
        begun: &mut Begun<'_>,
        ground: &Ground,
        holding: Holding,
    ) -> Result<bool, RequestError> {
        let Begun { plan, config, shared, rollback, .. } = begun;
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
                let settings = SharedSettings {
                    shared_mode: shared.clone(),
                    ..shared_settings(plan, config)?
                };
                rollback.used = Some(ground.account.clone());
                let created = create(&ground.parts, &self.author(), settings).await;
                rollback.created = match &created {
                    Ok((_, true)) => Created::Yes,
                    Ok((_, false)) => Created::No,
                    // It may have failed before or after the first commit.
                    Err(_) => match inspect(ground.parts.backend.as_ref()).await {
                        Ok(Holding::Project { .. }) => Created::Yes,
                        Ok(Holding::Empty | Holding::PlainFiles) => Created::No,
                        Err(_) => Created::Perhaps,
                    },
                };
                Ok(!created?.1)
            }
        }
    }

    /// The project whose root is exactly this folder.
    fn rooted_at(&self, folder: &Path) -> Option<String> {
        let real = resolved(folder);
        let slots = self.slots();
        let claims = slots.values().filter_map(|slot| slot.claim.as_ref());
        claims.into_iter().find(|claim| claim.root == real).map(|claim| claim.name.clone())
    }
}

/// The first job of a project: what stands there comes here, be it a project
/// that was joined or plain files that the first commit adopted.
fn first_job(kind: SetUpKind, joined: bool) -> Option<JobRequest> {
    let scope = Scope::default();
    let job = match (kind, joined) {
        (SetUpKind::Clone { pull: false }, _) => return None,
        (SetUpKind::Init { push: true, .. }, false) => {
            Job::Sync { scope, message: None, settle: Settle::Wait }
        }
        (SetUpKind::Init { .. } | SetUpKind::Clone { .. }, _) => Job::Pull { scope },
    };
    Some(JobRequest { job, dry_run: false, consent: false })
}

/// The project's own name, unless no file here could be called so.
fn fitting_name(theirs: &str, config: &ProjectConfig) -> String {
    match check_name(theirs) {
        Ok(()) => theirs.to_owned(),
        Err(_) => config.name.clone(),
    }
}
