//! One backend, step by step: in, at the root, at what it holds, and writing.
//!
//! Each step stands on those before it, so the first that fails is the last.

use std::sync::Arc;
use std::time::SystemTime;

use mirror_core::Digest;
use mirror_engine::log::{another_project, nothing_there};
use mirror_engine::{Holding, inspect};

use super::write_probe;
use super::{let_in, within};
use crate::error::RequestError;
use crate::finding::Finding;
use crate::projects::{Registry, given};
use crate::services::{Account, BackendUrl, RootError};

/// Clocks that differ by more than this puzzle whoever reads `log`.
const CLOCKS_APART_SECONDS: u64 = 120;

/// How a backend was found.
#[derive(Debug, Default)]
pub(crate) struct Trial {
    pub(crate) findings: Vec<Finding>,
    /// As the daemon reads it; `None` where it doesn't.
    pub(crate) url: Option<BackendUrl>,
    /// The name of the project that is there.
    pub(crate) project: Option<String>,
}

/// What should be at a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// Whatever it is. A root that is missing can still be made: that is tried,
    /// and it is taken away again.
    Anything,
    /// A project, which is this one where that can be told. Where none is, a
    /// disk is not mounted, most likely.
    Project(Option<Digest>),
}

impl Registry {
    /// Tries a backend that no project uses yet.
    pub(crate) async fn try_backend(&self, url: &str, settings: &[(String, String)]) -> Trial {
        let understood = BackendUrl::parse(url).map_err(RequestError::from).and_then(|url| {
            let config = given(&url, settings)?;
            Ok((self.backends.account(&url, &config.settings), url))
        });
        match understood {
            Err(error) => {
                let findings = vec![Finding::of_error("settings", &error)];
                Trial { findings, ..Trial::default() }
            }
            Ok((account, url)) => try_out(&account, url, Expected::Anything).await,
        }
    }
}

/// Takes every step that can be taken.
pub(super) async fn try_out(
    account: &Arc<dyn Account>,
    url: BackendUrl,
    expected: Expected,
) -> Trial {
    let mut trial = Trial { url: Some(url.clone()), ..Trial::default() };
    let place = url.to_string();
    let mut steps = Steps { account, place: &place, expected, trial: &mut trial };
    if let Err(error) = steps.take().await {
        trial.findings.push(Finding::of_error(place, &error));
    }
    trial
}

struct Steps<'a> {
    account: &'a Arc<dyn Account>,
    place: &'a str,
    expected: Expected,
    trial: &'a mut Trial,
}

impl Steps<'_> {
    async fn take(&mut self) -> Result<(), RequestError> {
        self.sign_in().await?;
        let is_there = self.look_at_root().await?;
        if is_there {
            self.look_at_what_it_holds().await?;
        }
        self.write(is_there).await?;
        self.look_at_features().await
    }

    fn ok(&mut self, what: impl Into<String>) {
        self.trial.findings.push(Finding::ok(self.place, what));
    }

    async fn sign_in(&mut self) -> Result<(), RequestError> {
        let account = self.account.clone();
        let_in(async move { account.connect().await }).await?;
        if self.account.is_remote() {
            self.ok("the server is the one that is known here, and lets us in");
        }
        Ok(())
    }

    async fn look_at_root(&mut self) -> Result<bool, RequestError> {
        let at_url = |error: RootError| error.at(&self.place);
        let look = async { self.account.root().await.map_err(at_url) };
        let is_there = within(look).await?;
        match (is_there, self.expected) {
            (true, _) => self.ok("the folder is there"),
            (false, Expected::Anything) => {
                self.ok("the folder is not there yet, and the one above it is");
            }
            (false, Expected::Project(_)) => return Err(at_url(RootError::Missing)),
        }
        Ok(is_there)
    }

    async fn look_at_what_it_holds(&mut self) -> Result<(), RequestError> {
        let adapter = self.account.adapter();
        match (within(inspect(adapter.as_ref())).await?, self.expected) {
            (Holding::Empty | Holding::PlainFiles, Expected::Project(_)) => {
                return Err(nothing_there(self.place).into());
            }
            (Holding::Project { project_id, .. }, Expected::Project(Some(ours)))
                if project_id != ours =>
            {
                return Err(another_project().into());
            }
            (Holding::Empty, Expected::Anything) => self.ok("it is empty"),
            (Holding::PlainFiles, Expected::Anything) => self.ok("it holds files, and no project"),
            (Holding::Project { settings, .. }, _) => {
                self.ok(format!("it holds the project {:?}", settings.name));
                self.trial.project = Some(settings.name);
            }
        }
        Ok(())
    }

    async fn write(&mut self, is_there: bool) -> Result<(), RequestError> {
        let after = if !is_there {
            write_probe::Traces::Root
        } else if self.trial.project.is_none() {
            write_probe::Traces::OwnFolder
        } else {
            write_probe::Traces::File
        };
        let before = SystemTime::now();
        let written =
            within(write_probe::tried(self.account.clone(), self.place.to_owned(), after)).await?;
        self.ok("files can be created, once each, and read, renamed and removed");
        if let Some(apart) = written.and_then(|time| apart(before, time))
            && apart > CLOCKS_APART_SECONDS
        {
            self.trial.findings.push(Finding::warn(
                self.place,
                format!("its clock and this machine's are {apart} seconds apart"),
                "set both by a time server; nothing but the times that people read depends on it",
            ));
        }
        Ok(())
    }

    async fn look_at_features(&mut self) -> Result<(), RequestError> {
        let found = within(self.account.findings(self.place)).await?;
        self.trial.findings.extend(found);
        Ok(())
    }
}

/// Seconds between the time at which we wrote and the one that a file got.
fn apart(wrote: SystemTime, got: SystemTime) -> Option<u64> {
    let apart = got.duration_since(wrote).or_else(|early| Ok::<_, ()>(early.duration())).ok()?;
    Some(apart.as_secs())
}
