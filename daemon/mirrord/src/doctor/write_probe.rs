//! Files that are written to a backend only to see whether that works.
//!
//! One lies below `_mirror/tmp`; what the log stands on is tried beside it. They are
//! taken away whatever happened, also when nobody waits for the outcome any more.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures::TryStreamExt;
use mirror_core::Ulid;
use mirror_storage::layers::{self, Unproved};
use mirror_storage::{
    Backend, ByteRange, Expect, FaultClass, Guarded, OUR_FOLDER, RemotePath, StorageError,
};

use crate::error::{Explained, Refusal, RequestError};
use crate::services::Account;

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
pub(super) enum Flaw {
    #[error(transparent)]
    Log(#[from] layers::Flaw),
    #[error("a file could not be renamed")]
    NotRenamed,
}

impl Explained for Flaw {
    fn class(&self) -> FaultClass {
        FaultClass::Rejected
    }

    fn hint(&self) -> Option<String> {
        Some("this server can't hold a project; use another".to_owned())
    }
}

/// Where the file of one try stands, before and after a rename.
struct Scratch {
    name: RemotePath,
    other: RemotePath,
}

impl Scratch {
    fn new() -> Self {
        let path = |folder: &str| {
            let path = format!("{OUR_FOLDER}/{folder}/{}", Ulid::generate());
            RemotePath::new(path).expect("a normal path")
        };
        Self { name: path("tmp"), other: path("tmp") }
    }

    fn paths(&self) -> [&RemotePath; 2] {
        [&self.name, &self.other]
    }
}

/// Writes, reads, renames and removes; gives the time that the service put on
/// the file.
pub(super) async fn tried(
    account: Arc<dyn Account>,
    url: String,
    traces: Traces,
) -> Result<Option<SystemTime>, RequestError> {
    // A task of its own: a time-out must not leave the file there.
    let task = tokio::spawn(async move {
        if traces == Traces::Root {
            let made = account.make_root().await;
            made.map_err(|error| error.at(&url))?;
        }
        let scratch = Scratch::new();
        let adapter = account.adapter();
        let outcome = exercised(&adapter, &scratch).await;
        for path in scratch.paths() {
            drop(adapter.remove(path, Expect::Anything).await);
        }
        match traces {
            Traces::File => {}
            Traces::OwnFolder => account.clear_own().await,
            Traces::Root => account.clear_root().await,
        }
        outcome
    });
    task.await.unwrap_or_else(|_| Err(Refusal::Panicked.into()))
}

async fn exercised(
    adapter: &Arc<dyn Backend>,
    scratch: &Scratch,
) -> Result<Option<SystemTime>, RequestError> {
    let Scratch { name, other } = scratch;
    let text = Bytes::from(format!("{TEXT}\n{name}\n"));
    if adapter.write(name, text.clone().into(), Expect::Absent).await? == Guarded::Refused {
        return Err(Flaw::from(layers::Flaw::NewNameTaken).into());
    }
    let again = adapter.write(name, "again".into(), Expect::Absent).await?;
    if matches!(again, Guarded::Done(_)) {
        return Err(Flaw::from(layers::Flaw::NotExclusive).into());
    }
    if content(adapter, name).await? != Some(text) {
        return Err(Flaw::from(layers::Flaw::Altered).into());
    }
    let modified = adapter.stat(name).await?.and_then(|file| file.modified);
    if let Some(service) = adapter.move_aside()
        && service.rename(name, other).await? == Guarded::Refused
    {
        return Err(Flaw::NotRenamed.into());
    }
    layers::prove(adapter.as_ref()).await.map_err(|unproved| match unproved {
        Unproved::Flaw(flaw) => RequestError::from(Flaw::from(flaw)),
        Unproved::Storage(error) => error.into(),
    })?;
    for path in scratch.paths() {
        adapter.remove(path, Expect::Anything).await?;
        if adapter.stat(path).await?.is_some() {
            return Err(Flaw::from(layers::Flaw::NotRemoved).into());
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

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use mirror_storage::adapter::{MemoryBackend, MemoryProfile};
    use mirror_storage::{
        Body, ByteStream, Capabilities, FileStream, MoveAside, RemoteFile, Revision,
    };

    use super::*;

    /// A service that creates a name of the log as often as it is asked.
    struct Careless(MemoryBackend);

    #[async_trait]
    impl Backend for Careless {
        fn label(&self) -> &str {
            self.0.label()
        }

        fn capabilities(&self) -> Capabilities {
            self.0.capabilities()
        }

        async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, StorageError> {
            self.0.stat(path).await
        }

        fn list<'a>(&'a self, prefix: &'a RemotePath) -> FileStream<'a> {
            self.0.list(prefix)
        }

        async fn read(
            &self,
            path: &RemotePath,
            range: ByteRange,
        ) -> Result<Option<ByteStream>, StorageError> {
            self.0.read(path, range).await
        }

        async fn write(
            &self,
            path: &RemotePath,
            body: Body,
            expect: Expect,
        ) -> Result<Guarded<Revision>, StorageError> {
            let expect = if path.as_str().contains("/log/") { Expect::Anything } else { expect };
            self.0.write(path, body, expect).await
        }

        async fn remove(
            &self,
            path: &RemotePath,
            expect: Expect,
        ) -> Result<Guarded<()>, StorageError> {
            self.0.remove(path, expect).await
        }

        fn move_aside(&self) -> Option<&dyn MoveAside> {
            self.0.move_aside()
        }
    }

    #[tokio::test]
    async fn service_that_creates_an_entry_twice_is_found_out() {
        let memory = || MemoryBackend::new(MemoryProfile::RENAME);
        let careless: Arc<dyn Backend> = Arc::new(Careless(memory()));
        let careful: Arc<dyn Backend> = Arc::new(memory());

        let outcome = exercised(&careless, &Scratch::new()).await;
        let flaw = outcome.unwrap_err();
        assert!(
            matches!(flaw.as_raised(), Some(Flaw::Log(layers::Flaw::NotExclusive))),
            "{flaw:?}"
        );
        let outcome = exercised(&careful, &Scratch::new()).await;
        assert!(outcome.is_ok(), "{outcome:?}");
    }
}
