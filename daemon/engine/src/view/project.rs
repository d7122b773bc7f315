//! Bringing single files of the view to the head's version (V2, V3).

use std::time::{SystemTime, UNIX_EPOCH};

use futures::StreamExt;
use mirror_core::digest::Hasher;
use mirror_core::{Digest, Entry, RelPath};
use mirror_storage::{
    Body, ByteRange, Expect, Guarded, RemoteFile, RemotePath, Revision, StorageError,
};

use super::{Projection, View};
use crate::log::own_path;
use crate::state::Seen;

/// How one path of the view came out.
#[derive(Debug)]
pub enum Projected {
    /// The view shows the version; `seen` is what was seen of it, `aside`
    /// where content that the log has never seen is kept.
    Shown {
        path: RelPath,
        seen: Option<Seen>,
        aside: Option<String>,
    },
    /// Content that the log has never seen stands there, and stays.
    Foreign(RelPath),
    Failed {
        path: RelPath,
        error: StorageError,
    },
}

/// What stands in the view, against what may be replaced there.
enum Standing {
    Nothing,
    /// Already as desired.
    Desired(RemoteFile),
    /// Known content: it may be replaced.
    Replaceable(RemoteFile),
    Foreign,
}

/// How making room for a file ended.
enum Cleared {
    Room,
    /// What came out is news to the log and is kept there.
    Kept(String),
    /// Something else stands there and can't be moved.
    Taken,
}

impl View {
    /// Brings one path to its projection. `body` is the desired content; it is
    /// asked for only when there is something to write.
    pub async fn project(
        &self,
        projection: &Projection,
        seen: Option<&Seen>,
        body: Option<Body>,
    ) -> Projected {
        let path = projection.path.clone();
        match self.bring(projection, seen, body).await {
            Ok(projected) => projected,
            Err(error) => Projected::Failed { path, error },
        }
    }

    async fn bring(
        &self,
        projection: &Projection,
        seen: Option<&Seen>,
        body: Option<Body>,
    ) -> Result<Projected, StorageError> {
        let place = RemotePath::from(&projection.path);
        let path = projection.path.clone();
        match self.look(&place, projection, seen).await? {
            Standing::Foreign => Ok(Projected::Foreign(path)),
            Standing::Desired(file) => {
                Ok(Projected::Shown { path, seen: seen_of(&file, projection), aside: None })
            }
            Standing::Nothing => self.create(&place, projection, body, None).await,
            Standing::Replaceable(file) => match self.clear(&place, &file, projection, seen).await?
            {
                Cleared::Room => self.create(&place, projection, body, None).await,
                Cleared::Kept(aside) => self.create(&place, projection, body, Some(aside)).await,
                Cleared::Taken => Ok(Projected::Foreign(path)),
            },
        }
    }

    /// Tells what stands at a path, reading it only when its size and time
    /// can't prove it.
    async fn look(
        &self,
        place: &RemotePath,
        projection: &Projection,
        seen: Option<&Seen>,
    ) -> Result<Standing, StorageError> {
        // A new file of the head: creating it exclusively is look enough.
        if seen.is_none() && projection.known.is_empty() && projection.desired.is_some() {
            return Ok(Standing::Nothing);
        }
        let Some(file) = self.backend.stat(place).await? else { return Ok(Standing::Nothing) };
        let Some(digest) = self.digest_of(&file, seen).await? else { return Ok(Standing::Nothing) };
        Ok(judge(digest, file, projection, seen))
    }

    async fn create(
        &self,
        place: &RemotePath,
        projection: &Projection,
        body: Option<Body>,
        aside: Option<String>,
    ) -> Result<Projected, StorageError> {
        let path = projection.path.clone();
        let (Some(desired), Some(body)) = (&projection.desired, body) else {
            return Ok(Projected::Shown { path, seen: None, aside });
        };
        if let Guarded::Done(revision) = self.backend.write(place, body, Expect::Absent).await? {
            return Ok(Projected::Shown {
                path,
                seen: Some(written(&revision, desired, projection.seq)),
                aside,
            });
        }
        // Somebody else was first: fine if they wrote the same.
        let Some(file) = self.backend.stat(place).await? else {
            return Ok(Projected::Foreign(path));
        };
        if self.read_digest(place).await? == Some(desired.sha256) {
            return Ok(Projected::Shown { path, seen: seen_of(&file, projection), aside });
        }
        Ok(Projected::Foreign(path))
    }

    /// Makes room: what is there is moved aside, looked at, and dropped only
    /// if it is what was seen (V3). With compare-and-swap the removal itself
    /// is the check.
    async fn clear(
        &self,
        place: &RemotePath,
        file: &RemoteFile,
        projection: &Projection,
        seen: Option<&Seen>,
    ) -> Result<Cleared, StorageError> {
        if self.backend.capabilities().swap {
            let expect = Expect::At(file.revision.clone());
            return Ok(match self.backend.remove(place, expect).await? {
                Guarded::Done(()) => Cleared::Room,
                Guarded::Refused => Cleared::Taken,
            });
        }
        let Some(mover) = self.backend.move_aside() else { return Ok(Cleared::Taken) };
        let aside = self.aside_for(&projection.path);
        match mover.rename(place, &aside).await? {
            Guarded::Done(()) => {}
            // Gone meanwhile: then there is room.
            Guarded::Refused => return Ok(Cleared::Room),
        }
        let kept = self.settle_aside(&aside, projection, seen).await?;
        Ok(if kept { Cleared::Kept(aside.as_str().to_owned()) } else { Cleared::Room })
    }

    /// Drops an aside whose content is known; says whether it had to be kept.
    async fn settle_aside(
        &self,
        aside: &RemotePath,
        projection: &Projection,
        seen: Option<&Seen>,
    ) -> Result<bool, StorageError> {
        let Some(digest) = self.read_digest(aside).await? else { return Ok(false) };
        let desired = projection.desired.as_ref().map(|entry| entry.sha256);
        let known = desired == Some(digest)
            || projection.known.contains(&digest)
            || seen.is_some_and(|seen| seen.digest == digest);
        if known {
            self.backend.remove(aside, Expect::Anything).await?;
        }
        Ok(!known)
    }

    /// `_mirror/aside/<machine id>/<ULID>/<path>`.
    fn aside_for(&self, path: &RelPath) -> RemotePath {
        own_path(&format!("aside/{}/{}/{path}", self.machine_id, self.outside.ulid()))
    }

    pub(super) async fn digest_of(
        &self,
        file: &RemoteFile,
        seen: Option<&Seen>,
    ) -> Result<Option<Digest>, StorageError> {
        match seen {
            Some(seen) if self.is_as_seen(file, seen) => Ok(Some(seen.digest)),
            _ => self.read_digest(&file.path).await,
        }
    }

    /// Whether a file needs no reading to be known (V2).
    fn is_as_seen(&self, file: &RemoteFile, seen: &Seen) -> bool {
        if self.backend.capabilities().swap {
            return file.revision.0 == seen.revision;
        }
        seen.proves_by_time()
            && file.size == seen.size
            && file.modified.map(nanoseconds) == seen.modified_ns
    }

    async fn read_digest(&self, path: &RemotePath) -> Result<Option<Digest>, StorageError> {
        let Some(mut stream) = self.backend.read(path, ByteRange::ALL).await? else {
            return Ok(None);
        };
        let mut hasher = Hasher::new();
        while let Some(piece) = stream.next().await {
            hasher.update(&piece?);
        }
        Ok(Some(hasher.finish()))
    }
}

/// Says what the content of a file in the view means.
fn judge(
    digest: Digest,
    file: RemoteFile,
    projection: &Projection,
    seen: Option<&Seen>,
) -> Standing {
    let desired = projection.desired.as_ref().map(|entry| entry.sha256);
    if desired == Some(digest) {
        Standing::Desired(file)
    } else if seen.is_some_and(|seen| seen.digest == digest) || projection.known.contains(&digest) {
        Standing::Replaceable(file)
    } else {
        Standing::Foreign
    }
}

/// What is known of a file just written: its time is too fresh to prove
/// anything, so it isn't asked for.
fn written(revision: &Revision, entry: &Entry, seq: u64) -> Seen {
    Seen {
        digest: entry.sha256,
        size: entry.size,
        modified_ns: None,
        revision: revision.0.clone(),
        seq,
        recorded_ns: None,
    }
}

/// What is known of a file that was there, and was read or proved.
fn seen_of(file: &RemoteFile, projection: &Projection) -> Option<Seen> {
    let modified_ns = file.modified.map(nanoseconds);
    projection.desired.as_ref().map(|entry| Seen {
        digest: entry.sha256,
        size: file.size,
        modified_ns,
        revision: file.revision.0.clone(),
        seq: projection.seq,
        recorded_ns: None,
    })
}

pub(super) fn nanoseconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |ns| -ns),
    }
}
