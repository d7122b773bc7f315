//! What stands at a path: nothing, a file in one of its two spellings, or
//! something in a file's way.

use std::os::fd::OwnedFd;
use std::time::{Duration, SystemTime};

use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use super::error::at;
use super::{paths, sys};
use crate::rights::OTHERS;
use crate::{RemoteFile, RemotePath, Revision, StorageError};

/// The file in a folder that makes it an entry of the log; whatever else is in
/// there, a NAS or a file manager has added.
pub(super) const BODY: &str = "body";

pub(super) enum Entry {
    Nothing,
    File(Stat),
    /// An entry of the log as other adapters write it: a folder with a body.
    BodyInFolder(OwnedFd, Stat),
    Folder,
    /// A link, a pipe, a device.
    Other,
}

impl Entry {
    /// Describes the file that stands here, whichever way it is spelled.
    pub(super) fn stat(&self) -> Option<&Stat> {
        match self {
            Self::File(stat) | Self::BodyInFolder(_, stat) => Some(stat),
            Self::Nothing | Self::Folder | Self::Other => None,
        }
    }
}

pub(super) fn entry_at(parent: &OwnedFd, path: &RemotePath) -> Result<Entry, StorageError> {
    if path.is_root() {
        return Ok(Entry::Folder);
    }
    let Some(stat) = sys::stat(parent, path.name()).map_err(at(path))? else {
        return Ok(Entry::Nothing);
    };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(Entry::File(stat)),
        FileType::Directory if paths::is_in_log(path) => {
            let entry = log_entry_at(parent, path.name()).map_err(at(path))?;
            Ok(entry.map_or(Entry::Folder, |(folder, stat)| Entry::BodyInFolder(folder, stat)))
        }
        FileType::Directory => Ok(Entry::Folder),
        _ => Ok(Entry::Other),
    }
}

fn log_entry_at(parent: &OwnedFd, name: &str) -> Result<Option<(OwnedFd, Stat)>, Errno> {
    let folder = match sys::open_folder(parent, name) {
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
        opened => opened?,
    };
    let body = body_in(&folder)?;
    Ok(body.map(|stat| (folder, stat)))
}

/// Describes the body in a folder that has one.
pub(super) fn body_in(folder: &OwnedFd) -> Result<Option<Stat>, Errno> {
    Ok(sys::stat(folder, BODY)?.filter(is_file))
}

pub(super) fn is_file(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

pub(super) fn remote_file(path: &RemotePath, stat: &Stat) -> RemoteFile {
    RemoteFile {
        path: path.clone(),
        size: size(stat),
        modified: modified(stat),
        revision: revision(stat),
        is_private: Some(stat.st_mode & OTHERS == 0),
    }
}

pub(super) fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or_default()
}

/// Which file this is and when it was last touched: no other state of any
/// file on this machine has the same.
pub(super) fn revision(stat: &Stat) -> Revision {
    Revision(format!(
        "{}-{}-{}-{}.{:09}-{}.{:09}",
        stat.st_dev,
        stat.st_ino,
        stat.st_size,
        stat.st_mtime,
        stat.st_mtime_nsec,
        stat.st_ctime,
        stat.st_ctime_nsec,
    ))
}

fn modified(stat: &Stat) -> Option<SystemTime> {
    let seconds = Duration::from_secs(stat.st_mtime.unsigned_abs());
    let nanoseconds: u32 = stat.st_mtime_nsec.try_into().ok()?;
    let whole = if stat.st_mtime < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(seconds)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(seconds)
    };
    whole?.checked_add(Duration::from_nanos(nanoseconds.into()))
}
