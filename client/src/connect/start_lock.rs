//! Lets one client at a time start or replace the daemon.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::failure::Failure;

/// A lock file beside the socket. The lock ends with this value or with the
/// process, whichever comes first.
#[derive(Debug)]
pub(super) struct StartLock(File);

impl StartLock {
    pub(super) fn beside(socket: &Path) -> Result<Self, Failure> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(socket.with_extension("start.lock"))?;
        Ok(Self(file))
    }

    /// True when it is ours; asking again keeps it.
    pub(super) fn try_acquire(&self) -> Result<bool, Failure> {
        match flock(&self.0, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(false),
            Err(error) => Err(std::io::Error::from(error).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_belongs_to_one_until_it_is_dropped() {
        let place = tempfile::tempdir().expect("a folder");
        let socket = place.path().join("mirrord.sock");
        let first = StartLock::beside(&socket).expect("opened");
        let second = StartLock::beside(&socket).expect("opened");

        assert!(first.try_acquire().expect("asked"));
        assert!(!second.try_acquire().expect("asked"));
        assert!(first.try_acquire().expect("asked"));
        drop(first);
        assert!(second.try_acquire().expect("asked"));
    }
}
