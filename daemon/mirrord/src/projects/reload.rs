//! Reads all configuration again.
//!
//! A file that is wrong leaves what it configures as it was, and is named. A
//! project that is stopped opens anew; one that stops again is told.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use futures::future::join_all;
use mirror_engine::{EngineError, Phase};
use mirror_storage::FaultClass;

use super::find::ProjectError;
use super::registry::{Condition, Registry, View};
use crate::config::{DaemonSettings, ProjectConfig, name_of};
use crate::error::{Explained, Refusal, RequestError};

impl Registry {
    pub(crate) async fn reload(&self) -> Result<(), RequestError> {
        let stopped = self.stopped_names();
        self.look_at_claims().await;
        let (kept, mut problems) = self.read_anew().await?;
        self.bring_all_up_to_date().await;
        let again = kept.iter().filter(|name| stopped.contains(*name));
        let looked = join_all(again.map(|name| self.look_again(name))).await;
        problems.extend(looked.into_iter().filter_map(Result::err));
        worst_of(problems)
    }

    /// Takes over what the files say. Gives the projects whose file holds, and
    /// what is wrong with the others.
    async fn read_anew(&self) -> Result<(Vec<String>, Vec<RequestError>), RequestError> {
        let _order = self.changes.lock().await;
        let files = self.project_files()?;
        let mut problems = Vec::new();
        match DaemonSettings::open(&self.folders.daemon_file(), &self.environment) {
            Ok(settings) => self.replace_settings(settings),
            Err(problem) => problems.push(problem.into()),
        }
        let mut kept = Vec::new();
        for file in &files {
            match self.reload_file(file).await {
                Ok(()) => kept.push(name_of(file)),
                Err(error) => problems.push(error),
            }
        }
        Ok((kept, problems))
    }

    async fn reload_file(&self, file: &Path) -> Result<(), RequestError> {
        let name = name_of(file);
        if self.is_reserved(&name) {
            // It is being set up, and is not taken in twice.
            return Ok(());
        }
        let known = self.slots().get(&name).and_then(|slot| slot.config.clone());
        let Some(known) = known else {
            self.take_in(&[file.to_owned()]).await;
            return match self.view(&name).and_then(|view| view.config) {
                Some(_) => Ok(()),
                None => Err(ProjectConfig::open(file)
                    .err()
                    .map_or_else(|| Refusal::Stopping.into(), Into::into)),
            };
        };
        let config = ProjectConfig::open(file)?;
        if config != known {
            let claim = self.check_claim(&config, Some(&name)).await?;
            self.replace_config(config, claim);
        } else if self.is_refused(&name) {
            // What was in its way may be gone.
            self.take_in(&[file.to_owned()]).await;
        }
        Ok(())
    }

    fn stopped_names(&self) -> BTreeSet<String> {
        let views = self.views().into_iter();
        views.filter(View::is_stopped).map(|view| view.name).collect()
    }

    /// Opens a project that is stopped anew, as nothing else ends a stop (L7).
    async fn look_again(&self, name: &str) -> Result<(), RequestError> {
        if let Some(View { open: Some(open), phase: Phase::Stopped { .. }, .. }) = self.view(name) {
            self.close_for_now(name, &open).await;
        }
        let open = self.open(name).await?;
        // Opening may do without the backend; a look at its log may not.
        match open.project.poll().await {
            Err(EngineError::Stopped { reason, hint }) => {
                let class = FaultClass::Stopped;
                Err(ProjectError::Stopped { name: name.to_owned(), reason, class, hint }.into())
            }
            // A backend that is away stops nothing.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn is_refused(&self, name: &str) -> bool {
        self.slots().get(name).is_some_and(|slot| match &slot.condition {
            Condition::Open(_) => false,
            Condition::Closed(why) => !why.passing,
        })
    }

    pub(super) async fn bring_all_up_to_date(&self) {
        let names: Vec<String> = self.slots().keys().cloned().collect();
        join_all(names.iter().map(|name| self.bring_up_to_date(name))).await;
    }

    /// Ends what runs by settings that hold no more: it opens anew when it is
    /// asked for, and the daemon's rounds take it up at once. Drops a project whose
    /// file is gone.
    pub(super) async fn bring_up_to_date(&self, name: &str) {
        let Some(slot) = self.slots().get(name).cloned() else { return };
        if is_gone(&slot.file) {
            let _turn = self.turn_of(name).await;
            self.close_in_turn(name, |_| is_gone(&slot.file)).await;
            let mut slots = self.slots_mut();
            if slots.get(name).is_some_and(|slot| is_gone(&slot.file)) {
                slots.remove(name);
            }
        } else if let Condition::Open(open) = &slot.condition
            && !self.is_up_to_date(name, open)
        {
            self.close_for_now(name, open).await;
        }
    }
}

fn is_gone(file: &Path) -> bool {
    fs::symlink_metadata(file).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// What one command found at several projects or files.
#[derive(Debug, thiserror::Error)]
#[error("{} (and {more} more)", worst.message())]
struct Several {
    worst: RequestError,
    more: usize,
}

impl Explained for Several {
    fn class(&self) -> FaultClass {
        self.worst.class()
    }

    fn hint(&self) -> Option<String> {
        Some("`mirrorctl doctor` names them all".into())
    }

    fn path(&self) -> Option<String> {
        self.worst.path()
    }

    fn is_about_backend(&self) -> bool {
        self.worst.is_about_backend()
    }
}

/// One answer for several problems: the worst, and how many more there are.
fn worst_of(mut problems: Vec<RequestError>) -> Result<(), RequestError> {
    // Of two that are as bad, the first.
    let worst = (0..problems.len()).rev().max_by_key(|at| gravity(problems[*at].class()));
    let Some(worst) = worst.map(|at| problems.swap_remove(at)) else {
        return Ok(());
    };
    match problems.len() {
        0 => Err(worst),
        more => Err(Several { worst, more }.into()),
    }
}

/// As exit codes go before each other: failed, sign-in, conflicts; a setting
/// that is wrong least of all.
fn gravity(class: FaultClass) -> u8 {
    match class {
        FaultClass::Internal => 4,
        FaultClass::Transient
        | FaultClass::Quota
        | FaultClass::Permission
        | FaultClass::Rejected
        | FaultClass::NotFound
        | FaultClass::Consent
        | FaultClass::Stopped => 3,
        FaultClass::Auth => 2,
        FaultClass::Conflict => 1,
        FaultClass::Usage => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stopped(name: &str, class: FaultClass) -> RequestError {
        ProjectError::Stopped { name: name.into(), reason: "why".into(), class, hint: None }.into()
    }

    #[test]
    fn several_problems_are_as_bad_as_the_worst_of_them() {
        let error = worst_of(vec![
            RequestError::usage("a setting"),
            stopped("locked", FaultClass::Auth),
            stopped("forked", FaultClass::Stopped),
            stopped("lost", FaultClass::NotFound),
        ]);
        let error = error.unwrap_err();
        assert_eq!(error.class(), FaultClass::Stopped);
        assert!(error.message().contains("\"forked\""), "{}", error.message());
        assert!(error.message().contains("(and 3 more)"), "{}", error.message());
    }

    #[test]
    fn single_problem_is_told_as_it_is() {
        let error = worst_of(vec![RequestError::usage("a setting")]).unwrap_err();
        assert_eq!(error.message(), "a setting");
        assert!(worst_of(Vec::new()).is_ok());
    }
}
