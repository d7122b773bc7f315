//! Bringing single files of the view to the head's version (V2, V3).

use futures::future::join;
use mirror_core::{Digest, Entry, RelPath};
use mirror_storage::{
    Attributes, Body, Capabilities, Expect, Guarded, NewFile, RemoteFile, RemotePath, Revision,
    StorageError, Stored,
};

use super::asides::Lying;
use super::{Found, Meaning, Projection, View, nanoseconds};
use crate::state::{Seen, SeenVersion};

/// How often one file is looked at again because something else changed it
/// between the look and the write.
const LOOKS: usize = 4;

/// How one path of the view came out, and what was moved aside on the way that
/// may be news to the log.
#[derive(Debug)]
pub struct Projected {
    pub path: RelPath,
    pub outcome: Outcome,
    pub asides: Vec<Found>,
}

#[derive(Debug)]
pub enum Outcome {
    /// The view shows the version; `seen` is what was seen of it.
    Shown {
        seen: Option<Seen>,
        reverted: bool,
    },
    /// Something stands there that may be news to the log; it was left.
    News(Found),
    /// It changed at every look, or can't be replaced safely here.
    Restless,
    Failed(StorageError),
}

/// What stands in the view, against what may be replaced there.
enum Standing {
    Nothing,
    Shown(RemoteFile),
    /// Known content: it may be replaced.
    Replaceable(RemoteFile, SeenVersion, Meaning),
    News(Found),
}

/// How an attempt to write one file ended.
enum Written {
    Done(Option<Seen>),
    /// Somebody was faster: look again.
    Overtaken,
}

impl View {
    /// Brings one path to its projection. `body` is the desired content.
    pub async fn project(
        &self,
        projection: &Projection,
        seen: Option<&Seen>,
        body: Option<&Body>,
    ) -> Projected {
        let mut asides = Vec::new();
        let brought = self.bring(projection, seen, body, &mut asides).await;
        let outcome = brought.unwrap_or_else(Outcome::Failed);
        Projected { path: projection.path.clone(), outcome, asides }
    }

    async fn bring(
        &self,
        projection: &Projection,
        seen: Option<&Seen>,
        body: Option<&Body>,
        asides: &mut Vec<Found>,
    ) -> Result<Outcome, StorageError> {
        let mut reverted = false;
        // Nobody can have seen it here: creating it exclusively is look enough.
        let mut is_new = seen.is_none() && projection.is_new();
        for _ in 0..LOOKS {
            let standing = match std::mem::take(&mut is_new) {
                true => Standing::Nothing,
                false => self.look(projection, seen).await?,
            };
            let written = match standing {
                Standing::News(found) => return Ok(Outcome::News(found)),
                Standing::Shown(file) => Written::Done(seen_of(&file, projection, seen)),
                Standing::Nothing => self.create(projection, body, None).await?,
                Standing::Replaceable(file, version, meaning) => {
                    reverted |= meaning == Meaning::Reverted;
                    let wanted = (projection, body);
                    match self.replace(wanted, &file, version, asides).await? {
                        Some(written) => written,
                        None => return Ok(Outcome::Restless),
                    }
                }
            };
            if let Written::Done(seen) = written {
                return Ok(Outcome::Shown { seen, reverted });
            }
        }
        Ok(Outcome::Restless)
    }

    /// Tells what stands at a path, reading it only when what was last seen
    /// can't prove it.
    async fn look(
        &self,
        projection: &Projection,
        seen: Option<&Seen>,
    ) -> Result<Standing, StorageError> {
        let place = RemotePath::from(&projection.path);
        let Some(file) = self.backend.stat(&place).await? else { return Ok(Standing::Nothing) };
        let digest = match self.guess(&file, projection, seen) {
            Some(digest) => digest,
            None => match self.digest_of(&file, seen).await? {
                Some(digest) => digest,
                None => return Ok(Standing::Nothing),
            },
        };
        let meaning = Meaning::of(digest, projection, seen);
        let news = match meaning {
            Meaning::Shown if is_to_be_narrowed(&file, projection, seen) => {
                let version = SeenVersion { digest, seq: projection.seq };
                return Ok(Standing::Replaceable(file, version, Meaning::Stale));
            }
            Meaning::Shown => return Ok(Standing::Shown(file)),
            Meaning::Unknown => true,
            Meaning::Stale => false,
            Meaning::Reverted => self.takes_reverts(),
        };
        let seq = projection.known.get(&digest).copied().flatten();
        let seq = seq.or(seen.map(|seen| seen.seq)).unwrap_or_default();
        if !news {
            return Ok(Standing::Replaceable(file, SeenVersion { digest, seq }, meaning));
        }
        let seen_now = Seen {
            digest,
            size: file.size,
            modified_ns: file.modified.map(nanoseconds),
            revision: file.revision.0,
            seq,
            recorded_ns: None,
            is_own: false,
            is_narrowed: false,
        };
        let base = seen.map(Seen::version);
        Ok(Standing::News(Found { path: projection.path.clone(), place, seen: seen_now, base }))
    }

    /// What a file is taken for by a revision that proves nothing, where a wrong
    /// guess costs nothing: it goes aside next, and there its bytes decide (V3).
    fn guess(
        &self,
        file: &RemoteFile,
        projection: &Projection,
        seen: Option<&Seen>,
    ) -> Option<Digest> {
        let Capabilities { swap, move_aside, .. } = self.backend.capabilities();
        let seen = seen.filter(|seen| seen.revision == file.revision.0)?;
        let is_replaced =
            projection.desired.as_ref().is_none_or(|desired| desired.sha256 != seen.digest);
        (move_aside && !swap && is_replaced).then_some(seen.digest)
    }

    /// Whether an older version that a person put back is told apart from a
    /// late projection: only where revisions are compared (V4).
    pub fn takes_reverts(&self) -> bool {
        self.backend.capabilities().swap
    }

    /// Makes a file where nothing stands; one that stood there and made way hands
    /// its rights on.
    async fn create(
        &self,
        projection: &Projection,
        body: Option<&Body>,
        replaced: Option<&RemotePath>,
    ) -> Result<Written, StorageError> {
        let (Some(desired), Some(body)) = (&projection.desired, body) else {
            return Ok(Written::Done(None));
        };
        let place = RemotePath::from(&projection.path);
        let file =
            NewFile { rights_of: replaced.cloned(), ..new_file(place, Expect::Absent, desired) };
        let created = self.store(&file, body).await?;
        Ok(match created {
            Guarded::Done(revision) => {
                Written::Done(Some(written(&revision, desired, projection.seq)))
            }
            Guarded::Refused => Written::Overtaken,
        })
    }

    /// Replaces known content, by revision where those are compared. Elsewhere
    /// what is there is moved aside, looked at, and dropped only if it is what
    /// was seen (V3). `None` where the service can do neither.
    async fn replace(
        &self,
        (projection, body): (&Projection, Option<&Body>),
        file: &RemoteFile,
        standing: SeenVersion,
        asides: &mut Vec<Found>,
    ) -> Result<Option<Written>, StorageError> {
        if self.backend.capabilities().swap {
            return self.swap(projection, body, file).await.map(Some);
        }
        let Some(mover) = self.backend.move_aside() else { return Ok(None) };
        let aside = self.aside_for(&projection.path);
        let renamed = mover.rename(&file.path, &aside).await?;
        // Refused: it is gone meanwhile, and there is room.
        if renamed == Guarded::Refused {
            return self.create(projection, body, None).await.map(Some);
        }
        // Whatever lies aside, its place is free: neither waits for the other.
        let looking = self.look_aside(&aside, projection, standing);
        let (created, lying) = join(self.fill_place(projection, body, &aside), looking).await;
        match (&created, lying?) {
            (_, Lying::Nothing) => {}
            (_, Lying::News(found)) => asides.push(found),
            (Ok(_), Lying::Expected) => {
                self.backend.remove(&aside, Expect::Anything).await?;
            }
            // No room for the new one, say: better the old one than none.
            (Err(_), Lying::Expected) => drop(mover.rename(&aside, &file.path).await),
        }
        created.map(Some)
    }

    async fn store(&self, file: &NewFile, body: &Body) -> Stored {
        match self.backend.keep_attributes() {
            Some(keeper) => keeper.write_as(file, body.clone()).await,
            None => self.backend.write(&file.path, body.clone(), file.expect.clone()).await,
        }
    }

    /// Fills the place of what went aside. Where nothing is to be there, removing
    /// nothing clears away the folders that are empty now.
    async fn fill_place(
        &self,
        projection: &Projection,
        body: Option<&Body>,
        aside: &RemotePath,
    ) -> Result<Written, StorageError> {
        if projection.desired.is_some() {
            return self.create(projection, body, Some(aside)).await;
        }
        let place = RemotePath::from(&projection.path);
        Ok(match self.backend.remove(&place, Expect::Absent).await? {
            Guarded::Done(()) => Written::Done(None),
            Guarded::Refused => Written::Overtaken,
        })
    }

    async fn swap(
        &self,
        projection: &Projection,
        body: Option<&Body>,
        file: &RemoteFile,
    ) -> Result<Written, StorageError> {
        let expect = Expect::At(file.revision.clone());
        let (Some(desired), Some(body)) = (&projection.desired, body) else {
            return Ok(match self.backend.remove(&file.path, expect).await? {
                Guarded::Done(()) => Written::Done(None),
                Guarded::Refused => Written::Overtaken,
            });
        };
        let new = new_file(file.path.clone(), expect, desired);
        Ok(match self.store(&new, body).await? {
            Guarded::Done(revision) => {
                Written::Done(Some(written(&revision, desired, projection.seq)))
            }
            Guarded::Refused => Written::Overtaken,
        })
    }
}

/// Whether the right bytes stand there for others than their owner, too, whoever
/// made them so and whatever this machine remembers of it (B14).
fn is_to_be_narrowed(file: &RemoteFile, projection: &Projection, seen: Option<&Seen>) -> bool {
    projection.desired.as_ref().is_some_and(|desired| desired.private)
        && file.is_private == Some(false)
        && !seen.is_some_and(|seen| seen.is_narrowed_as(file))
}

/// A version as it is to stand in the view. It is dated by its writing: two
/// versions of one size and one time could be taken for each other (V2).
fn new_file(path: RemotePath, expect: Expect, desired: &Entry) -> NewFile {
    let attributes = Attributes { is_private: desired.private, modified: None };
    NewFile { attributes, ..NewFile::plain(path, expect) }
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
        is_own: true,
        is_narrowed: entry.private,
    }
}

/// What is known of a file that was there, and was read or proved.
fn seen_of(file: &RemoteFile, projection: &Projection, before: Option<&Seen>) -> Option<Seen> {
    let is_narrowed = before.is_some_and(|before| before.is_narrowed_as(file));
    let modified_ns = file.modified.map(nanoseconds);
    projection.desired.as_ref().map(|entry| Seen {
        digest: entry.sha256,
        size: file.size,
        modified_ns,
        revision: file.revision.0.clone(),
        seq: projection.seq,
        recorded_ns: None,
        is_own: false,
        is_narrowed,
    })
}
