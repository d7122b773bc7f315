//! What every command is handed: where it runs, how it prints, and the way to
//! the daemon.

use mirror_proto::v1::project_ref::By;
use mirror_proto::v1::{ListProjectsRequest, ProjectRef};

use crate::connect::{self, Daemon, Socket};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupts::Interrupts;
use crate::output::Output;
use crate::paths;
use crate::terminal::Terminal;

#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) output: Output,
    /// `--project`, as typed.
    pub(crate) project: Option<String>,
    pub(crate) socket: Socket,
    pub(crate) is_verbose: bool,
    pub(crate) interrupts: Interrupts,
    /// Where a person can be asked; `None` where nobody is.
    pub(crate) terminal: Option<Terminal>,
}

/// How a command ended, and the part of its document that is still to print.
#[derive(Debug)]
pub(crate) struct Reported {
    pub(crate) exit: Exit,
    pub(crate) told: Option<serde_json::Value>,
}

impl Reported {
    pub(crate) fn done(told: Option<serde_json::Value>) -> Self {
        Self { exit: Exit::Done, told }
    }
}

impl Context {
    /// The daemon, started when none runs.
    pub(crate) async fn daemon(&self) -> Result<Daemon, Failure> {
        let daemon = connect::connect(&self.socket).await?;
        if self.is_verbose {
            self.output.note(&format!(
                "mirrord {} (pid {}) at {}",
                daemon.handshake.version,
                daemon.handshake.pid,
                daemon.socket.display()
            ));
        }
        Ok(daemon)
    }

    /// The daemon if one runs, whatever its version.
    pub(crate) async fn running_daemon(&self) -> Result<Option<Daemon>, Failure> {
        connect::running(&self.socket).await
    }

    /// The project that `--project` names, else the one around this folder.
    pub(crate) fn project(&self) -> Result<ProjectRef, Failure> {
        let by = match &self.project {
            Some(typed) if is_folder(typed) => By::Folder(paths::absolute(typed)?),
            Some(name) => By::Name(name.clone()),
            None => By::Folder(paths::current()?),
        };
        Ok(ProjectRef { by: Some(by) })
    }

    /// The project that `--project` names, for what is of one wherever somebody is.
    pub(crate) fn named_project(&self) -> Result<Option<ProjectRef>, Failure> {
        self.project.is_some().then(|| self.project()).transpose()
    }

    /// As [`Self::project`]; `None` outside of all projects.
    pub(crate) async fn project_here(
        &self,
        daemon: &Daemon,
    ) -> Result<Option<ProjectRef>, Failure> {
        if self.project.is_some() {
            return self.project().map(Some);
        }
        let here = paths::current()?;
        let listed = daemon.project().list_projects(ListProjectsRequest {}).await?.into_inner();
        let is_inside = listed.projects.iter().any(|project| paths::contains(&project.root, &here));
        is_inside.then(|| self.project()).transpose()
    }
}

/// Names of projects have no slash.
fn is_folder(typed: &str) -> bool {
    typed.contains('/') || matches!(typed, "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn project_is_a_folder_only_when_it_looks_like_one() {
        for folder in [".", "..", "./notes", "/srv/notes", "notes/"] {
            assert!(is_folder(folder), "{folder}");
        }
        for name in ["notes", ".notes", "my notes"] {
            assert!(!is_folder(name), "{name}");
        }
    }
}
