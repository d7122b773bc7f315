//! Files that are written to a backend only to see whether that works.
//!
//! One lies below `_mirror/tmp` and one beside the folders of the log, where
//! adapters make names as they make entries and nobody looks for one. They are
//! taken away whatever happened, also when nobody waits for the outcome any more.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures::TryStreamExt;
use futures::future::join;
use mirror_core::Ulid;
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

impl Explained for Flaw {
    fn class(&self) -> FaultClass {
        FaultClass::Rejected
    }

    fn hint(&self) -> Option<String> {
        Some("this server can't hold a project; use another".to_owned())
    }
}

/// Where the files of one try stand, before and after a rename.
struct Scratch {
    name: RemotePath,
    other: RemotePath,
    entry: RemotePath,
    /// What an entry may be spelled as a folder with.
    body: RemotePath,
}

impl Scratch {
    fn new() -> Self {
        let path = |folder: &str| {
            let path = format!("{OUR_FOLDER}/{folder}/{}", Ulid::generate());
            RemotePath::new(path).expect("a normal path")
        };
        // The folders of entries have numbers for names.
        let entry = path("log/scratch");
        let body = RemotePath::new(format!("{entry}/body")).expect("a normal path");
        Self { name: path("tmp"), other: path("tmp"), entry, body }
    }

    /// All of them, each before the folder that it may stand in.
    fn paths(&self) -> [&RemotePath; 4] {
        [&self.name, &self.other, &self.body, &self.entry]
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
    let Scratch { name, other, entry, .. } = scratch;
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
    created_once(adapter, entry).await?;
    for path in scratch.paths() {
        adapter.remove(path, Expect::Anything).await?;
        if adapter.stat(path).await?.is_some() {
            return Err(Flaw::NotRemoved.into());
        }
    }
    Ok(modified)
}

/// Creates one name twice at once, as two machines create an entry.
async fn created_once(adapter: &Arc<dyn Backend>, name: &RemotePath) -> Result<(), RequestError> {
    let texts = ["one", "other"].map(|which| Bytes::from(format!("{TEXT}\n{which}\n")));
    let [one, other] = texts.clone().map(|text| adapter.write(name, text.into(), Expect::Absent));
    let (one, other) = join(one, other).await;
    let won = match (one?, other?) {
        (Guarded::Done(_), Guarded::Refused) => &texts[0],
        (Guarded::Refused, Guarded::Done(_)) => &texts[1],
        (Guarded::Done(_), Guarded::Done(_)) => return Err(Flaw::NotExclusive.into()),
        (Guarded::Refused, Guarded::Refused) => return Err(Flaw::NewNameTaken.into()),
    };
    match content(adapter, name).await?.as_ref() == Some(won) {
        true => Ok(()),
        false => Err(Flaw::Altered.into()),
    }
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
        assert!(matches!(flaw.as_raised(), Some(Flaw::NotExclusive)), "{flaw:?}");
        let outcome = exercised(&careful, &Scratch::new()).await;
        assert!(outcome.is_ok(), "{outcome:?}");
    }
}
