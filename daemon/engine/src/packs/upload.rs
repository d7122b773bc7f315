//! Storing packs (P1).

use std::sync::Arc;

use futures::{FutureExt, StreamExt, TryStreamExt};
use mirror_core::commit::{Pack, pack_name};
use mirror_core::digest::Hasher;
use mirror_core::{Digest, Ulid};
use mirror_storage::{Backend, ByteRange, Expect, Guarded, StorageError};

use super::build::{Built, Item, Opener, Rejected, build, split};
use super::scratch::body_of;
use crate::error::EngineError;
use crate::log::own_path;
use crate::outside::{Disk, Outside};
use crate::planted::{self, Rule};

/// So many packs are built at once: each needs its size on the disk here.
const MOST_BUILT: usize = 4;

/// What packing and storing came to.
#[derive(Debug, Default)]
pub struct Stored {
    /// Packs that are on the backend now.
    pub packs: Vec<Pack>,
    /// Files that could not be packed as they were seen.
    pub rejected: Vec<Rejected>,
}

/// Packs contents and stores the packs, several at once; each is built when it
/// is its turn, so that no more than those under way need room here.
#[derive(Clone)]
pub struct Packer<'a> {
    pub opener: Opener,
    pub disk: &'a Arc<dyn Disk>,
    pub backend: &'a dyn Backend,
    pub outside: &'a Outside,
}

impl std::fmt::Debug for Packer<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Packer({})", self.backend.label())
    }
}

impl Packer<'_> {
    /// All packs are stored when this returns without an error. `beside` runs
    /// beside the last of them.
    pub async fn store<T>(
        &self,
        items: Vec<Item>,
        beside: impl Future<Output = T> + Send,
    ) -> (Result<Stored, EngineError>, T) {
        let mut groups = split(items);
        let last = groups.pop();
        let parallel = self.backend.capabilities().parallel.clamp(1, MOST_BUILT);
        let steps: Vec<_> =
            groups.into_iter().map(|group| self.store_group(group).boxed()).collect();
        let first: Result<Vec<_>, _> =
            futures::stream::iter(steps).buffer_unordered(parallel).try_collect().await;
        let (last, beside) = futures::join!(self.store_last(last), beside);
        let stored = first.and_then(|mut stored| {
            stored.push(last?);
            Ok(stored.into_iter().fold(Stored::default(), |mut all, one| {
                all.packs.extend(one.packs);
                all.rejected.extend(one.rejected);
                all
            }))
        });
        (stored, beside)
    }

    async fn store_last(&self, group: Option<Vec<Item>>) -> Result<Stored, EngineError> {
        match group {
            Some(group) => self.store_group(group).await,
            None => Ok(Stored::default()),
        }
    }

    async fn store_group(&self, group: Vec<Item>) -> Result<Stored, EngineError> {
        let (opener, disk, name) = (self.opener.clone(), self.disk.clone(), self.name_for(&group));
        let built = self.outside.offload(move || build(name, group, &opener, disk.as_ref())).await;
        let (built, rejected) = built?;
        let mut packs = Vec::new();
        if let Some(built) = built {
            packs.push(built.pack.clone());
            store(built, self.backend, self.outside).await?;
        }
        Ok(Stored { packs, rejected })
    }
}

impl Packer<'_> {
    /// A name for this upload alone (P1).
    fn name_for(&self, group: &[Item]) -> Ulid {
        match (planted::stands(Rule::P1), group.first()) {
            (false, Some(first)) => {
                Ulid::from_bytes(first.digest.0[..16].try_into().expect("16 bytes"))
            }
            _ => self.outside.ulid(),
        }
    }
}

async fn store(built: Built, backend: &dyn Backend, outside: &Outside) -> Result<(), EngineError> {
    let Built { pack, scratch } = built;
    let path = own_path(&pack_name(pack.name));
    let body = body_of(scratch, pack.size, outside).await?;
    // The name is this upload's alone. After an unclear reply the file tells
    // whether the first try landed, by its size and digest.
    let first = backend.write(&path, body.clone(), Expect::Absent).await;
    let retry = match first {
        Ok(Guarded::Done(_)) => return Ok(()),
        Ok(Guarded::Refused) => true,
        Err(StorageError::Unreachable(_) | StorageError::Throttled { .. }) => false,
        Err(error) => return Err(error.into()),
    };
    if retry || !matches!(backend.write(&path, body, Expect::Absent).await?, Guarded::Done(_)) {
        let stored = digest_at(backend, &path).await?;
        if stored != Some((pack.sha256, pack.size)) && planted::stands(Rule::P1) {
            let what = format!("another file stands at {path}");
            return Err(EngineError::Internal(what));
        }
    }
    Ok(())
}

async fn digest_at(
    backend: &dyn Backend,
    path: &mirror_storage::RemotePath,
) -> Result<Option<(Digest, u64)>, StorageError> {
    let Some(mut stream) = backend.read(path, ByteRange::ALL).await? else { return Ok(None) };
    let (mut hasher, mut size) = (Hasher::new(), 0);
    while let Some(piece) = stream.next().await {
        let piece = piece?;
        hasher.update(&piece);
        size += piece.len() as u64;
    }
    Ok(Some((hasher.finish(), size)))
}
