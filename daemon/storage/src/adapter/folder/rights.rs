//! Gives new files and folders their rights, whatever the umask says.
//!
//! Where a disk holds no modes, or isn't ours to say so, they stay as they came:
//! that is how it was mounted, and no reason not to store anything.

use std::os::fd::{AsFd, OwnedFd};
use std::time::SystemTime;

use rustix::fs::{
    Gid, Mode, Stat, Timespec, Timestamps, UTIME_OMIT, fchmod, fchown, fstat, futimens,
};
use rustix::io::Errno;

use super::super::access::Rights;
use crate::rights::hand_on;

/// The mode that a folder is made with; it gets all of its rights by
/// [`set_on_folder`].
pub(super) fn first_of_folder(rights: Rights) -> Mode {
    Mode::from_raw_mode(rights.of_folder().unwrap_or(0o777) & 0o777)
}

/// The mode that a file is made with: nobody but us has a way in before it has
/// all of its rights.
pub(super) fn first_of_file(rights: Rights, is_private: bool) -> Mode {
    Mode::from_raw_mode(rights.of_file(is_private).map_or(0o666, |_| 0o600))
}

pub(super) fn set_on_folder(folder: &OwnedFd, holder: &OwnedFd, rights: Rights) {
    let Some(mode) = rights.of_folder() else { return };
    if rights.is_shared() {
        share_group(folder, holder);
    }
    set_mode(folder, mode);
}

pub(super) fn set_on_file(file: impl AsFd, holder: &OwnedFd, rights: Rights, is_private: bool) {
    let Some(mode) = rights.of_file(is_private) else { return };
    if rights.is_shared() {
        share_group(&file, holder);
    }
    set_mode(file, mode);
}

/// Gives a new file what the one has that it takes the place of: a person may have
/// set it. A private one has it for its owner alone.
pub(super) fn set_as_on(
    file: impl AsFd,
    replaced: impl AsFd,
    is_private: bool,
) -> Result<(), Errno> {
    let mode = fstat(&replaced)?.st_mode;
    hand_on(file, replaced, mode & if is_private { 0o700 } else { 0o777 })
}

fn share_group(made: impl AsFd, holder: &OwnedFd) {
    let Ok((own, above)) = fstat(&made).and_then(|own| Ok((own, fstat(holder)?))) else { return };
    if own.st_gid != above.st_gid {
        let _ = fchown(made, None, Some(Gid::from_raw(above.st_gid)));
    }
}

fn set_mode(new: impl AsFd, mode: u32) {
    if let Err(errno) = fchmod(new, Mode::from_raw_mode(mode)) {
        tracing::debug!("the rights of a new file could not be set: {errno}");
    }
}

/// Dates a file, unless the time is ahead of the file system's clock: `now` is
/// what that says of a file just written.
pub(super) fn set_time(file: impl AsFd, modified: SystemTime, now: &Stat) {
    let Ok(since) = modified.duration_since(SystemTime::UNIX_EPOCH) else { return };
    let Ok(seconds) = i64::try_from(since.as_secs()) else { return };
    if seconds > now.st_mtime {
        return;
    }
    let times = Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: seconds, tv_nsec: since.subsec_nanos().into() },
    };
    if let Err(errno) = futimens(file, &times) {
        tracing::debug!("a new file could not be dated: {errno}");
    }
}
