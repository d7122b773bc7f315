//! One project's working tree, reached by mirrored paths only.
//!
//! Implementations open parents without following links, so that no path of a
//! commit can reach outside the root. All calls block: the engine offloads them.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::Path;

use mirror_core::patterns::{AgentFolder, Memories};
use mirror_core::{Digest, Kind, RelPath, State, Timestamp};
use serde::{Deserialize, Serialize};

/// Which file stands at a path, told without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub dev: u64,
    pub inode: u64,
    pub ctime_ns: i64,
}

/// What the file system says of a file or link, without its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    pub kind: Kind,
    pub identity: Identity,
    pub size: u64,
    pub mtime_ns: i64,
    pub exec: bool,
    /// It goes by other names, too, by which it changes without an event here.
    pub is_linked: bool,
    /// Nobody but its owner has any rights (B14).
    pub private: bool,
}

/// How a file is to be made, beside its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    pub kind: Kind,
    pub exec: bool,
    /// For its owner alone, whatever it is now (B14).
    pub private: bool,
    /// When it was changed, for a file that takes nobody's place. One that does
    /// was changed now: tools compare that with when they read it.
    pub modified: Option<Timestamp>,
}

impl Manner {
    pub fn of(kind: Kind, exec: bool) -> Self {
        Self { kind, exec, private: false, modified: None }
    }
}

/// Another file system that is mounted below the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountPoint {
    pub path: RelPath,
    /// What is mounted there; the same for the same disk or server, if it kept its
    /// number.
    pub identity: String,
    pub is_file: bool,
    /// Other machines or programs may write there without an event on this one.
    pub is_shared: bool,
    /// It answered a first look in time.
    pub answers: bool,
}

/// Which folder a root is, told from one that is made later in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    pub device: u64,
    pub inode: u64,
    /// When it was made, where the file system says so.
    pub born_ns: Option<u128>,
}

/// What is mounted where, by path below the root.
pub type Mounts = BTreeMap<RelPath, String>;

/// What one look into a folder found, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DirEntry {
    File(Stamp),
    Folder,
    /// A socket, pipe or device.
    Special,
    /// It is there, but could not be looked at.
    Unreadable,
}

/// One name in a folder. `None` stands for a name that is not UTF-8; `shown`
/// is then the name with its bad bytes replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub name: Option<String>,
    pub shown: String,
    pub entry: DirEntry,
}

/// What must stand at a path for a local write or removal to go ahead (B9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    Absent,
    /// This very content; the file that came out is digested to be sure.
    State(State),
}

/// A new content beside its place, complete and flushed, not visible yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    pub path: RelPath,
    /// The name of the temporary file, in the same folder as `path`.
    pub temp_name: String,
    pub state: State,
    pub stamp: Stamp,
}

/// How putting a staged file in its place ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    Done(Stamp),
    /// Something else stood there; it stands there still.
    Changed,
}

/// How removing a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    Done,
    /// Something else stood there; it stands there still.
    Changed,
}

/// Why the working tree could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    #[error("the project's folder is missing")]
    RootMissing,
    #[error("the project's folder could not be read")]
    RootFailed(#[source] io::Error),
    #[error("a link or a file stands in the way of {0}")]
    Obstructed(RelPath),
    #[error("{0} is a folder here, and not empty")]
    IsFolder(RelPath),
    #[error("the link {0} points to where no mirrored link may")]
    LinkRefused(RelPath),
    #[error("{0} lies in a folder of mirrord's own")]
    OurOwn(RelPath),
    #[error("an agent keeps {0} to its machine, and no commit changes that")]
    OfAgent(RelPath),
    #[error("no folder of this machine stands for that of {0}, or it isn't there as it was")]
    Unmapped(RelPath),
    #[error("the disk is full")]
    Full,
    #[error("no permission for {0}")]
    Forbidden(RelPath),
    #[error("this file system cannot hold the name {0}")]
    NameRefused(RelPath),
    #[error("{path} could not be accessed")]
    Failed {
        path: RelPath,
        #[source]
        cause: io::Error,
    },
}

/// What the file system under the root can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeTraits {
    /// Whether the executable bit of a file is kept, and its other modes.
    pub exec: bool,
}

/// A file's bytes or a link's target, with the stamp of that very file.
pub type Opened = (Stamp, Box<dyn io::Read + Send>);

/// One project's working tree.
///
/// # Rules
///
/// - No call follows a link, in any component of a path.
/// - A file appears whole, under its name, or not at all.
/// - A file that is not as expected is never replaced or removed: what came
///   out is looked at, and put back when it is something else (B9). Should yet
///   another version have taken the place meanwhile, that one stays and the
///   version that was out is handed to `rescued`.
/// - A put, a removal or a restoring that has ended survives power loss.
/// - Files that are not asked for keep their mtime.
/// - A file that replaces another has its rights or fewer, never more: who owns
///   it, lists of rights and what is attached to it, as far as we may say so.
pub trait Tree: Send + Sync {
    /// Identifies the root folder (device, inode); `None` when it is missing.
    fn root_identity(&self) -> io::Result<Option<(u64, u64)>>;

    fn traits(&self) -> TreeTraits;

    /// What is mounted below the root, as far as the system tells, at paths that
    /// are `wanted`. Never waits for a mount that doesn't answer.
    fn mounts(&self, _wanted: &dyn Fn(&RelPath) -> bool) -> Vec<MountPoint> {
        Vec::new()
    }

    /// Lists one folder, `None` for the root; no order. A folder that is gone
    /// lists as empty, except the root ([`TreeError::RootMissing`]).
    fn list(&self, folder: Option<&RelPath>) -> Result<Vec<Found>, TreeError>;

    /// Looks at one file or link; `None` when there is none (or a folder).
    fn stamp(&self, path: &RelPath) -> Result<Option<Stamp>, TreeError>;

    /// Opens a file's bytes, or a link's target text, with its stamp of now.
    fn open(&self, path: &RelPath) -> Result<Option<Opened>, TreeError>;

    /// The target of a link; `None` when no link stands there.
    fn link_at(&self, path: &RelPath) -> Result<Option<Vec<u8>>, TreeError> {
        let is_link = |stamp: &Stamp| stamp.kind == Kind::Link;
        if !self.stamp(path)?.as_ref().is_some_and(is_link) {
            return Ok(None);
        }
        let Some((stamp, reader)) = self.open(path)? else { return Ok(None) };
        let mut target = Vec::new();
        let read = reader.take(LONGEST_TARGET).read_to_end(&mut target);
        read.map_err(|cause| TreeError::Failed { path: path.clone(), cause })?;
        Ok(is_link(&stamp).then_some(target))
    }

    /// The folders and files of our own that lie in this tree, by their names.
    fn own_places(&self) -> Vec<RelPath> {
        Vec::new()
    }

    /// Where agents keep what is of this machine alone, seen from this tree.
    fn agent_folders(&self) -> Vec<AgentFolder> {
        Vec::new()
    }

    /// Which folder the root is; `None` when it is missing, or a link leads to it.
    fn pin(&self) -> io::Result<Option<Pin>> {
        Ok(None)
    }

    /// The folders outside this tree's own that stand for shared ones, those that are
    /// there as they were (B15); `None` for a tree that has none mapped.
    fn memories(&self) -> Option<Memories> {
        None
    }

    /// Whether a folder is one of our own, by whatever name it is reached.
    fn is_own(&self, _folder: &RelPath) -> bool {
        false
    }

    /// The path in this tree that an absolute one means.
    fn path_of(&self, _absolute: &Path) -> Option<RelPath> {
        None
    }

    /// Whether git is changing the repository whose working tree begins in this
    /// folder: it holds its index, or a merge, a rebase or the like is under way.
    /// `None` means the root, or the folder above it that is one.
    fn is_git_at_work(&self, _folder: Option<&RelPath>) -> bool {
        false
    }

    /// Writes `content` beside `path`, flushes it and gives its digest; makes
    /// missing parents. A link is checked against B9 and becomes a link.
    fn stage(
        &self,
        path: &RelPath,
        manner: Manner,
        temp_name: &str,
        content: &mut dyn io::Read,
    ) -> Result<Staged, TreeError>;

    /// Puts a staged file in its place if what stands there is as expected.
    /// On [`Put::Changed`] the staged file is removed.
    fn put(
        &self,
        staged: &Staged,
        expected: Expected,
        rescued: &mut dyn FnMut(&mut dyn io::Read) -> io::Result<()>,
    ) -> Result<Put, TreeError>;

    /// Removes a file, and folders above it that this leaves empty, if the
    /// file is as expected. `temp_name` is where it stands while looked at.
    fn take(
        &self,
        path: &RelPath,
        expected: State,
        temp_name: &str,
        rescued: &mut dyn FnMut(&mut dyn io::Read) -> io::Result<()>,
    ) -> Result<Taken, TreeError>;

    /// Renames one of our temporary files beside `path` back to `path` if
    /// nothing stands there; `false` when something does. For settling what a
    /// crash left (B3).
    fn restore_temp(&self, path: &RelPath, temp_name: &str) -> Result<bool, TreeError>;

    /// Looks at a temporary file of ours beside `path`: its state, if it is there.
    fn look_at_temp(&self, path: &RelPath, temp_name: &str) -> Result<Option<State>, TreeError>;

    /// Opens a temporary file of ours beside `path`.
    fn open_temp(
        &self,
        path: &RelPath,
        temp_name: &str,
    ) -> Result<Option<Box<dyn io::Read + Send>>, TreeError>;

    /// Removes a temporary file of ours beside `path`, with those that were made
    /// on the way to it; gone already is fine.
    fn remove_temp(&self, path: &RelPath, temp_name: &str) -> Result<(), TreeError>;

    /// Returns once what stands at `path` now, or that nothing does, survives
    /// power loss.
    fn flush(&self, path: &RelPath) -> Result<(), TreeError>;
}

/// A byte more than a target can have.
const LONGEST_TARGET: u64 = 4_096;

/// Names our temporary files in a working tree start with this; patterns never
/// cover them.
pub const TEMP_PREFIX: &str = ".mirrord-";

/// The second temporary name that a tree may use beside one that it was given. A
/// crash may leave a version there, too.
pub fn spare_of(temp_name: &str) -> String {
    format!("{temp_name}-new")
}

/// Ends the name under which a new version is written. A crash may leave half of
/// it there, which is never taken for a version of anyone.
pub const UNFINISHED_SUFFIX: &str = "-stage";

/// Digests what a reader gives.
pub fn digest_of(reader: &mut dyn io::Read) -> io::Result<(Digest, u64)> {
    let mut hasher = mirror_core::digest::Hasher::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut size = 0;
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok((hasher.finish(), size)),
            Ok(count) => {
                hasher.update(&buffer[..count]);
                size += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
