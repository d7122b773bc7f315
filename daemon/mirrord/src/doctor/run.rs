//! The whole examination: the daemon, its machine, and every project.

use std::sync::Arc;

use futures::future::join_all;

use super::{daemon, machine};
use crate::backends::PRIMARY;
use crate::error::RequestError;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::projects::{Registry, View};

/// What is to be looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Examination {
    /// `None`: all projects.
    pub(crate) project: Option<String>,
    /// This backend alone, of each of them.
    pub(crate) backend: Option<String>,
    /// The version of whoever asks.
    pub(crate) client: Option<String>,
}

impl Registry {
    pub(crate) async fn examine(
        self: &Arc<Self>,
        what: Examination,
        facts: &Facts,
    ) -> Result<Vec<Finding>, RequestError> {
        let views = self.views_of(what.project.as_deref())?;
        if let Some(backend) = &what.backend {
            check_backend_name(backend)?;
            let looks = views.iter().map(|view| self.examine_backend(view));
            return Ok(join_all(looks).await.into_iter().flatten().collect());
        }
        let mut findings = daemon::version(facts, what.client.as_deref());
        findings.extend(self.check_config().await.iter().map(Finding::from));
        let (machine, projects) = tokio::join!(
            machine::examine(&self.folders, &views),
            join_all(views.iter().map(|view| self.examine_project(view))),
        );
        findings.extend(machine);
        findings.extend(projects.into_iter().flatten());
        Ok(findings)
    }

    /// Whether the backend of each project lets us in.
    pub(crate) async fn check_auth(
        &self,
        project: Option<&str>,
    ) -> Result<Vec<Finding>, RequestError> {
        let views = self.views_of(project)?;
        let looks = views.iter().map(|view| self.sign_in_for(view));
        Ok(join_all(looks).await.into_iter().flatten().collect())
    }

    fn views_of(&self, project: Option<&str>) -> Result<Vec<View>, RequestError> {
        match project {
            None => Ok(self.views()),
            Some(name) => {
                let name = self.named(name)?;
                Ok(self.view(&name).into_iter().collect())
            }
        }
    }
}

fn check_backend_name(name: &str) -> Result<(), RequestError> {
    if name == PRIMARY {
        return Ok(());
    }
    Err(RequestError::usage_with_hint(
        format!("no backend is called {name:?}"),
        format!("a project's only backend is called {PRIMARY:?}"),
    ))
}
