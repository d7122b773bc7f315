//! One machine's line to the service. Every call waits until the scheduler
//! picks it; what becomes of it is the scheduler's choice.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use mirror_storage::adapter::memory::MemoryBackend;
use mirror_storage::{
    Backend, Body, ByteRange, ByteStream, Capabilities, Expect, FileStream, Guarded, MoveAside,
    RemoteFile, RemotePath, Revision, StorageError,
};
use tokio::sync::oneshot;

use crate::life::Life;
use crate::world::World;

/// What a machine asks of the service.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Stat(RemotePath),
    List(RemotePath),
    Read(RemotePath, ByteRange),
    Write(RemotePath, Bytes, Expect),
    Remove(RemotePath, Expect),
    Rename(RemotePath, RemotePath),
}

/// What the service says.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Stat(Option<RemoteFile>),
    List(Vec<RemoteFile>),
    /// The bytes, and whether the stream breaks off after them.
    Read(Option<(Bytes, bool)>),
    Written(Guarded<Revision>),
    Done(Guarded<()>),
}

pub(crate) type Reply = Result<Answer, StorageError>;

/// Something of a machine that waits for the scheduler.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) id: u64,
    pub(crate) machine: usize,
    pub(crate) life: Arc<Life>,
    pub(crate) stage: Stage,
}

/// What a cleaner did to an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Swept {
    Not,
    /// Renamed aside as a whole, then deleted.
    Away,
    /// Emptied where it stands.
    Empty,
}

#[derive(Debug)]
pub(crate) enum Stage {
    /// Offloaded work of its own.
    Local(oneshot::Sender<()>),
    /// A call that has not reached the service.
    Asked(Op, oneshot::Sender<Reply>),
    /// A file that was uploaded beside its place, and what a cleaner did to it.
    Uploaded(Op, Swept, oneshot::Sender<Reply>),
    /// A file of the view of which the beginning stands there.
    Begun(Op, oneshot::Sender<Reply>),
    /// A reply on its way back.
    Answered(Reply, oneshot::Sender<Reply>),
}

impl Op {
    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Self::Stat(_) => "stat",
            Self::List(_) => "list",
            Self::Read(..) => "read",
            Self::Write(..) => "write",
            Self::Remove(..) => "remove",
            Self::Rename(..) => "rename",
        }
    }

    pub(crate) fn path(&self) -> &RemotePath {
        match self {
            Self::Stat(path)
            | Self::List(path)
            | Self::Read(path, _)
            | Self::Write(path, ..)
            | Self::Remove(path, _)
            | Self::Rename(path, _) => path,
        }
    }

    pub(crate) fn changes(&self) -> bool {
        matches!(self, Self::Write(..) | Self::Remove(..) | Self::Rename(..))
    }

    /// What the folder trick brings after a cleaner was there.
    pub(crate) fn emptied(self) -> Self {
        match self {
            Self::Write(path, _, expect) => Self::Write(path, Bytes::new(), expect),
            other => other,
        }
    }

    /// The first half of a write that becomes visible bit by bit, and the rest.
    pub(crate) fn halves(&self) -> Option<[Self; 2]> {
        let Self::Write(path, body, expect) = self else { return None };
        let half = body.slice(..body.len() / 2);
        let first = Self::Write(path.clone(), half, expect.clone());
        Some([first, self.clone()])
    }

    /// Lets the service do it. Memory answers at once.
    pub(crate) fn carry_out(&self, files: &MemoryBackend) -> Reply {
        let answer = async {
            Ok(match self {
                Self::Stat(path) => Answer::Stat(files.stat(path).await?),
                Self::List(prefix) => Answer::List(files.list(prefix).try_collect().await?),
                Self::Read(path, range) => match files.read(path, *range).await? {
                    Some(stream) => Answer::Read(Some((whole(stream).await?, false))),
                    None => Answer::Read(None),
                },
                Self::Write(path, body, expect) => {
                    let body = Body::Bytes(body.clone());
                    Answer::Written(files.write(path, body, expect.clone()).await?)
                }
                Self::Remove(path, expect) => {
                    Answer::Done(files.remove(path, expect.clone()).await?)
                }
                Self::Rename(from, to) => {
                    let mover = files.move_aside().expect("only offered where it is there");
                    Answer::Done(mover.rename(from, to).await?)
                }
            })
        };
        answer.now_or_never().expect("memory answers at once")
    }
}

async fn whole(stream: ByteStream) -> Result<Bytes, StorageError> {
    let pieces: Vec<Bytes> = stream.try_collect().await?;
    let mut joined = BytesMut::new();
    for piece in pieces {
        joined.extend_from_slice(&piece);
    }
    Ok(joined.freeze())
}

pub(crate) fn unreachable() -> StorageError {
    StorageError::Unreachable("the line is cut".into())
}

/// The backend as one run of one machine's daemon sees it.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) world: Arc<World>,
    pub(crate) machine: usize,
    pub(crate) life: Arc<Life>,
}

impl Line {
    async fn ask(&self, op: Op) -> Reply {
        self.life.or_never().await;
        if self.world.is_calm() {
            return self.world.serve(self.machine, &op);
        }
        let (sender, receiver) = oneshot::channel();
        self.world.waiting().push(Waiting {
            id: self.world.next_call(),
            machine: self.machine,
            life: self.life.clone(),
            stage: Stage::Asked(op, sender),
        });
        match receiver.await {
            Ok(reply) => reply,
            // Its daemon is dead.
            Err(_) => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Backend for Line {
    fn label(&self) -> &'static str {
        "simulated"
    }

    fn capabilities(&self) -> Capabilities {
        let setup = &self.world.setup;
        Capabilities {
            parallel: setup.parallel,
            atomic_view: !setup.torn,
            ..self.world.files.capabilities()
        }
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, StorageError> {
        match self.ask(Op::Stat(path.clone())).await? {
            Answer::Stat(found) => Ok(found),
            other => unreachable!("{other:?}"),
        }
    }

    fn list<'a>(&'a self, prefix: &'a RemotePath) -> FileStream<'a> {
        let listing = async move {
            match self.ask(Op::List(prefix.clone())).await? {
                Answer::List(files) => Ok(stream::iter(files).map(Ok)),
                other => unreachable!("{other:?}"),
            }
        };
        stream::once(listing).try_flatten().boxed()
    }

    async fn read(
        &self,
        path: &RemotePath,
        range: ByteRange,
    ) -> Result<Option<ByteStream>, StorageError> {
        match self.ask(Op::Read(path.clone(), range)).await? {
            Answer::Read(None) => Ok(None),
            Answer::Read(Some((bytes, false))) => Ok(Some(stream::iter([Ok(bytes)]).boxed())),
            Answer::Read(Some((bytes, true))) => {
                let half = bytes.slice(..bytes.len() / 2);
                Ok(Some(stream::iter([Ok(half), Err(unreachable())]).boxed()))
            }
            other => unreachable!("{other:?}"),
        }
    }

    async fn write(
        &self,
        path: &RemotePath,
        body: Body,
        expect: Expect,
    ) -> Result<Guarded<Revision>, StorageError> {
        let body = whole(body.open()).await?;
        match self.ask(Op::Write(path.clone(), body, expect)).await? {
            Answer::Written(written) => Ok(written),
            other => unreachable!("{other:?}"),
        }
    }

    async fn remove(&self, path: &RemotePath, expect: Expect) -> Result<Guarded<()>, StorageError> {
        match self.ask(Op::Remove(path.clone(), expect)).await? {
            Answer::Done(done) => Ok(done),
            other => unreachable!("{other:?}"),
        }
    }

    fn move_aside(&self) -> Option<&dyn MoveAside> {
        self.world.setup.profile.move_aside.then_some(self as &dyn MoveAside)
    }
}

#[async_trait]
impl MoveAside for Line {
    async fn rename(
        &self,
        from: &RemotePath,
        to: &RemotePath,
    ) -> Result<Guarded<()>, StorageError> {
        match self.ask(Op::Rename(from.clone(), to.clone())).await? {
            Answer::Done(done) => Ok(done),
            other => unreachable!("{other:?}"),
        }
    }
}
