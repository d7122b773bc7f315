//! What a machine asks of the service, and what that says.

use bytes::{Bytes, BytesMut};
use futures::{FutureExt, TryStreamExt};
use mirror_storage::adapter::memory::MemoryBackend;
use mirror_storage::{
    Backend, Body, ByteRange, ByteStream, Expect, Guarded, RemoteFile, RemotePath, Revision,
    StorageError,
};

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

pub(crate) async fn whole(stream: ByteStream) -> Result<Bytes, StorageError> {
    let pieces: Vec<Bytes> = stream.try_collect().await?;
    let mut joined = BytesMut::new();
    for piece in pieces {
        joined.extend_from_slice(&piece);
    }
    Ok(joined.freeze())
}
