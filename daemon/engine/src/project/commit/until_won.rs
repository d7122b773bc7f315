//! One commit, on top of whoever is faster.
//!
//! Everybody who commits says what the commit is to be, anew for every head;
//! the loop around it is here, once.

use async_trait::async_trait;
use mirror_core::RelPath;

use super::append::{CommitOutcome, CommitProgress};
use super::draft::Draft;
use crate::api::EngineResult;
use crate::error::EngineError;
use crate::project::worker::outcome::FileOutcome;
use crate::project::worker::reporter::Reporter;
use crate::project::worker::{MOST_ROUNDS, Worker};

/// What commits: a push, a deletion, an import, a decision.
#[async_trait]
pub(crate) trait Drafter: Send {
    /// Says what the next commit is to be on top of the head as it was read;
    /// `None` when nothing is left to commit. [`EngineError::Stale`] asks for a
    /// newer head.
    async fn draft(
        &mut self,
        worker: &mut Worker,
        reporter: &mut Reporter,
    ) -> EngineResult<Option<Draft>>;

    /// Hears of files that were no longer as the draft had them, or could not
    /// be read; then it is asked for another draft.
    async fn changed(
        &mut self,
        worker: &mut Worker,
        paths: Vec<(RelPath, Option<EngineError>)>,
        reporter: &mut Reporter,
    ) -> EngineResult<()>;
}

/// Commits what `drafter` says, however many others commit meanwhile. `None`:
/// it had nothing to commit.
pub(crate) async fn until_won(
    worker: &mut Worker,
    reporter: &mut Reporter,
    drafter: &mut dyn Drafter,
) -> EngineResult<Option<Vec<FileOutcome>>> {
    let mut progress = CommitProgress::default();
    for _ in 0..MOST_ROUNDS {
        worker.refuse_when_cancelled()?;
        let draft = match drafter.draft(worker, reporter).await {
            Err(EngineError::Stale) => {
                worker.catch_up().await?;
                continue;
            }
            draft => draft?,
        };
        let Some(draft) = draft else { return Ok(None) };
        worker.refuse_when_cancelled()?;
        match worker.try_commit(&draft, &mut progress, reporter).await? {
            CommitOutcome::Won(files) => return Ok(Some(files)),
            CommitOutcome::Lost => {
                worker.catch_up().await?;
            }
            CommitOutcome::Changed(paths) => drafter.changed(worker, paths, reporter).await?,
        }
    }
    Err(EngineError::Internal("the head moved on at every try".to_owned()))
}
