//! A file that is written to a backend only to see whether that works.
//!
//! It lies below `_mirror/tmp` and is taken away whatever happened, also when
//! nobody waits for the outcome any more.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures::TryStreamExt;
use mirror_core::Ulid;
use mirror_storage::{Backend, ByteRange, Expect, Guarded, OUR_FOLDER, RemotePath, StorageError};

use crate::backends::Service;
use crate::error::RequestError;

/// Part of the text that is written; the rest differs each time.
const TEXT: &str = "mirrord tries whether it can write here; this file may be removed";

/// What a try leaves behind where nothing was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Traces {
    File,
    /// Our folder too.
    OwnFolder,
    /// The backend's root too, which is made first.
    Root,
}

/// What a backend does that none may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    #[error("a new file could not be created: its name is said to be taken")]
    NewNameTaken,
    #[error("a name that is taken can be created again: machines would overwrite commits")]
    NotExclusive,
    #[error("other bytes come back than were written")]
    Altered,
    #[error("a file could not be renamed")]
    NotRenamed,
    #[error("a file that was removed is still there")]
    NotRemoved,
}

impl Flaw {
    pub(crate) const HINT: &str = "this server can't hold a project; use another";
}

/// Writes, reads, renames and removes; gives the time that the service put on
/// the file.
pub(super) async fn tried(
    service: Service,
    url: String,
    traces: Traces,
) -> Result<Option<SystemTime>, RequestError> {
    // A task of its own: a time-out must not leave the file there.
    let task = tokio::spawn(async move {
        if traces == Traces::Root {
            let made = service.make_root().await;
            made.map_err(|cause| RequestError::Root { url, cause })?;
        }
        let (name, other) = (scratch_path(), scratch_path());
        let adapter = service.adapter();
        let outcome = exercised(&adapter, &name, &other).await;
        for path in [&name, &other] {
            drop(adapter.remove(path, Expect::Anything).await);
        }
        match traces {
            Traces::File => {}
            Traces::OwnFolder => service.clear_own().await,
            Traces::Root => service.clear_root().await,
        }
        outcome
    });
    task.await.unwrap_or(Err(RequestError::Panicked))
}

fn scratch_path() -> RemotePath {
    RemotePath::new(format!("{OUR_FOLDER}/tmp/{}", Ulid::generate())).expect("a normal path")
}

async fn exercised(
    adapter: &Arc<dyn Backend>,
    name: &RemotePath,
    other: &RemotePath,
) -> Result<Option<SystemTime>, RequestError> {
    let text = Bytes::from(format!("{TEXT}\n{name}\n"));
    if adapter.write(name, text.clone().into(), Expect::Absent).await? == Guarded::Refused {
        return Err(Flaw::NewNameTaken.into());
    }
    let again = adapter.write(name, "again".into(), Expect::Absent).await?;
    if matches!(again, Guarded::Done(_)) {
        return Err(Flaw::NotExclusive.into());
    }
    if content(adapter, name).await? != Some(text) {
        return Err(Flaw::Altered.into());
    }
    let modified = adapter.stat(name).await?.and_then(|file| file.modified);
    if let Some(service) = adapter.move_aside()
        && service.rename(name, other).await? == Guarded::Refused
    {
        return Err(Flaw::NotRenamed.into());
    }
    for path in [name, other] {
        adapter.remove(path, Expect::Anything).await?;
        if adapter.stat(path).await?.is_some() {
            return Err(Flaw::NotRemoved.into());
        }
    }
    Ok(modified)
}

async fn content(
    adapter: &Arc<dyn Backend>,
    path: &RemotePath,
) -> Result<Option<Bytes>, StorageError> {
    let Some(stream) = adapter.read(path, ByteRange::ALL).await? else {
        return Ok(None);
    };
    let chunks: Vec<Bytes> = stream.try_collect().await?;
    Ok(Some(chunks.concat().into()))
}
