//! What is looked at, asked and said before a set-up makes anything.

use std::path::Path;
use std::sync::Arc;

use mirror_engine::{Covered, Holding, JobEvent, SharedSettings, inspect, preview};
use tokio::sync::mpsc;

use super::begun::{Begun, First};
use super::folders;
use super::plan::{SetUpKind, narrowing_of, shared_settings};
use crate::config::{Place, ProjectConfig, check_name};
use crate::error::RequestError;
use crate::projects::registry::Registry;
use crate::services::Account;
use crate::wire;

impl Registry {
    /// Looks at what the backend holds; `None` where its root is still to be made.
    pub(super) async fn look_first(
        &self,
        begun: &mut Begun<'_>,
        first: First,
        account: &dyn Account,
    ) -> Result<Option<Holding>, RequestError> {
        // What is wrong with a root is said when it is made.
        match account.root().await {
            Ok(true) => Box::pin(self.look(begun, first)).await.map(Some),
            Ok(false) | Err(_) => Ok(None),
        }
    }

    /// Looks at what the backend holds, and refuses what nobody said was meant.
    pub(super) async fn look(
        &self,
        begun: &mut Begun<'_>,
        first: First,
    ) -> Result<Holding, RequestError> {
        let opened = self.backends.open(&begun.config.url, &begun.config.settings);
        let holding = inspect(opened.backend.as_ref()).await?;
        if !first.is_in(&holding) {
            // Nothing is left of what an earlier run may have begun.
            begun.rollback.note = Some(self.note_of(&begun.config));
        }
        self.take_name(begun, &holding).await?;
        self.check_joining(&begun.plan, &begun.config, (&holding, first), None).await?;
        Ok(holding)
    }

    /// Makes the folders that are missing, and notes first that this is begun.
    pub(super) async fn make_places(
        &self,
        begun: &mut Begun<'_>,
        first: First,
        account: Arc<dyn Account>,
    ) -> Result<(), RequestError> {
        let Begun { plan, config, rollback, shared, .. } = begun;
        let note = self.note_beginning(config, first)?;
        if !first.is_noted() {
            rollback.note = Some(note);
        }
        folders::make_places(plan, &config.root, shared, rollback)?;
        folders::make_remote_root(plan, account, shared, rollback).await
    }

    /// Says what is going to be mirrored of a folder that holds files already.
    pub(super) async fn show_covered(
        &self,
        begun: &mut Begun<'_>,
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
        let own = [
            self.own_places(),
            config.url.site().folder().map(Path::to_owned).into_iter().collect(),
        ];
        let tree = Arc::new(wire::tree_at(&config.root, own.concat()));
        match preview(tree, &self.outside, &settings, narrowing).await {
            Ok(found) => {
                let found = Covered { exclude: settings.exclude.clone(), ..found };
                // A client that reads nothing must not hold us up.
                drop(events.try_send(JobEvent::Covered(found.clone())));
                *covered = Some(found);
            }
            Err(error) => tracing::warn!(%error, "what will be mirrored could not be counted"),
        }
    }

    /// Settles what the project is called here, and that its file and folders
    /// are ours to make.
    pub(super) async fn take_name(
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
}

/// The project's own name, unless no file here could be called so.
fn fitting_name(theirs: &str, config: &ProjectConfig) -> String {
    match check_name(theirs) {
        Ok(()) => theirs.to_owned(),
        Err(_) => config.name.clone(),
    }
}
