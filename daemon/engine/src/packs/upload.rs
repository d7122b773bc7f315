//! Storing packs (P1).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::{FutureExt, StreamExt};
use mirror_core::commit::{Pack, pack_name};
use mirror_core::digest::Hasher;
use mirror_core::{Digest, Ulid};
use mirror_storage::{Backend, ByteRange, Expect, Guarded, StorageError};

use super::build::{Built, Item, Opener, Rejected, build, split};
use super::meter::Meter;
use super::scratch::body_of;
use crate::error::EngineError;
use crate::log::own_path;
use crate::outside::{Disk, Outside};
use crate::planted::{self, Rule};

/// So many packs are built at once: each needs its size on the disk here.
const MOST_BUILT: usize = 4;

/// What is to be one pack, under the name that it will have.
#[derive(Debug)]
pub struct PackPlan {
    pub name: Ulid,
    items: Vec<Item>,
}

/// What packing and storing came to.
#[derive(Debug, Default)]
pub struct Stored {
    /// Packs that are on the backend now.
    pub packs: Vec<Pack>,
    /// Files that could not be packed as they were seen.
    pub rejected: Vec<Rejected>,
    /// What kept the others from being stored.
    pub failure: Option<EngineError>,
}

impl Stored {
    fn add(&mut self, one: Self) {
        self.packs.extend(one.packs);
        self.rejected.extend(one.rejected);
        if self.failure.is_none() {
            self.failure = one.failure;
        }
    }
}

/// Packs contents and stores the packs, several at once; each is built when it
/// is its turn, so that no more than those under way need room here.
#[derive(Clone)]
pub struct Packer<'a> {
    pub opener: Opener,
    pub disk: &'a Arc<dyn Disk>,
    pub backend: &'a dyn Backend,
    pub outside: &'a Outside,
    /// What is packed.
    pub packing: Meter,
    /// What is uploaded.
    pub uploading: Meter,
}

impl std::fmt::Debug for Packer<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Packer({})", self.backend.label())
    }
}

impl Packer<'_> {
    /// Shares contents out over packs and names them.
    pub fn plan(&self, items: Vec<Item>) -> Vec<PackPlan> {
        let plan = |items: Vec<Item>| PackPlan { name: self.name_for(&items), items };
        split(items).into_iter().map(plan).collect()
    }

    /// All packs are stored when this returns without a failure; no further one is
    /// begun after a failure. `beside` runs beside the last of them.
    pub async fn store<T>(
        &self,
        mut plans: Vec<PackPlan>,
        beside: impl Future<Output = T> + Send,
    ) -> (Stored, T) {
        let last = plans.pop();
        let parallel = self.backend.capabilities().parallel.clamp(1, MOST_BUILT);
        let has_failed = AtomicBool::new(false);
        let steps: Vec<_> =
            plans.into_iter().map(|plan| self.store_unless(&has_failed, plan).boxed()).collect();
        let mut steps = futures::stream::iter(steps).buffer_unordered(parallel);
        let mut all = Stored::default();
        while let Some(one) = steps.next().await {
            all.add(one);
        }
        let (last, beside) = futures::join!(self.store_last(&has_failed, last), beside);
        all.add(last);
        (all, beside)
    }

    async fn store_last(&self, has_failed: &AtomicBool, plan: Option<PackPlan>) -> Stored {
        match plan {
            Some(plan) => self.store_unless(has_failed, plan).await,
            None => Stored::default(),
        }
    }

    async fn store_unless(&self, has_failed: &AtomicBool, plan: PackPlan) -> Stored {
        if has_failed.load(Ordering::Relaxed) {
            return Stored::default();
        }
        let stored = self.store_one(plan).await;
        stored.unwrap_or_else(|failure| {
            has_failed.store(true, Ordering::Relaxed);
            Stored { failure: Some(failure), ..Stored::default() }
        })
    }

    async fn store_one(&self, PackPlan { name, items }: PackPlan) -> Result<Stored, EngineError> {
        let (opener, disk) = (self.opener.clone(), self.disk.clone());
        let (interrupt, meter) = (self.outside.interrupt.clone(), self.packing.clone());
        let packing = move || build(name, items, &opener, disk.as_ref(), &interrupt, &meter);
        let (built, rejected) = self.outside.offload(packing).await?;
        let mut packs = Vec::new();
        if let Some(built) = built {
            packs.push(built.pack.clone());
            self.upload(built).await?;
        }
        Ok(Stored { packs, rejected, failure: None })
    }

    async fn upload(&self, built: Built) -> Result<(), EngineError> {
        let Built { pack, scratch } = built;
        let path = own_path(&pack_name(pack.name));
        let body = body_of(scratch, pack.size, self.outside, &self.uploading).await?;
        // The name is this upload's alone. After an unclear reply the file tells
        // whether the first try landed, by its size and digest.
        let first = self.backend.write(&path, body.clone(), Expect::Absent).await;
        let retry = match first {
            Ok(Guarded::Done(_)) => return Ok(()),
            Ok(Guarded::Refused) => true,
            Err(StorageError::Unreachable(_) | StorageError::Throttled { .. }) => false,
            Err(error) => return Err(error.into()),
        };
        let again = self.backend.write(&path, body, Expect::Absent);
        if retry || !matches!(again.await?, Guarded::Done(_)) {
            let stored = digest_at(self.backend, &path).await?;
            if stored != Some((pack.sha256, pack.size)) && planted::stands(Rule::P1) {
                let what = format!("another file stands at {path}");
                return Err(EngineError::Internal(what));
            }
        }
        Ok(())
    }

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
