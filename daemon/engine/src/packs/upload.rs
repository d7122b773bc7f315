//! Storing packs (P1).

use futures::{FutureExt, StreamExt, TryStreamExt};
use mirror_core::Digest;
use mirror_core::commit::pack_name;
use mirror_core::digest::Hasher;
use mirror_storage::{Backend, ByteRange, Expect, Guarded, StorageError};

use super::build::Built;
use super::scratch::body_of;
use crate::error::EngineError;
use crate::log::own_path;
use crate::outside::Outside;

/// Stores packs under their names, several at once. All are there when this
/// returns without an error.
pub async fn upload(
    packs: Vec<Built>,
    backend: &dyn Backend,
    outside: &Outside,
) -> Result<(), EngineError> {
    let parallel = backend.capabilities().parallel.max(1);
    let stores: Vec<_> =
        packs.into_iter().map(|built| store(built, backend, outside).boxed()).collect();
    futures::stream::iter(stores).buffer_unordered(parallel).try_collect().await
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
        if stored != Some((pack.sha256, pack.size)) {
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
