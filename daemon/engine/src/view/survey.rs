//! Looking at the whole view: what stands at each path, by its content.

use std::collections::BTreeMap;

use futures::{FutureExt, StreamExt, TryStreamExt};
use mirror_core::{Digest, RelPath};
use mirror_storage::{RemoteFile, RemotePath, StorageError};

use super::View;
use super::project::nanoseconds;
use crate::state::Seen;

/// One file of the view, with what this machine will know it by.
#[derive(Clone, Debug)]
pub struct Sight {
    pub digest: Digest,
    pub seen: Seen,
}

impl View {
    /// Lists the view and tells each file's content. A file is read only when
    /// neither its revision nor its size and time prove what it is (V2).
    pub async fn survey(
        &self,
        known: &BTreeMap<RelPath, Seen>,
    ) -> Result<BTreeMap<RelPath, Sight>, StorageError> {
        let files: Vec<RemoteFile> = self.backend.list(&RemotePath::ROOT).try_collect().await?;
        // No file is younger than the service's clock: a time that it has
        // surely passed, whatever our own clock says.
        let service_ns = files.iter().filter_map(|file| file.modified).map(nanoseconds).max();
        let looks: Vec<_> = files
            .into_iter()
            .filter_map(|file| Some((RelPath::new(file.path.as_str()).ok()?, file)))
            .map(|(path, file)| {
                let seen = known.get(&path).cloned();
                self.sight(path, file, seen, service_ns).boxed()
            })
            .collect();
        let parallel = self.backend.capabilities().parallel.max(1);
        let sights: Vec<_> =
            futures::stream::iter(looks).buffer_unordered(parallel).try_collect().await?;
        Ok(sights.into_iter().flatten().collect())
    }

    /// `None` when the file is gone by the time it is read.
    async fn sight(
        &self,
        path: RelPath,
        file: RemoteFile,
        seen: Option<Seen>,
        service_ns: Option<i64>,
    ) -> Result<Option<(RelPath, Sight)>, StorageError> {
        let Some(digest) = self.digest_of(&file, seen.as_ref()).await? else { return Ok(None) };
        let seen = Seen {
            digest,
            size: file.size,
            modified_ns: file.modified.map(nanoseconds),
            revision: file.revision.0,
            seq: seen.map_or(0, |seen| seen.seq),
            recorded_ns: service_ns,
        };
        Ok(Some((path, Sight { digest, seen })))
    }
}
