//! The versions of one file, told to people.

use mirror_core::Timestamp;

use crate::api::{EngineResult, FileVersion, VersionName};
use crate::packs::Content;
use crate::project::versions::{Listing, path_of};
use crate::project::worker::Worker;

impl Worker {
    /// Newest first; both bounds are inclusive.
    pub(crate) async fn versions(
        &mut self,
        name: &str,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> EngineResult<Vec<FileVersion>> {
        let Listing { versions, ended } = self.versions_of(&path_of(name)?).await?;
        ended?;
        let told = versions.into_iter().map(|version| version.told);
        let in_time = |version: &FileVersion| {
            since.is_none_or(|since| since <= version.time)
                && until.is_none_or(|until| version.time <= until)
        };
        Ok(told.filter(in_time).collect())
    }

    /// One of them with its content, whole and verified.
    pub(crate) async fn version_content(
        &mut self,
        name: &str,
        version: &VersionName,
    ) -> EngineResult<(FileVersion, Content)> {
        let chosen = self.version(&path_of(name)?, version).await?;
        Ok((chosen.told, chosen.content))
    }
}
