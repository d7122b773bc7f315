//! Files of the view that were moved aside to be looked at (V3).
//!
//! An aside goes only when the log has its content. Nothing is ever put back but
//! the version that was expected, where its successor could not be written.

use futures::TryStreamExt;
use mirror_core::{Digest, RelPath, Ulid};
use mirror_storage::{Expect, RemoteFile, RemotePath, StorageError};

use super::{Found, Projection, View, nanoseconds};
use crate::log::own_path;
use crate::planted::{self, Rule};
use crate::state::{Seen, SeenVersion};

/// One file that some machine moved aside.
#[derive(Clone, Debug)]
pub struct Aside {
    /// Where it stood in the view.
    pub path: RelPath,
    pub machine_id: Ulid,
    /// Its name was made when it was moved.
    pub id: Ulid,
    pub file: RemoteFile,
}

/// What lies aside once a file of the view was moved there.
pub(super) enum Lying {
    Nothing,
    /// The version that was seen in its place.
    Expected,
    News(Found),
}

impl Aside {
    /// Reads `_mirror/aside/<machine id>/<ULID>/<path>`; `None` for anything
    /// else that somebody put there.
    fn of(file: RemoteFile) -> Option<Self> {
        let mut parts = file.path.as_str().splitn(5, '/').skip(2);
        let machine_id = parts.next()?.parse().ok()?;
        let id = parts.next()?.parse().ok()?;
        let path = RelPath::new(parts.next()?).ok()?;
        Some(Self { path, machine_id, id, file })
    }
}

impl View {
    pub(super) fn aside_for(&self, path: &RelPath) -> RemotePath {
        own_path(&format!("aside/{}/{}/{path}", self.machine_id, self.outside.ulid()))
    }

    /// Every aside of every machine.
    pub async fn asides(&self) -> Result<Vec<Aside>, StorageError> {
        if !self.backend.capabilities().move_aside {
            return Ok(Vec::new());
        }
        let folder = own_path("aside");
        let files: Vec<RemoteFile> = self.backend.list(&folder).try_collect().await?;
        Ok(files.into_iter().filter_map(Aside::of).collect())
    }

    /// Looks at what was moved aside just now. An empty file is never as expected:
    /// somebody may have emptied it to write into it now.
    pub(super) async fn look_aside(
        &self,
        aside: &RemotePath,
        projection: &Projection,
        expected: SeenVersion,
    ) -> Result<Lying, StorageError> {
        let Some((digest, size)) = self.read_digest(aside).await? else {
            return Ok(Lying::Nothing);
        };
        let is_expected = digest == expected.digest && size > 0;
        if is_expected || !planted::stands(Rule::V3) {
            return Ok(Lying::Expected);
        }
        let found = self.find(aside, &projection.path, Some(expected)).await?;
        Ok(found.map_or(Lying::Nothing, Lying::News))
    }

    /// Reads what stands at `place`, a version of `path`.
    pub async fn find(
        &self,
        place: &RemotePath,
        path: &RelPath,
        base: Option<SeenVersion>,
    ) -> Result<Option<Found>, StorageError> {
        let Some(file) = self.backend.stat(place).await? else { return Ok(None) };
        let Some((digest, size)) = self.read_digest(place).await? else { return Ok(None) };
        let seen = Seen {
            digest,
            size,
            modified_ns: file.modified.map(nanoseconds),
            revision: file.revision.0,
            seq: 0,
            recorded_ns: None,
            is_own: false,
            is_narrowed: false,
        };
        Ok(Some(Found { path: path.clone(), place: place.clone(), seen, base }))
    }

    /// Whether a file is as it was found, as far as its size and time tell.
    pub async fn stands_still(&self, found: &Found) -> Result<bool, StorageError> {
        let file = self.backend.stat(&found.place).await?;
        let is_same = |file: RemoteFile| {
            file.size == found.seen.size && file.modified.map(nanoseconds) == found.seen.modified_ns
        };
        Ok(file.is_some_and(is_same))
    }

    /// Removes an aside if it still holds `digest`, which the log has.
    pub async fn drop_aside(&self, place: &RemotePath, digest: Digest) -> Result<(), StorageError> {
        match self.read_digest(place).await? {
            Some((found, _)) if found == digest => {
                self.backend.remove(place, Expect::Anything).await.map(drop)
            }
            _ => Ok(()),
        }
    }
}
