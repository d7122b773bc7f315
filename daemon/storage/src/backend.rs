//! The contract between the engine and one place that stores files.
//!
//! Everything above this module relies on these rules alone; everything below
//! it keeps them for one kind of service. Projects, history and retries across
//! jobs are deliberately absent.

use std::fmt;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

use crate::{
    ChangeFeed, CopyRange, KeepAttributes, MoveAside, RemotePath, StorageError, WriteMany,
};

/// The bytes of a file as they arrive.
pub type ByteStream = BoxStream<'static, Result<Bytes, StorageError>>;

/// The files below a prefix as they arrive.
pub type FileStream<'a> = BoxStream<'a, Result<RemoteFile, StorageError>>;

/// Which version of a file stands on a service; opaque, compared for equality.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Revision(pub String);

/// One file as a service describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteFile {
    pub path: RemotePath,
    pub size: u64,
    /// When the service says the file was last changed.
    pub modified: Option<SystemTime>,
    pub revision: Revision,
    /// Whether nobody but its owner may use it; `None` where the service doesn't say.
    pub is_private: Option<bool>,
}

/// A part of a file's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    pub start: u64,
    /// `None` reads to the end.
    pub len: Option<u64>,
}

impl ByteRange {
    pub const ALL: Self = Self { start: 0, len: None };
}

/// Gives the bytes of one upload, from the start, as often as it is asked.
///
/// A retried upload asks again, so a source must always give the same bytes.
pub trait Source: Send + Sync {
    fn open(&self) -> ByteStream;
}

/// The bytes to store, with their length known beforehand.
#[derive(Clone)]
pub enum Body {
    Bytes(Bytes),
    Source { len: u64, source: std::sync::Arc<dyn Source> },
}

impl Body {
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Source { len, .. } => *len,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Starts reading from the first byte.
    pub fn open(&self) -> ByteStream {
        match self {
            Self::Bytes(bytes) => Box::pin(futures::stream::iter([Ok(bytes.clone())])),
            Self::Source { source, .. } => source.open(),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Body({} bytes)", self.len())
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self::Bytes(bytes.into())
    }
}

/// The state a file must be in for a write or removal to go ahead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    Anything,
    Absent,
    At(Revision),
}

/// How a change guarded by [`Expect`] ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guarded<T> {
    Done(T),
    /// The file was not in the expected state; nothing was changed.
    Refused,
}

/// What planning may rely on beyond the rules of [`Backend`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a promise of its own")]
pub struct Capabilities {
    /// [`Expect::At`] is a compare-and-swap by revision. Where it is false,
    /// `At` is best effort, and only for files that one machine alone writes.
    pub swap: bool,
    /// [`Backend::move_aside`] gives a [`MoveAside`].
    pub move_aside: bool,
    /// A file of the view, too, becomes visible whole or not at all. Where it is
    /// false, a writer that is cut off can leave the beginning of one.
    pub atomic_view: bool,
    /// A file of the view that was written survives a power cut, as all that is
    /// ours does everywhere. It is false where flushing each one would take too
    /// long and [`WriteMany`] is not offered: then the note of what is being
    /// written stands until a later listing shows all of it (V5).
    pub flushed_view: bool,
    /// How many calls at once are worth having.
    pub parallel: usize,
}

/// A place that stores files by path.
///
/// # Rules for every adapter
///
/// - A write becomes visible whole or not at all; in the view only where
///   [`Capabilities::atomic_view`] says so.
/// - Of two writes with [`Expect::Absent`] to one path, exactly one is done.
/// - A listing is complete or ends in an error; it never stops early in silence.
///   A folder below the prefix that we may not open is an item of its own, the
///   error [`StorageError::Forbidden`] with its path, and the listing goes on.
/// - A listing of the view enters no folder that systems keep there
///   ([`is_system_name`](crate::is_system_name)), unless it is the prefix.
/// - A listing passes over what has a longer path than
///   [`RemotePath::LONGEST`](crate::RemotePath::LONGEST): no project has such a file.
/// - Listing the root gives the view: our own folder `_mirror` is listed only
///   for a prefix inside it.
/// - Parent folders appear when needed and are never listed. An empty folder in
///   the view is in no file's way.
/// - Only plain files with a name in UTF-8 exist for us: nothing else is
///   listed, looked up, read or removed, and where it stands in the way of a
///   write, that write is [`StorageError::Rejected`].
/// - Removing a file that is already gone is [`Guarded::Done`]. Folders of the
///   view around it that hold nothing go, too.
/// - A body that ends early or is longer than it said is an error, and nothing
///   becomes visible.
/// - What was written in our own folder survives a power cut of the service; in
///   the view only where [`Capabilities::flushed_view`] says so.
///
/// What a service can do beyond these is a trait of its own in
/// [`offers`](crate::offers).
///
/// `tests/conformance` checks each rule against each adapter. Retries, pacing
/// and logging belong to the layers around adapters.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Names the account and root for messages; holds no secrets.
    fn label(&self) -> &str;

    fn capabilities(&self) -> Capabilities;

    /// Looks up one file; `None` when there is none.
    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, StorageError>;

    /// Lists every file below `prefix`, in any order.
    fn list<'a>(&'a self, prefix: &'a RemotePath) -> FileStream<'a>;

    /// Reads the bytes of `range`; `None` when there is no such file. A range
    /// that reaches past the end gives the bytes there are.
    async fn read(
        &self,
        path: &RemotePath,
        range: ByteRange,
    ) -> Result<Option<ByteStream>, StorageError>;

    /// Stores `body` at `path` if the file is as `expect` says.
    async fn write(
        &self,
        path: &RemotePath,
        body: Body,
        expect: Expect,
    ) -> Result<Guarded<Revision>, StorageError>;

    /// Removes the file at `path` if it is as `expect` says.
    async fn remove(&self, path: &RemotePath, expect: Expect) -> Result<Guarded<()>, StorageError>;

    /// Removes what uploads left that were cut off, once it is older than `age`
    /// by the service's clock, and says how much that was. An upload that goes
    /// on after all ends in an error, never in less than its body (L9). Nothing
    /// to do where uploads leave nothing.
    async fn sweep(&self, age: Duration) -> Result<usize, StorageError> {
        let _ = age;
        Ok(0)
    }

    /// The service's rename, where it has one ([`Capabilities::move_aside`]).
    fn move_aside(&self) -> Option<&dyn MoveAside> {
        None
    }

    /// Many files in one step, where the service takes them so.
    fn write_many(&self) -> Option<&dyn WriteMany> {
        None
    }

    /// Rights and times of stored files, where the service keeps any.
    fn keep_attributes(&self) -> Option<&dyn KeepAttributes> {
        None
    }

    /// Copies at the far end, where the service makes them.
    fn copy_range(&self) -> Option<&dyn CopyRange> {
        None
    }

    /// Hints at what others change, where the service gives any.
    fn change_feed(&self) -> Option<&dyn ChangeFeed> {
        None
    }
}
