//! Tries out what the daemon depends on, and says what to do where it fails.
//!
//! Every look is bounded in time, backends are looked at side by side, and
//! nothing that is tried stays behind. What is found never changes anything.

mod backend;
mod culprit;
mod daemon;
mod finding;
mod machine;
mod project;
mod run;
#[cfg(test)]
mod tests;
mod write_probe;

use std::time::Duration;

use mirror_storage::{Cause, StorageError};
use tokio::time::timeout;

pub(crate) use finding::{Finding, Level};
pub(crate) use run::Examination;
pub(crate) use write_probe::Flaw;

use crate::error::RequestError;

/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long signing in may take: more than a connection allows itself, which
/// says better why it came to nothing.
const PATIENCE_AT_THE_DOOR: Duration = Duration::from_mins(1);

/// The cause where a look took too long.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {} seconds", .0.as_secs())]
struct NoAnswer(Duration);

/// Bounds one look in time.
async fn within<T, E>(look: impl Future<Output = Result<T, E>>) -> Result<T, RequestError>
where
    RequestError: From<E>,
{
    match timeout(PATIENCE, look).await {
        Ok(seen) => Ok(seen?),
        Err(_) => Err(no_answer(PATIENCE)),
    }
}

/// Lets a server take its time to let us in. A task: a login that is under way
/// goes on when nobody waits for it any more.
async fn let_in<E>(
    greeting: impl Future<Output = Result<(), E>> + Send + 'static,
) -> Result<(), RequestError>
where
    E: Send + 'static,
    RequestError: From<E>,
{
    match timeout(PATIENCE_AT_THE_DOOR, tokio::spawn(greeting)).await {
        Ok(Ok(outcome)) => Ok(outcome?),
        Ok(Err(_)) => Err(RequestError::Panicked),
        Err(_) => Err(no_answer(PATIENCE_AT_THE_DOOR)),
    }
}

fn no_answer(patience: Duration) -> RequestError {
    let cause = Cause::from(NoAnswer(patience)).concerning("host");
    StorageError::Unreachable(cause).into()
}
