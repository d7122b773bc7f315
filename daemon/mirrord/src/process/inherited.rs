//! What a process has from the one that started it.
//!
//! A daemon that a client starts outlives the script, the terminal and the login
//! that it came from, so it keeps nothing of them but the environment and the
//! umask. One that somebody starts in front keeps all, but hands no descriptor on
//! to what it starts itself.

use std::env;
use std::fs;

use rustix::fs::Mode;

/// Lets go of what belongs to whoever started this process. Must be called before
/// anything is opened and any thread is started.
pub(crate) fn detach(on_demand: bool) {
    for descriptor in inherited_descriptors() {
        descriptors::let_go(descriptor, on_demand);
    }
    if on_demand {
        // Out of the terminal's reach: no Ctrl-C, no hang-up, and no ssh that asks
        // there. It fails only for the first process of a group, which is none
        // that a client started.
        let _ = rustix::process::setsid();
    }
}

/// Stands in no folder that somebody wants to unmount; "/" is always there.
pub(crate) fn leave_folder() {
    let _ = env::set_current_dir("/");
}

/// The umask, from now on without what would lock its own user out.
pub(crate) fn umask() -> u32 {
    let found = rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let kept = found.difference(Mode::RWXU);
    rustix::process::umask(kept);
    #[allow(clippy::useless_conversion, reason = "its width is the system's")]
    kept.as_raw_mode().into()
}

/// All descriptors but the standard ones.
fn inherited_descriptors() -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/dev/fd") else {
        return Vec::new();
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    let all: Vec<i32> = names.filter_map(|name| name.to_str()?.parse().ok()).collect();
    all.into_iter().filter(|descriptor| *descriptor > 2).collect()
}

/// Descriptors by their numbers.
mod descriptors {
    #![allow(
        unsafe_code,
        reason = "an inherited descriptor has no owner in this process until it gets one here"
    )]

    use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};

    use rustix::io::{FdFlags, fcntl_setfd};

    /// Closes a descriptor for good, or else only for what this process starts.
    pub(super) fn let_go(descriptor: i32, for_good: bool) {
        // SAFETY: nothing in this process has opened anything yet, so a number that
        // is taken belongs to nobody here. It is looked at first: the listing's own
        // descriptor was among them and is closed by now.
        let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
        let is_open = fcntl_setfd(borrowed, FdFlags::CLOEXEC).is_ok();
        if is_open && for_good {
            // SAFETY: as above, and nobody uses the number from here on.
            drop(unsafe { OwnedFd::from_raw_fd(descriptor) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn umask_never_takes_the_rights_of_the_files_own_user() {
        let before = rustix::process::umask(Mode::from_raw_mode(0o767));
        let kept = umask();
        let after = rustix::process::umask(before);
        assert_eq!((kept, after.as_raw_mode()), (0o067, 0o067));
    }
}
