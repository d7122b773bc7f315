//! Finds, makes and clears away the folders that files stand in.
//!
//! Paths are walked segment by segment below the root, and no segment may be a
//! link, so nothing outside of the root is ever reached.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::super::access::Rights;
use super::error::{at, root_error};
use super::{rights, sys};
use crate::{OUR_FOLDER, RemotePath, StorageError};

/// How often a folder is made again when others clear it away meanwhile.
pub(super) const TRIES: usize = 16;

/// The backend's folder, opened for one call.
pub(super) struct Root {
    folder: OwnedFd,
    /// How files and folders are made.
    pub(super) rights: Rights,
}

impl Root {
    pub(super) fn open(folder: &Path, path: &RemotePath) -> Result<Self, StorageError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(folder, flags, Mode::empty())
            .map(|folder| Self { folder, rights: Rights::default() })
            .map_err(|errno| root_error(errno, folder, path))
    }

    /// Makes files and folders with these rights.
    pub(super) fn with(self, rights: Rights) -> Self {
        Self { rights, ..self }
    }

    /// Opens the folder at `path`; `None` when there is none.
    pub(super) fn folder(&self, path: &RemotePath) -> Result<Option<OwnedFd>, StorageError> {
        self.walk(segments(path.as_str()), path)
    }

    /// Opens the folder that `path` stands in; `None` when there is none.
    pub(super) fn parent_of(&self, path: &RemotePath) -> Result<Option<OwnedFd>, StorageError> {
        self.walk(segments(parent(path)), path)
    }

    /// Opens the folder that `path` stands in, and makes it if need be.
    pub(super) fn make_parent_of(&self, path: &RemotePath) -> Result<OwnedFd, StorageError> {
        self.make_folders(parent(path), path)
    }

    /// Opens `folder` on behalf of `path`, and makes it if need be.
    pub(super) fn make_folders(
        &self,
        folder: &str,
        path: &RemotePath,
    ) -> Result<OwnedFd, StorageError> {
        for _ in 0..TRIES {
            match self.make_once(folder) {
                // Cleared away between two steps, by one who found it empty.
                Err(Errno::NOENT) => {}
                made => return made.map_err(at(path)),
            }
        }
        Err(at(path)(Errno::NOENT))
    }

    fn make_once(&self, folder: &str) -> Result<OwnedFd, Errno> {
        let mut here = self.duplicate()?;
        for name in segments(folder) {
            here = match step(&here, name) {
                Err(Errno::NOENT) => make_folder(&here, name, self.rights)?,
                stepped => stepped?,
            };
        }
        Ok(here)
    }

    fn walk<'a>(
        &self,
        names: impl Iterator<Item = &'a str>,
        path: &RemotePath,
    ) -> Result<Option<OwnedFd>, StorageError> {
        let mut here = self.duplicate().map_err(at(path))?;
        for name in names {
            here = match step(&here, name) {
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
                stepped => stepped.map_err(at(path))?,
            };
        }
        Ok(Some(here))
    }

    fn duplicate(&self) -> Result<OwnedFd, Errno> {
        rustix::io::fcntl_dupfd_cloexec(&self.folder, 0)
    }

    /// Removes the folders around `path` that hold nothing any more, up to the
    /// root or the uppermost folder of a kind of our own.
    pub(super) fn remove_empty_parents(&self, path: &RemotePath) {
        let kept = if path.is_ours() { 2 } else { 0 };
        let mut folder = parent(path);
        while segments(folder).count() > kept {
            let folder_path = RemotePath::new(folder).expect("a part of a normal path");
            let Ok(Some(holder)) = self.parent_of(&folder_path) else {
                return;
            };
            if remove_folder(&holder, folder_path.name()).is_err() {
                return;
            }
            folder = above(folder);
        }
    }
}

/// Removes the folder `name` and those in it, if there is no file in any.
pub(super) fn clear_empty(holder: &OwnedFd, name: &str) -> bool {
    if let Ok(folder) = sys::open_folder(holder, name) {
        let inner = sys::entries(&folder).unwrap_or_default();
        for (inner, kind) in inner {
            if kind != FileType::Directory || !clear_empty(&folder, &inner) {
                return false;
            }
        }
    }
    remove_folder(holder, name).is_ok()
}

fn remove_folder(holder: &OwnedFd, name: &str) -> Result<(), Errno> {
    rustix::fs::unlinkat(holder, name, AtFlags::REMOVEDIR)
}

fn make_folder(holder: &OwnedFd, name: &str, rights: Rights) -> Result<OwnedFd, Errno> {
    let made = rustix::fs::mkdirat(holder, name, rights::first_of_folder(rights));
    let folder = match made {
        // Made by another just now: it may not have flushed it yet.
        Ok(()) | Err(Errno::EXIST) => step(holder, name)?,
        Err(errno) => return Err(errno),
    };
    if made.is_ok() {
        rights::set_on_folder(&folder, holder, rights);
    }
    sys::flush_folder(holder)?;
    Ok(folder)
}

/// Opens the folder `name`: `LOOP` for a link, whatever the system says there.
fn step(holder: &OwnedFd, name: &str) -> Result<OwnedFd, Errno> {
    match sys::open_folder(holder, name) {
        Err(Errno::NOTDIR) => match sys::stat(holder, name)? {
            Some(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink => {
                Err(Errno::LOOP)
            }
            _ => Err(Errno::NOTDIR),
        },
        opened => opened,
    }
}

/// The folder `path` stands in, empty for the root.
fn parent(path: &RemotePath) -> &str {
    above(path.as_str())
}

fn above(text: &str) -> &str {
    text.rsplit_once('/').map_or("", |(above, _)| above)
}

fn segments(folder: &str) -> impl Iterator<Item = &str> {
    folder.split('/').filter(|name| !name.is_empty())
}

/// Where uploads under way stand.
pub(super) fn temps_folder() -> RemotePath {
    RemotePath::new(format!("{OUR_FOLDER}/tmp")).expect("our own names are normal")
}

/// Whether an entry of the log may stand there, so that a folder with a file
/// `body` is one: `_mirror/log/<shard>/<name>`.
pub(super) fn is_in_log(path: &RemotePath) -> bool {
    let names: Vec<_> = segments(path.as_str()).collect();
    matches!(names[..], [OUR_FOLDER, "log", _, _])
}
