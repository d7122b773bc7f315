//! One backend, step by step: in, at the root, at what it holds, and writing.
//!
//! Each step stands on those before it, so the first that fails is the last.

use std::time::SystemTime;

use mirror_core::Digest;
use mirror_engine::log::{another_project, nothing_there};
use mirror_engine::{Holding, inspect};
use mirror_storage::adapter::SftpFeatures;

use super::write_probe;
use super::{Finding, let_in, within};
use crate::backends::{RootError, Service};
use crate::error::RequestError;
use crate::projects::{Registry, given};
use crate::url::BackendUrl;

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
            Ok((self.backends.open(&url, &config.ssh).service, url))
        });
        match understood {
            Err(error) => {
                let findings = vec![Finding::of_error("settings", &error)];
                Trial { findings, ..Trial::default() }
            }
            Ok((service, url)) => try_out(&service, url, Expected::Anything).await,
        }
    }
}

/// Takes every step that can be taken.
pub(super) async fn try_out(service: &Service, url: BackendUrl, expected: Expected) -> Trial {
    let mut trial = Trial { url: Some(url.clone()), ..Trial::default() };
    let place = url.to_string();
    let mut steps = Steps { service, place: &place, expected, trial: &mut trial };
    if let Err(error) = steps.take().await {
        trial.findings.push(Finding::of_error(place, &error));
    }
    trial
}

struct Steps<'a> {
    service: &'a Service,
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
        let service = self.service.clone();
        let_in(async move { service.greet().await }).await?;
        if self.service.is_remote() {
            self.ok("the server is the one that is known here, and lets us in");
        }
        Ok(())
    }

    async fn look_at_root(&mut self) -> Result<bool, RequestError> {
        let at_url = |cause| RequestError::Root { url: self.place.to_owned(), cause };
        let look = async { self.service.has_root().await.map_err(at_url) };
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
        let adapter = self.service.adapter();
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
            within(write_probe::tried(self.service.clone(), self.place.to_owned(), after)).await?;
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
        if let Some(features) = within(self.service.features()).await? {
            let place = self.place;
            self.trial.findings.extend(about(features).map(|about| about.at(place)));
        }
        Ok(())
    }
}

/// What a feature of a server, or its absence, means.
struct About {
    what: &'static str,
    fix: Option<&'static str>,
}

impl About {
    fn at(&self, place: &str) -> Finding {
        match self.fix {
            None => Finding::ok(place, self.what),
            Some(fix) => Finding::warn(place, self.what, fix),
        }
    }
}

const NEWER: &str = "use OpenSSH 6.5 or newer on the server where you can";

fn about(features: SftpFeatures) -> impl Iterator<Item = About> {
    let fsync = if features.fsync {
        About { what: "the server flushes what it stores to its disk", fix: None }
    } else {
        let what = "the server can't flush to its disk: a power cut there can cost the last pushes";
        About { what, fix: Some(NEWER) }
    };
    let hardlink = if features.hardlink {
        About { what: "commits are created by hard link", fix: None }
    } else {
        About { what: "the server has no hard links: commits are created as folders", fix: None }
    };
    let posix_rename = (!features.posix_rename).then_some(About {
        what: "the server can't replace a file by rename: a reader can miss it for a moment",
        fix: Some(NEWER),
    });
    [fsync, hardlink].into_iter().chain(posix_rename)
}

/// Seconds between the time at which we wrote and the one that a file got.
fn apart(wrote: SystemTime, got: SystemTime) -> Option<u64> {
    let apart = got.duration_since(wrote).or_else(|early| Ok::<_, ()>(early.duration())).ok()?;
    Some(apart.as_secs())
}
