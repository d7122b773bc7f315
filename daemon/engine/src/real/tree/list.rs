//! Lists one folder: one pass over its names, one look at each file. Clears empty
//! ones out of a file's way.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use mirror_core::RelPath;
use rustix::fs::{AtFlags, Dir, FileType, Mode, openat, unlinkat};
use rustix::io::Errno;

use super::error::{self, Result};
use super::root::Root;
use super::sight;
use super::system::FOLDER;
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

/// Deeper ones are left to whoever made them.
const MOST_DEPTH: usize = 64;

/// Removes the folder `name` and those in it, if there is nothing else in any;
/// `false` when it stays.
pub(super) fn clear_empty(parent: BorrowedFd<'_>, name: &str) -> bool {
    holds_nothing(parent, name, MOST_DEPTH) && remove(parent, name)
}

fn holds_nothing(parent: BorrowedFd<'_>, name: &str, depth: usize) -> bool {
    let Some((folder, inner)) = inner_folders(parent, name).filter(|_| depth > 0) else {
        return false;
    };
    inner.iter().all(|inner| holds_nothing(folder.as_fd(), inner, depth - 1))
}

/// Each step removes a folder that is empty, or nothing: what appears in one
/// meanwhile stays.
fn remove(parent: BorrowedFd<'_>, name: &str) -> bool {
    let Some((folder, inner)) = inner_folders(parent, name) else { return false };
    inner.iter().all(|inner| remove(folder.as_fd(), inner))
        && unlinkat(parent, name, AtFlags::REMOVEDIR).is_ok()
}

/// The folders in a folder; `None` when there is anything else in it.
fn inner_folders(parent: BorrowedFd<'_>, name: &str) -> Option<(OwnedFd, Vec<String>)> {
    let folder = openat(parent, name, FOLDER, Mode::empty()).ok()?;
    let mut names = Vec::new();
    for entry in Dir::read_from(&folder).ok()? {
        let entry = entry.ok()?;
        let name = entry.file_name().to_str().ok()?;
        if !matches!(name, "." | "..") {
            names.push(name.to_owned());
        }
    }
    // What is no folder can't be opened as one, here or in the next step.
    let all_folders = names.iter().all(|name| openat(&folder, name, FOLDER, Mode::empty()).is_ok());
    all_folders.then_some((folder, names))
}
