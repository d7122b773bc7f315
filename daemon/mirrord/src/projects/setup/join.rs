//! Whose project a set-up gets: nobody joins one by mistake, and no project gets
//! what another one of its name left here.

use mirror_core::Digest;
use mirror_engine::{Holding, standing};

use super::begun::First;
use super::error::SetUpError;
use super::plan::{SetUp, SetUpKind};
use crate::config::ProjectConfig;
use crate::error::RequestError;
use crate::projects::kept::{KeepsVersions, counted};
use crate::projects::open::Ground;
use crate::projects::registry::Registry;

impl Registry {
    /// Refuses to join what nobody said was meant. Its own first commit is what a
    /// set-up means that goes on.
    pub(super) async fn check_joining(
        &self,
        plan: &SetUp,
        config: &ProjectConfig,
        (holding, first): (&Holding, First),
        ground: Option<&Ground>,
    ) -> Result<(), RequestError> {
        let Holding::Project { settings, made_by, made_at, .. } = holding else { return Ok(()) };
        let is_meant = match plan.kind {
            SetUpKind::Clone { .. } | SetUpKind::Init { join: true, .. } => true,
            SetUpKind::Init { join: false, .. } => first.is_in(holding),
        };
        if is_meant {
            return Ok(());
        }
        let found = match ground {
            Some(ground) => standing(&ground.parts).await?,
            None => standing(&self.ground_of(config)?.parts).await?,
        };
        let error = SetUpError::HoldsProject {
            url: config.url.to_string(),
            name: settings.name.clone(),
            user: made_by.user.clone(),
            machine: made_by.machine.clone(),
            day: made_at.to_string().chars().take(10).collect(),
            head: found.head,
            files: found.files,
            patterns: settings.patterns.join(" "),
        };
        Err(error.into())
    }

    /// Settles what stands under a name that no project has: the same project's is
    /// taken over, another one's makes room unless it keeps something.
    pub(super) fn make_room(&self, name: &str, holding: &Holding) -> Result<(), RequestError> {
        let there: Option<Digest> = match holding {
            Holding::Project { project_id, .. } => Some(*project_id),
            Holding::Empty | Holding::PlainFiles => None,
        };
        let here = self.project_kept_as(name)?;
        if here.is_some() && here == there {
            return Ok(());
        }
        let kept = self.kept_of(name)?;
        if !kept.is_empty() {
            let (name, what) = (name.to_owned(), counted(&kept));
            return Err(KeepsVersions::LeftOver { name, what }.into());
        }
        if here.is_some() {
            self.remove_folders(name)?;
        }
        Ok(())
    }
}
