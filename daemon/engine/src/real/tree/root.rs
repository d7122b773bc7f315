//! The way from the root to a folder, on which no link is followed.

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use mirror_core::RelPath;
use rustix::fs::{Mode, OFlags, fstat, fsync, mkdirat, open, stat};
use rustix::io::Errno;

use super::error::{self, Result};
use super::sight::{place_of, type_of};
use super::system;
use crate::outside::{Pin, TreeError};

/// A race with a removal of empty folders is lost this often at most.
const ATTEMPTS: usize = 16;

/// The root of a tree.
///
/// It is opened anew for each call: an open folder would keep its disk from
/// being unmounted. Every call works on the root that [`Root::identity`] last
/// told of, or on the first one seen: when a disk is unmounted midway, the
/// empty folder below it is a missing root, not an empty one.
pub(super) struct Root {
    path: PathBuf,
    known: Mutex<Option<(u64, u64)>>,
}

impl Root {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, known: Mutex::new(None) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn identity(&self) -> io::Result<Option<(u64, u64)>> {
        let identity = match stat(&self.path) {
            Ok(stat) if type_of(&stat).is_dir() => Some(place_of(&stat)),
            Ok(_) => None,
            Err(errno) if error::is_absence_of_root(errno) => None,
            Err(errno) => return Err(errno.into()),
        };
        if identity.is_some() {
            *self.known.lock().unwrap_or_else(PoisonError::into_inner) = identity;
        }
        Ok(identity)
    }

    pub(super) fn pin(&self) -> io::Result<Option<Pin>> {
        let real = match self.path.canonicalize() {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let found = fs::symlink_metadata(&self.path)?;
        if real != self.path || !found.is_dir() {
            return Ok(None);
        }
        let born = found.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let born_ns = born.map(|since| since.as_nanos());
        Ok(Some(Pin { device: found.dev(), inode: found.ino(), born_ns }))
    }

    /// Opens the root, for the sake of `path` when there is one.
    pub(super) fn open(&self, path: Option<&RelPath>) -> Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = open(&self.path, flags, Mode::empty())
            .and_then(|root| Ok((place_of(&fstat(&root)?), root)));
        let (place, root) = opened.map_err(error::at_root(path))?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if *known.get_or_insert(place) != place {
            return Err(TreeError::RootMissing);
        }
        Ok(root)
    }

    /// Opens a folder; `None` when there is none.
    pub(super) fn folder(&self, folder: &RelPath) -> Result<Option<OwnedFd>> {
        let root = self.open(Some(folder))?;
        let opened = system::open_below(root.as_fd(), folder.as_str());
        error::absent_is_none(opened).map_err(error::at(folder))
    }

    /// Opens the folder that holds `path`; `None` when there is none.
    pub(super) fn parent(&self, path: &RelPath) -> Result<Option<OwnedFd>> {
        let root = self.open(Some(path))?;
        let Some((parent, _)) = path.as_str().rsplit_once('/') else {
            return Ok(Some(root));
        };
        error::absent_is_none(system::open_below(root.as_fd(), parent)).map_err(error::at(path))
    }

    /// Opens the folder that holds `path`, making those that are missing.
    pub(super) fn make_parent(&self, path: &RelPath) -> Result<OwnedFd> {
        for _ in 0..ATTEMPTS {
            if let Some(folder) = self.parent(path)? {
                return Ok(folder);
            }
            for folder in path.ancestors() {
                self.make_folder(folder, path)?;
            }
        }
        Err(error::at(path)(Errno::NOENT))
    }

    /// Makes one folder; one that is there, and a parent that another thread
    /// just removed as empty, are fine: [`Root::make_parent`] looks again.
    fn make_folder(&self, folder: &str, path: &RelPath) -> Result<()> {
        let root = self.open(Some(path))?;
        let (above, name) = match folder.rsplit_once('/') {
            Some((parent, name)) => (system::open_below(root.as_fd(), parent), name),
            None => (Ok(root), folder),
        };
        let Some(above) = error::absent_is_none(above).map_err(error::at(path))? else {
            return Ok(());
        };
        match mkdirat(&above, name, Mode::from_raw_mode(0o777)) {
            Ok(()) => fsync(&above).map_err(error::at(path)),
            Err(Errno::EXIST | Errno::NOENT) => Ok(()),
            Err(errno) => Err(error::making(path)(errno)),
        }
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(out)
    }
}
