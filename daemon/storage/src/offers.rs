//! What a service may offer beyond the rules of [`Backend`](crate::Backend).
//!
//! Each offer is a trait, reached through an accessor of `Backend` that is `None`
//! where it isn't made. All but the rename only do better what every service
//! can do: whoever is offered nothing goes the usual way. `tests/conformance`
//! checks each rule against each adapter that makes the offer.

use std::time::SystemTime;

use async_trait::async_trait;

use crate::{Body, Expect, Guarded, RemotePath, Revision, StorageError};

/// Why a layer finds below it what it offers itself.
pub(crate) const OFFERED: &str = "offered only where the layer below offers it";

/// Renames a file to a name that must be absent (V3 stands on it).
#[async_trait]
pub trait MoveAside: Send + Sync {
    /// Renames `from` to `to`, whole, without ever replacing a file at `to`.
    /// `Refused` when `from` is missing or `to` exists. What goes aside leaves
    /// its folders: a new version takes its place, or else a removal.
    async fn rename(&self, from: &RemotePath, to: &RemotePath)
    -> Result<Guarded<()>, StorageError>;
}

/// Where a file is to stand, what has to stand there before, and what it is to
/// have beside its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    pub path: RemotePath,
    pub expect: Expect,
    pub attributes: Attributes,
    /// The file whose rights it gets, if there is one: a file that made way, say,
    /// whose rights a person may have set. A private file gets them for its owner
    /// alone, and no file more than that one had.
    pub rights_of: Option<RemotePath>,
}

impl NewFile {
    /// A file with nothing beside its bytes.
    pub fn plain(path: RemotePath, expect: Expect) -> Self {
        Self { path, expect, attributes: Attributes::default(), rights_of: None }
    }
}

/// What a file may have beside its bytes; a service leaves out in silence what
/// it doesn't keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Nobody but its owner may use it, whoever may use the others.
    pub is_private: bool,
    /// When it was last changed; the moment of the write where nothing is said.
    pub modified: Option<SystemTime>,
}

/// How the write of one file ended.
pub type Stored = Result<Guarded<Revision>, StorageError>;

/// Stores many files in as few steps as the service has: one flush for all of
/// them on a disk, one request where several files fit into one.
///
/// # Rules
///
/// - Each file is stored or refused, or fails, as by
///   [`Backend::write`](crate::Backend::write), and no other file's end depends
///   on that.
/// - The answers stand in the order of what was asked. An error of the call as a
///   whole leaves open what became of each file.
/// - No file has its name before all of its bytes would survive a power cut, and
///   none is [`Guarded::Done`] before its name would, too. A service that can't
///   have files flushed together does not make this offer (V5).
#[async_trait]
pub trait WriteMany: Send + Sync {
    /// Stores each body as its file. No path stands among them twice.
    async fn store_all(&self, files: Vec<(NewFile, Body)>) -> Result<Vec<Stored>, StorageError>;
}

/// Who may use what is stored, beside whoever stored it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Owner,
    /// The group of the backend's folder reads and writes.
    Group,
    /// The group reads and writes, and everybody reads.
    World,
}

/// Which of the [`Attributes`] a service keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptAttributes {
    /// [`Attributes::is_private`], and what [`KeepAttributes::set_access`] says.
    pub access: bool,
    /// [`Attributes::modified`], to the second.
    pub modified: bool,
}

/// Keeps who may use a file and when it was changed.
///
/// # Rules
///
/// - A file is stored or refused, or fails, as by
///   [`Backend::write`](crate::Backend::write); the same bytes with the same
///   attributes are another revision, too.
/// - A file has its attributes as soon as it can be seen: no private file is
///   open to others for a moment.
/// - A file written without attributes has none of those that it replaces.
/// - Where access is kept, a look and a listing say whether a file is private, as
///   it is now, whoever made it so.
/// - A time ahead of the service's clock becomes the moment of the write, by
///   that clock.
///
/// Two versions of one path should not have the same time and size: where no
/// revisions are compared, somebody may take one for the other (V2).
#[async_trait]
pub trait KeepAttributes: Send + Sync {
    fn keeps(&self) -> KeptAttributes;

    /// Has files and folders made for `access` from now on, ours and those of
    /// the view, by whichever call; what is there stays as it is. Before the
    /// first call they are made as the service does it by itself.
    fn set_access(&self, access: Access);

    /// Stores `body` as `file`.
    async fn write_as(&self, file: &NewFile, body: Body) -> Stored;
}

/// A part of a stored file, all of which has to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRange {
    pub path: RemotePath,
    pub start: u64,
    pub len: u64,
}

/// Makes a file out of a part of another at the far end, so that its bytes
/// don't pass through here again.
///
/// # Rules
///
/// - The copy is stored or refused as by a write of the same bytes: whole or not
///   at all.
/// - Where the range reaches past the end of its file, or there is none, that is
///   an error, and nothing becomes visible.
/// - The file that is copied from stays as it is.
///
/// After an error of any kind the bytes are uploaded. On a disk the two may share
/// what they have in common, so a copy is no second one for a repair.
#[async_trait]
pub trait CopyRange: Send + Sync {
    /// The shortest range that it takes; shorter ones are uploaded.
    fn least(&self) -> u64 {
        0
    }

    /// Stores the bytes of `range` as `file`.
    async fn copy(&self, range: &StoredRange, file: &NewFile) -> Stored;
}

/// Tells that files have changed, so that nobody has to ask again and again.
///
/// # Rules
///
/// - Once a file in the folder that is watched, or in a folder right in that one, was
///   stored, replaced or removed, by whomever, a hint follows. One may stand for
///   many changes, or for none.
/// - What changed before the watch began is not hinted at: who has begun one looks.
/// - A watch that may have missed something ends, or no longer holds.
/// - Watching makes and changes nothing.
///
/// Hints say when to look, and nothing else: who is given none looks from time to time.
#[async_trait]
pub trait ChangeFeed: Send + Sync {
    /// Begins to watch `folder`; `None` where no hints can be had now.
    async fn watch(&self, folder: &RemotePath) -> Result<Option<Box<dyn Changes>>, StorageError>;
}

/// What a watch says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    Changed,
    /// There may have been more than was told: look, and watch anew.
    Over,
}

/// A folder that is watched, until this is dropped.
#[async_trait]
pub trait Changes: Send + Sync {
    /// Waits for the next hint. Who gives up waiting misses none.
    async fn next(&mut self) -> Hint;

    /// Whether what stands there now is what is watched; not so once another folder was
    /// moved or mounted over it, which may come without a hint.
    async fn holds(&self) -> bool;
}
