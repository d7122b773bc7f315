//! Tries out what the daemon depends on, and says what to do where it fails.
//!
//! Every look is bounded in time, backends are looked at side by side, and
//! nothing that is tried stays behind. What is found never changes anything.

mod backend;
mod daemon;
mod machine;
mod project;
mod run;
#[cfg(test)]
mod tests;
mod write_probe;

use std::time::Duration;

use mirror_storage::FaultClass;
use tokio::time::timeout;

pub(crate) use run::Examination;

use crate::error::{Explained, Refusal, RequestError};

/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long signing in may take: more than a connection allows itself, which
/// says better why it came to nothing.
const PATIENCE_AT_THE_DOOR: Duration = Duration::from_mins(1);

/// A look that took too long.
#[derive(Debug, thiserror::Error)]
#[error("storage is unreachable: no answer within {} seconds", .0.as_secs())]
struct NoAnswer(Duration);

impl Explained for NoAnswer {
    fn class(&self) -> FaultClass {
        FaultClass::Transient
    }

    fn hint(&self) -> Option<String> {
        Some("check that the backend is there, then run it again".to_owned())
    }

    fn about(&self) -> Option<&'static str> {
        Some("host")
    }

    fn is_about_backend(&self) -> bool {
        true
    }
}

/// Bounds one look in time.
async fn within<T, E>(look: impl Future<Output = Result<T, E>>) -> Result<T, RequestError>
where
    RequestError: From<E>,
{
    match timeout(PATIENCE, look).await {
        Ok(seen) => Ok(seen?),
        Err(_) => Err(NoAnswer(PATIENCE).into()),
    }
}

/// Lets a server take its time to let us in. A task: a login that is under way
/// goes on when nobody waits for it any more.
async fn let_in<T, E>(
    greeting: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, RequestError>
where
    T: Send + 'static,
    E: Send + 'static,
    RequestError: From<E>,
{
    match timeout(PATIENCE_AT_THE_DOOR, tokio::spawn(greeting)).await {
        Ok(Ok(outcome)) => Ok(outcome?),
        Ok(Err(_)) => Err(Refusal::Panicked.into()),
        Err(_) => Err(NoAnswer(PATIENCE_AT_THE_DOOR).into()),
    }
}
