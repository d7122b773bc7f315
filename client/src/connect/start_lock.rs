//! Lets one client at a time start or replace the daemon.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use mirror_proto::v1::FaultClass;

use crate::failure::Failure;
use crate::paths;

/// A lock file beside the daemon's state. The lock ends with this value or with the
/// process, whichever comes first.
#[derive(Debug)]
pub(super) struct StartLock(File);

impl StartLock {
    pub(super) fn in_folder(state: &Path) -> Result<Self, Failure> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(state.join("mirrord.start.lock"))
            .map_err(|error| unusable(state, &error))?;
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

/// Why no daemon can have its state here.
pub(super) fn unusable(state: &Path, error: &io::Error) -> Failure {
    let message = format!("the state folder {} can't be used: {error}", paths::shown(state));
    Failure::no_daemon(FaultClass::Permission, message)
        .with_hint("let XDG_STATE_HOME or MIRRORD_HOME name a folder that can be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_belongs_to_one_until_it_is_dropped() {
        let place = tempfile::tempdir().expect("a folder");
        let first = StartLock::in_folder(place.path()).expect("opened");
        let second = StartLock::in_folder(place.path()).expect("opened");

        assert!(first.try_acquire().expect("asked"));
        assert!(!second.try_acquire().expect("asked"));
        assert!(first.try_acquire().expect("asked"));
        drop(first);
        assert!(second.try_acquire().expect("asked"));
    }
}
