//! One machine's line to the service. Every call waits until the scheduler
//! picks it; what becomes of it is the scheduler's choice.

use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use mirror_storage::{
    Backend, Body, ByteRange, ByteStream, Capabilities, Expect, FileStream, Guarded, MoveAside,
    RemoteFile, RemotePath, Revision, StorageError,
};
use tokio::sync::oneshot;

use crate::life::Life;
use crate::op::{Answer, Op, Reply, whole};
use crate::waiting::{Stage, Waiting};
use crate::world::World;

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
