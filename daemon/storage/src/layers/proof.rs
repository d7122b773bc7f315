//! Sees whether a service does what the log stands on, before the first entry (L10).
//!
//! One name beside the folders of the log is created by two at once, read back,
//! created once more and removed. No answer of the service is believed: what is
//! there afterwards counts.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;
use futures::future::join;
use tokio::sync::OnceCell;
use ulid::Ulid;

use crate::{
    Backend, Body, ByteRange, ByteStream, Capabilities, ChangeFeed, CopyRange, Expect, FileStream,
    Guarded, KeepAttributes, MoveAside, OUR_FOLDER, RemoteFile, RemotePath, Revision, StorageError,
    WriteMany,
};

/// Part of the text that is written; the rest differs each time.
const TEXT: &str = "mirrord tries whether a log can stand here; this file may be removed";

/// What a service does that none may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("a new file could not be created: its name is said to be taken")]
    NewNameTaken,
    #[error("a name that is taken can be created again: machines would overwrite commits")]
    NotExclusive,
    #[error("a file is said to be stored, and isn't there")]
    NotStored,
    #[error("other bytes come back than were written")]
    Altered,
    #[error("a file that was removed is still there")]
    NotRemoved,
}

/// Why the proof was not given: the service can't, or it could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum Unproved {
    #[error(transparent)]
    Flaw(#[from] Flaw),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A proof takes seconds: what is older was cut off.
const LEFT_FOR_MS: u64 = 7 * 24 * 3_600_000;

/// Where proofs create their entries: the folders of entries have numbers for
/// names, and nobody looks for one here.
fn scratch() -> RemotePath {
    RemotePath::new(format!("{OUR_FOLDER}/log/scratch")).expect("a normal path")
}

/// Tries what the log stands on. Nothing of it stays, nor of one that was cut off a
/// week ago.
pub async fn prove(service: &dyn Backend) -> Result<(), Unproved> {
    let moment = Ulid::generate();
    let name = RemotePath::new(format!("{}/{moment}", scratch())).expect("a normal path");
    let proved = created_once(service, &name).await;
    let removed = remove(service, &name).await;
    proved?;
    removed?;
    if service.stat(&name).await?.is_some() {
        return Err(Flaw::NotRemoved.into());
    }
    if let Err(error) = sweep(service, moment).await {
        tracing::debug!(%error, "what an earlier proof may have left stays for now");
    }
    Ok(())
}

async fn remove(service: &dyn Backend, name: &RemotePath) -> Result<(), StorageError> {
    // What an entry may be spelled as a folder with.
    let body = RemotePath::new(format!("{name}/body")).expect("a normal path");
    drop(service.remove(&body, Expect::Anything).await);
    service.remove(name, Expect::Anything).await.map(drop)
}

/// Removes what proofs left that were cut off, by the moments in their names.
async fn sweep(service: &dyn Backend, now: Ulid) -> Result<(), StorageError> {
    let scratch = scratch();
    let left: Vec<RemoteFile> = service.list(&scratch).try_collect().await?;
    for file in left {
        let moment = file.path.name().parse::<Ulid>().map(|moment| moment.timestamp_ms());
        let is_old = |began: u64| now.timestamp_ms().saturating_sub(began) > LEFT_FOR_MS;
        if moment.is_ok_and(is_old) {
            remove(service, &file.path).await?;
        }
    }
    Ok(())
}

/// Creates one name twice at once, as two machines create an entry, and then again.
async fn created_once(service: &dyn Backend, name: &RemotePath) -> Result<(), Unproved> {
    let text = |which: &str| Bytes::from(format!("{TEXT}\n{name}\n{which}\n"));
    let texts = [text("one"), text("other")];
    let [one, other] = texts.clone().map(|text| service.write(name, text.into(), Expect::Absent));
    let (one, other) = join(one, other).await;
    let won = match (one?, other?) {
        (Guarded::Done(_), Guarded::Refused) => &texts[0],
        (Guarded::Refused, Guarded::Done(_)) => &texts[1],
        // Which of the two, only a look would tell.
        (Guarded::Done(_), Guarded::Done(_)) => return Err(Flaw::NotExclusive.into()),
        (Guarded::Refused, Guarded::Refused) => return Err(Flaw::NewNameTaken.into()),
    };
    stands(service, name, won).await?;
    if service.write(name, text("late").into(), Expect::Absent).await? != Guarded::Refused {
        return Err(Flaw::NotExclusive.into());
    }
    stands(service, name, won).await
}

async fn stands(
    service: &dyn Backend,
    name: &RemotePath,
    expected: &Bytes,
) -> Result<(), Unproved> {
    let Some(stream) = service.read(name, ByteRange::ALL).await? else {
        return Err(Flaw::NotStored.into());
    };
    let chunks: Vec<Bytes> = stream.try_collect().await?;
    match chunks.concat() == *expected {
        true => Ok(()),
        false => Err(Flaw::Altered.into()),
    }
}

/// Asks for the proof before it lets the first entry of a log through.
pub(super) struct Proved {
    pub(super) inner: std::sync::Arc<dyn Backend>,
    pub(super) given: OnceCell<()>,
}

impl Proved {
    async fn check(&self) -> Result<(), StorageError> {
        let proof = async || {
            prove(self.inner.as_ref()).await.map_err(|unproved| match unproved {
                Unproved::Storage(error) => error,
                Unproved::Flaw(flaw) => {
                    let path = RemotePath::new(format!("{OUR_FOLDER}/log")).expect("normal");
                    let label = self.inner.label();
                    let reason = format!("{label} can't hold the log of a project: {flaw}");
                    StorageError::Rejected { path, reason }
                }
            })
        };
        self.given.get_or_try_init(proof).await.copied()
    }
}

/// Whether an entry of the log is to be created.
fn creates_entry(path: &RemotePath, expect: &Expect) -> bool {
    let mut names = path.as_str().split('/');
    *expect == Expect::Absent && names.next() == Some(OUR_FOLDER) && names.next() == Some("log")
}

#[async_trait]
impl Backend for Proved {
    fn label(&self) -> &str {
        self.inner.label()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, StorageError> {
        self.inner.stat(path).await
    }

    fn list<'a>(&'a self, prefix: &'a RemotePath) -> FileStream<'a> {
        self.inner.list(prefix)
    }

    async fn read(
        &self,
        path: &RemotePath,
        range: ByteRange,
    ) -> Result<Option<ByteStream>, StorageError> {
        self.inner.read(path, range).await
    }

    async fn write(
        &self,
        path: &RemotePath,
        body: Body,
        expect: Expect,
    ) -> Result<Guarded<Revision>, StorageError> {
        if creates_entry(path, &expect) {
            self.check().await?;
        }
        self.inner.write(path, body, expect).await
    }

    async fn remove(&self, path: &RemotePath, expect: Expect) -> Result<Guarded<()>, StorageError> {
        self.inner.remove(path, expect).await
    }

    async fn sweep(&self, age: Duration) -> Result<usize, StorageError> {
        self.inner.sweep(age).await
    }

    fn move_aside(&self) -> Option<&dyn MoveAside> {
        self.inner.move_aside()
    }

    fn write_many(&self) -> Option<&dyn WriteMany> {
        self.inner.write_many()
    }

    fn keep_attributes(&self) -> Option<&dyn KeepAttributes> {
        self.inner.keep_attributes()
    }

    fn copy_range(&self) -> Option<&dyn CopyRange> {
        self.inner.copy_range()
    }

    fn change_feed(&self) -> Option<&dyn ChangeFeed> {
        self.inner.change_feed()
    }
}
