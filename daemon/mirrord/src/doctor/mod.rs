//! Tries out what the daemon depends on, and says what to do where it fails.
//!
//! Every look is bounded in time, backends are looked at side by side, and
//! nothing that is tried stays behind. What is found never changes anything.

mod about;
mod backend;
mod daemon;
mod examine;
mod finding;
mod machine;
mod project;
mod scratch;
#[cfg(test)]
mod tests;

use std::time::Duration;

use mirror_storage::StorageError;
use tokio::time::timeout;

pub(crate) use examine::Examination;
pub(crate) use finding::{Finding, Level};
pub(crate) use scratch::Flaw;

use crate::error::RequestError;

/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The cause where a look took too long.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {} seconds", PATIENCE.as_secs())]
struct NoAnswer;

/// Bounds one look in time.
async fn within<T, E>(look: impl Future<Output = Result<T, E>>) -> Result<T, RequestError>
where
    RequestError: From<E>,
{
    match timeout(PATIENCE, look).await {
        Ok(seen) => Ok(seen?),
        Err(_) => Err(StorageError::Unreachable(NoAnswer.into()).into()),
    }
}
