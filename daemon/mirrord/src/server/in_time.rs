//! Answers about how things stand come within two seconds, whatever a server does:
//! what is known by then, with what is wrong.

use std::time::Duration;

use mirror_engine::ProjectFault;
use tokio::time::{Instant, timeout};

use super::host::Host;
use crate::error::{Refusal, RequestError};
use crate::projects::{Open, View};

/// How long a backend is waited for, by the opening of its project and by a look at
/// its head together. What is left of the two seconds is for this machine's own files,
/// and for who asks.
const PATIENCE: Duration = Duration::from_millis(1_600);

/// A look gets so long whatever the opening took.
const LEAST: Duration = Duration::from_millis(300);

/// How long a project may be opened or closed: a server is not waited for that long,
/// so it is a disk that hangs.
const OPENING: Duration = Duration::from_secs(20);

/// Who can say how a project stands.
pub(super) enum Teller {
    /// It runs; its backend may be waited for so long.
    Open(Box<Open>, Duration),
    /// It can't be opened, or not in time: what is wrong is in the view.
    Closed { view: Box<View>, error: RequestError },
}

impl Host {
    pub(super) async fn teller(&self, name: &str) -> Result<Teller, RequestError> {
        let asked = Instant::now();
        let (registry, opened) = (self.registry.clone(), name.to_owned());
        // A task: it opens the project even when nobody waits any more.
        let opening = tokio::spawn(async move { registry.open(&opened).await });
        let error = match timeout(OPENING, opening).await {
            Ok(Ok(Ok(open))) => {
                // Only a server was waited for; a disk takes what it takes.
                let spent = if open.account.is_remote() { asked.elapsed() } else { Duration::ZERO };
                let patience = PATIENCE.saturating_sub(spent).max(LEAST);
                return Ok(Teller::Open(Box::new(open), patience));
            }
            Ok(Ok(Err(error))) => error,
            Ok(Err(_)) => Refusal::Panicked.into(),
            Err(_) => Refusal::NotYet.into(),
        };
        let Some(view) = self.registry.view(name) else { return Err(error) };
        let fault = view.fault.clone().unwrap_or_else(|| fault_of(&error));
        let view = Box::new(View { fault: Some(fault), ..view });
        Ok(Teller::Closed { view, error })
    }
}

fn fault_of(error: &RequestError) -> ProjectFault {
    ProjectFault {
        class: error.class(),
        message: error.message(),
        hint: error.hint(),
        of_backend: error.is_about_backend(),
    }
}
