//! Removes what uploads left that were cut off (L9).
//!
//! What is old enough is renamed first, to a name that no upload knows. One that
//! goes on after all misses its file then, and fails: it can't publish what a
//! sweep has emptied.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::fs::{AtFlags, FileType, Stat};
use rustix::io::Errno;

use super::super::temp_names;
use super::error::{at, rejected};
use super::paths::Root;
use super::stat::BODY;
use super::sys;
use super::upload::Upload;
use crate::{RemotePath, StorageError};

pub(super) fn sweep(root: &Root, temps: &RemotePath, age: Duration) -> Result<usize, StorageError> {
    let Some(folder) = root.folder(temps)? else { return Ok(0) };
    let mut uploads = sys::entries(&folder).map_err(at(temps))?;
    uploads.retain(|(name, _)| temp_names::moment(name).is_some());
    if uploads.is_empty() {
        return Ok(0);
    }
    // The clock of the file system, which may be another machine's.
    let now = Upload::new(root, temps, false)?.changed().map_err(at(temps))?;
    let age = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
    let is_old = |stat: &Stat| now.saturating_sub(stat.st_mtime) > age;
    let (mut swept, mut failed) = (0, None);
    for (name, _) in uploads {
        match remove_if_old(&folder, &name, is_old) {
            Ok(is_removed) => swept += usize::from(is_removed),
            // Another sweep, or the upload itself, was faster.
            Err(Errno::NOENT) => {}
            // What can't go keeps nothing else.
            Err(errno) => drop(failed.get_or_insert_with(|| stuck(errno, temps, &name))),
        }
    }
    failed.map_or(Ok(swept), Err)
}

fn stuck(errno: Errno, temps: &RemotePath, name: &str) -> StorageError {
    match RemotePath::new(format!("{temps}/{name}")) {
        Ok(path) if matches!(errno, Errno::NOTEMPTY | Errno::EXIST) => {
            rejected(&path, temp_names::STUCK)
        }
        _ => at(temps)(errno),
    }
}

fn remove_if_old(
    folder: &OwnedFd,
    name: &str,
    is_old: impl Fn(&Stat) -> bool,
) -> Result<bool, Errno> {
    if !sys::stat(folder, name)?.is_some_and(|stat| is_old(&stat)) {
        return Ok(false);
    }
    let swept = temp_names::swept_name();
    rustix::fs::renameat(folder, name, folder, &swept)?;
    let Some(stat) = sys::stat(folder, &swept)? else { return Ok(false) };
    if !is_old(&stat) {
        // It was written to meanwhile. Its upload fails, and it waits anew.
        return Ok(false);
    }
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        return rustix::fs::unlinkat(folder, &swept, AtFlags::empty()).map(|()| true);
    }
    match rustix::fs::unlinkat(sys::open_folder(folder, &swept)?, BODY, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(errno),
    }
    rustix::fs::unlinkat(folder, &swept, AtFlags::REMOVEDIR).map(|()| true)
}
