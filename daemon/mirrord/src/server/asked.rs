//! Who answers a question about what a project keeps: the project, or where it can't
//! be opened or is none any more, what this machine has of it.

use std::path::Path;
use std::time::Duration;

use mirror_engine::{Project, ProjectFault};
use mirror_proto::v1::ProjectRef;
use mirror_proto::v1::project_ref::By;
use tokio::task::spawn_blocking;

use super::host::{Host, names_in};
use super::in_time::Teller;
use crate::error::{Refusal, RequestError};
use crate::path_args::{in_project, resolved};
use crate::projects::{Aside, Open, stop_of};

pub(super) enum Asked {
    Open(Open),
    Aside(Aside),
}

impl Asked {
    pub(super) fn project(&self) -> &Project {
        match self {
            Self::Open(open) => &open.project,
            Self::Aside(aside) => &aside.project,
        }
    }

    /// What is meant by paths as they are typed in `folder`.
    pub(super) async fn names(
        &self,
        folder: String,
        typed: Vec<String>,
    ) -> Result<Vec<String>, RequestError> {
        match self {
            Self::Open(open) => names_in(open, folder, typed).await,
            Self::Aside(aside) => names_aside(aside, folder, typed).await,
        }
    }

    /// Why the project does not run, if so: the answer is what is known here.
    pub(super) fn stop(&self) -> Option<ProjectFault> {
        match self {
            Self::Open(open) => stop_of(&open.project.phase()),
            Self::Aside(aside) => Some(aside.fault.clone()),
        }
    }
}

/// The same of a project whose folder may not be known: then as from its root.
pub(super) async fn names_aside(
    aside: &Aside,
    folder: String,
    typed: Vec<String>,
) -> Result<Vec<String>, RequestError> {
    let root = aside.root.clone();
    let names = move || match root {
        Some(root) => in_project(&resolved(&root), &folder, &typed),
        None => in_project(Path::new("/"), "/", &typed),
    };
    let names = spawn_blocking(names).await.map_err(|_| Refusal::Panicked)?;
    Ok(names?)
}

impl Host {
    pub(super) async fn asked(&self, project: Option<ProjectRef>) -> Result<Asked, RequestError> {
        let name = self.name_of_any(project).await?;
        match self.registry.open(&name).await {
            Ok(open) => Ok(Asked::Open(open)),
            Err(error) => self.aside(&name, error).await,
        }
    }

    /// The same for a question that is answered in time; what runs may wait so long
    /// for its backend.
    pub(super) async fn asked_in_time(
        &self,
        project: Option<ProjectRef>,
    ) -> Result<(Asked, Duration), RequestError> {
        let name = self.name_of_any(project.clone()).await?;
        if self.registry.is_left_over(&name) {
            return Ok((self.asked(project).await?, Duration::ZERO));
        }
        match self.teller(&name).await? {
            Teller::Open(open, patience) => Ok((Asked::Open(*open), patience)),
            Teller::Closed { error, .. } => Ok((self.aside(&name, error).await?, Duration::ZERO)),
        }
    }

    async fn aside(&self, name: &str, error: RequestError) -> Result<Asked, RequestError> {
        self.registry.look_aside(name).await.map(Asked::Aside).ok_or(error)
    }

    /// The name of a project, which may be one that is mirrored no more.
    pub(super) async fn name_of_any(
        &self,
        project: Option<ProjectRef>,
    ) -> Result<String, RequestError> {
        match project.as_ref().and_then(|project| project.by.as_ref()) {
            Some(By::Name(name)) if self.registry.is_left_over(name) => Ok(name.clone()),
            _ => self.name_of(project).await,
        }
    }
}
