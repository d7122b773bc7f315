//! Lists one folder: one pass over its names, one look at each file.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use mirror_core::RelPath;
use rustix::fs::{Dir, FileType};
use rustix::io::Errno;

use super::error::{self, Result};
use super::root::Root;
use super::sight;
use crate::outside::{DirEntry, Found};

pub(super) fn list(root: &Root, folder: Option<&RelPath>) -> Result<Vec<Found>> {
    let opened = match folder {
        Some(folder) => root.folder(folder)?,
        None => Some(root.open(None)?),
    };
    let Some(opened) = opened else {
        return Ok(Vec::new());
    };
    read(&opened).map_err(|errno| match folder {
        Some(folder) => error::at(folder)(errno),
        None => error::at_root(None)(errno),
    })
}

fn read(folder: &OwnedFd) -> std::result::Result<Vec<Found>, Errno> {
    let mut found = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let Some(looked) = look(folder.as_fd(), name, entry.file_type()) else {
            continue;
        };
        let shown = name.to_string_lossy().into_owned();
        let name = name.to_str().ok().map(str::to_owned);
        found.push(Found { name, shown, entry: looked });
    }
    Ok(found)
}

/// Looks at one entry; `None` when it is gone again. Most file systems say what
/// is a folder while they are listed, which saves the look.
fn look(folder: BorrowedFd<'_>, name: &std::ffi::CStr, hint: FileType) -> Option<DirEntry> {
    if hint == FileType::Directory {
        return Some(DirEntry::Folder);
    }
    let stat = match sight::stat_of(folder, name) {
        Ok(stat) => stat,
        Err(Errno::NOENT) => return None,
        Err(_) => return Some(DirEntry::Unreadable),
    };
    Some(match (sight::stamp_of(&stat), sight::type_of(&stat)) {
        (Some(stamp), _) => DirEntry::File(stamp),
        (None, FileType::Directory) => DirEntry::Folder,
        (None, _) => DirEntry::Special,
    })
}
