//! What is kept until somebody wants it: queued pushes and stashed versions.

pub(super) mod queue;
pub(super) mod stash;

use mirror_engine::{EngineResult, Project};
use mirror_proto::v1::ProjectRef;

use super::host::Host;
use crate::error::RequestError;

impl Host {
    /// Has a project change what it keeps here, also one that can't be opened or is
    /// mirrored no more: nobody is asked then.
    async fn of_own<T, F>(
        &self,
        project: Option<ProjectRef>,
        change: impl FnOnce(Project) -> F + Send,
    ) -> Result<T, RequestError>
    where
        F: Future<Output = EngineResult<T>> + Send,
    {
        let name = self.name_of_any(project).await?;
        let error = match self.registry.open(&name).await {
            Ok(open) => return Ok(change(open.project.clone()).await?),
            Err(error) => error,
        };
        let aside = self.registry.keep_aside(&name).await.ok_or(error)??;
        let changed = change(aside.project.clone()).await;
        aside.close().await;
        Ok(changed?)
    }
}
