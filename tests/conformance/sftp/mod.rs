//! What only a server that speaks SFTP can be asked for.

mod cuts;
mod disks;
mod lane;
mod logins;
mod losses;
mod masters;
mod pushes;
mod shells;

use std::time::Duration;

use mirror_storage::{FaultClass, StorageError};

use self::lane::{Lane, disturbances};
use super::place::{Place, path, varied};

/// How long one call may take before it counts as hung.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits for the end of a call, and not for ever.
async fn in_time<T>(call: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, call).await.expect("the call has hung")
}

/// All that could be printed of an error, for people or for a log.
fn all_of(error: &StorageError) -> String {
    let mut said = vec![format!("{error:?}")];
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        said.push(error.to_string());
        cause = error.source();
    }
    said.join("\n")
}

#[track_caller]
fn is_of(error: &StorageError, class: FaultClass) {
    assert_eq!(error.class(), class, "{}", all_of(error));
}
