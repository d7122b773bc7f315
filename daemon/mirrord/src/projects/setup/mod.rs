//! Makes a folder a project: `init`, `clone`, and `quickstart` on top of them.
//!
//! What fails is taken back; only a first commit that stands on the backend
//! stays, because a log's names are never removed (L2), and the error says so.

mod begun;
mod counted;
mod error;
mod fetched_files;
mod first_look;
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
    create, inspect,
};
use mirror_storage::FaultClass;
use tokio::sync::mpsc;

use begun::{Begun, First};
use counted::Counted;
use error::SetUpError;
use folders::{folder_error, refuse_synced_folder};
pub(crate) use plan::{ChosenPreset, SetUp, SetUpKind, parsed_shared_mode};
use plan::{checked_patterns, narrowing_of, shared_settings};
use rollback::{Created, Rollback};

use crate::backends::Breaker;
use crate::config::{ProjectConfig, check_name};
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
        let account = self.backends.account(&begun.config.url, &begun.config.settings);
        let wanted = self.while_running(sharing::wanted(&begun.plan, account.as_ref()));
        begun.shared = cancellation.unless_asked(wanted).await?;
        begun.config.root = resolved(&begun.config.root);
        let first = self.first_of(&begun.config);
        // Whoever is asked, or leaves when they see what is covered, has lost nothing.
        let looked = self.while_running(self.look_first(begun, first, account.as_ref()));
        let holding = cancellation.unless_asked(looked).await?;
        let shown = holding.as_ref().unwrap_or(&Holding::Empty);
        self.show_covered(begun, shown, &events).await;
        let made = self.while_running(self.make_places(begun, first, account));
        cancellation.unless_asked(made).await?;
        let holding = match holding {
            Some(holding) => holding,
            None => {
                let looked = self.while_running(Box::pin(self.look(begun, first)));
                cancellation.unless_asked(looked).await?
            }
        };
        let mut ground = self.ground_of(&begun.config)?;
        let door = Arc::new(Breaker::new(ground.parts.backend.clone()));
        ground.parts.backend = door.clone();
        // Steps that are under way end in good order, and soon.
        let mut stopping = self.stopping();
        let found = (holding, first);
        let mut filled = Box::pin(self.fill(begun, ground, found, events, cancellation.flag()));
        tokio::select! {
            filled = &mut filled => return filled,
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
        door.shut(Some(Refusal::Stopping.to_string()));
        filled.await
    }

    async fn fill(
        &self,
        begun: &mut Begun<'_>,
        ground: Ground,
        (holding, first): (Holding, First),
        events: mpsc::Sender<JobEvent>,
        cancel: Cancel,
    ) -> Result<(SetUpOutcome, Open), RequestError> {
        let goes_on = first.is_in(&holding);
        let joined = self.join_or_create(begun, &ground, (holding, first)).await?;
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
        let report = match first_job(plan.kind, joined && !goes_on) {
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
        let name = plan.name.clone().unwrap_or_else(|| plan.usual_name(&usual));
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

    /// Gives whether the project was there before.
    async fn join_or_create(
        &self,
        begun: &mut Begun<'_>,
        ground: &Ground,
        (holding, first): (Holding, First),
    ) -> Result<bool, RequestError> {
        let Begun { plan, config, shared, rollback, .. } = begun;
        match (holding, plan.kind) {
            (Holding::Project { settings, .. }, _) => {
                plan.check_preset(&settings)?;
                join(plan, config)?;
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
                let created = create(&ground.parts, &self.author(), settings, first.id).await;
                let stands = match &created {
                    Ok((_, true)) => {
                        rollback.created = Created::Yes;
                        return Ok(false);
                    }
                    // It may have failed before or after the first commit.
                    Ok((_, false)) | Err(_) => inspect(ground.parts.backend.as_ref()).await,
                };
                rollback.created = match &stands {
                    Ok(stands) if first.is_in(stands) => Created::Yes,
                    Ok(_) => Created::No,
                    Err(_) => Created::Perhaps,
                };
                created?;
                // Somebody else was faster: nobody has agreed to join that one.
                self.check_joining(plan, config, (&stands?, first), Some(ground)).await?;
                join(plan, config)?;
                Ok(true)
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

/// What there is to settle of a project that others have made.
fn join(plan: &SetUp, config: &mut ProjectConfig) -> Result<(), RequestError> {
    refuse_synced_folder(&config.url)?;
    config.narrowing = narrowing_of(plan);
    Ok(())
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
    let consent = matches!(kind, SetUpKind::Init { consent: true, .. });
    Some(JobRequest { job, dry_run: false, consent })
}
