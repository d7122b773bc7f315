//! One daemon to a set of folders, whatever finds it and however often it is started.
//!
//! Each folder has a lock that the system drops with the process, and in the lock's
//! own file stands who holds it and where that one listens. State, data and
//! settings are held each: two logins may agree on one of them only.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use mirror_proto::holder::{Holder, lock_file, recorded_in};

use crate::facts::VERSION;
use crate::folders::{Folders, make_private};

/// A client that looks has the lock for a moment, and so has a process that is
/// being started by one which has just ended.
const TRIES: usize = 10;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// Why a folder isn't this daemon's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClaimError {
    #[error("{} is used by {}", folder.display(), told(holder.as_deref()))]
    Held { folder: PathBuf, holder: Option<Box<Holder>> },
    #[error("{} can't be locked", folder.display())]
    Unusable {
        folder: PathBuf,
        #[source]
        cause: io::Error,
    },
}

fn told(holder: Option<&Holder>) -> String {
    holder.map_or_else(|| "a daemon that is just starting".to_owned(), Holder::to_string)
}

impl ClaimError {
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Held { holder: Some(holder), .. } if !holder.is_of_this_host() => {
                "one machine at a time: let MIRRORD_HOME name a folder of this machine's own".into()
            }
            Self::Held { .. } => {
                "use that one, or end it with `mirrorctl daemon stop`; two daemons of one user \
                 need a MIRRORD_HOME each"
                    .into()
            }
            Self::Unusable { .. } => {
                "let MIRRORD_HOME name a folder on a disk that has locks and can be written".into()
            }
        }
    }
}

/// One held folder.
#[derive(Debug)]
struct Claim {
    folder: PathBuf,
    lock: File,
}

impl Claim {
    fn take(folder: &Path) -> Result<Self, ClaimError> {
        let unusable = |cause| ClaimError::Unusable { folder: folder.to_owned(), cause };
        for _ in 0..TRIES {
            let lock = open(folder).map_err(unusable)?;
            match lock.try_lock() {
                Ok(()) => {
                    let claim = Self { folder: folder.to_owned(), lock };
                    // Removed between the two steps, it would hold nobody off.
                    if claim.is_in_place() {
                        return Ok(claim);
                    }
                }
                Err(TryLockError::WouldBlock) => thread::sleep(BETWEEN_TRIES),
                Err(TryLockError::Error(cause)) => return Err(unusable(cause)),
            }
        }
        Err(ClaimError::Held {
            folder: folder.to_owned(),
            holder: recorded_in(folder).map(Box::new),
        })
    }

    /// Whether the file that is locked is still the one that others find.
    fn is_in_place(&self) -> bool {
        let found = fs::symlink_metadata(lock_file(&self.folder));
        match (self.lock.metadata(), found) {
            (Ok(ours), Ok(found)) => (ours.dev(), ours.ino()) == (found.dev(), found.ino()),
            _ => false,
        }
    }

    /// Written over what stands there, then cut: whoever reads meanwhile finds a
    /// whole text at its beginning.
    fn write(&self, text: &str) -> io::Result<()> {
        self.lock.write_all_at(text.as_bytes(), 0)?;
        self.lock.set_len(text.len() as u64)
    }
}

fn open(folder: &Path) -> io::Result<File> {
    let file = lock_file(folder);
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(file)
}

/// All folders that this daemon holds; they are free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Claims(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    holder: Holder,
    claims: Vec<Claim>,
}

impl Claims {
    /// Takes all folders or none.
    pub(crate) fn take(folders: &Folders) -> Result<Self, ClaimError> {
        let holder = Holder::of_this_process(VERSION, &folders.state);
        let mut claims = vec![Claim::take(&folders.state)?];
        for folder in [&folders.data, &folders.config] {
            let is_taken = |claim: &Claim| fs::canonicalize(&claim.folder).ok() == real(folder);
            if claims.iter().any(is_taken) {
                continue;
            }
            match Claim::take(folder) {
                Ok(claim) => claims.push(claim),
                // Settings may be there to be read only.
                Err(ClaimError::Unusable { cause, .. })
                    if *folder == folders.config && is_read_only(&cause) => {}
                Err(error) => return Err(error),
            }
        }
        let taken = Self(Mutex::new(Inner { holder, claims }));
        taken.tell(|_| {});
        Ok(taken)
    }

    /// Changes what the lock files say.
    pub(crate) fn tell(&self, change: impl FnOnce(&mut Holder)) {
        let mut inner = self.inner();
        change(&mut inner.holder);
        let text = inner.holder.to_text();
        for claim in &inner.claims {
            if let Err(error) = claim.write(&text) {
                // Tried again at the next look; until then clients look elsewhere.
                tracing::warn!(%error, "a lock file could not be written");
            }
        }
    }

    /// Makes again what somebody removed or overwrote.
    ///
    /// An error means that another daemon was faster: this one has to end.
    pub(crate) fn keep(&self) -> Result<(), ClaimError> {
        let mut inner = self.inner();
        let Inner { holder, claims } = &mut *inner;
        for claim in claims {
            if !claim.is_in_place() {
                tracing::warn!(folder = %claim.folder.display(), "the lock file was taken away");
                if let Err(error) = make_private(&claim.folder) {
                    tracing::warn!(%error, "the folder can't be made again");
                    continue;
                }
                match Claim::take(&claim.folder) {
                    Ok(taken) => *claim = taken,
                    Err(error @ ClaimError::Held { .. }) => return Err(error),
                    Err(ClaimError::Unusable { cause, .. }) => {
                        tracing::warn!(error = %cause, "the lock file can't be made again");
                        continue;
                    }
                }
            }
            if recorded_in(&claim.folder).as_ref() != Some(holder)
                && let Err(error) = claim.write(&holder.to_text())
            {
                tracing::warn!(%error, "a lock file could not be written");
            }
        }
        Ok(())
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().expect("nobody panics with it")
    }
}

fn real(folder: &Path) -> Option<PathBuf> {
    fs::canonicalize(folder).ok()
}

fn is_read_only(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

#[cfg(test)]
mod tests {
    use mirror_proto::holder::{Held, Phase, holder_of};

    use super::*;

    fn folders(place: &Path) -> Folders {
        let [config, data, state, cache] =
            ["config", "data", "state", "cache"].map(|name| place.join(name));
        let folders = Folders { config, data, state, cache, home: place.to_owned() };
        folders.prepare().unwrap();
        folders
    }

    #[test]
    fn second_daemon_is_told_who_holds_the_folders() {
        let place = tempfile::tempdir().unwrap();
        let folders = folders(place.path());
        let first = Claims::take(&folders).unwrap();
        first.tell(|holder| holder.socket = Some("/run/s.sock".into()));

        let refused = Claims::take(&folders).unwrap_err();

        let told = refused.to_string();
        let pid = std::process::id();
        assert!(told.contains(&format!("mirrord {VERSION} (pid {pid})")), "{told}");
        let Held::By(Some(holder)) = holder_of(&folders.state).unwrap() else { panic!("{told}") };
        assert_eq!(holder.socket.as_deref(), Some(Path::new("/run/s.sock")));

        drop(first);
        Claims::take(&folders).unwrap();
    }

    #[test]
    fn daemon_with_another_state_can_not_share_the_data_or_the_settings() {
        let place = tempfile::tempdir().unwrap();
        let first = folders(place.path());
        let _first = Claims::take(&first).unwrap();
        let other = folders(&place.path().join("other"));
        for shared in [&first.data, &first.config] {
            let mut mixed = other.clone();
            if *shared == first.data {
                mixed.data.clone_from(shared);
            } else {
                mixed.config.clone_from(shared);
            }
            let refused = Claims::take(&mixed).unwrap_err();
            assert!(matches!(&refused, ClaimError::Held { folder, .. } if folder == shared));
        }
        Claims::take(&other).unwrap();
    }

    #[test]
    fn one_folder_for_two_kinds_is_held_once() {
        let place = tempfile::tempdir().unwrap();
        let mut folders = folders(place.path());
        folders.data.clone_from(&folders.state);
        Claims::take(&folders).unwrap();
    }

    #[test]
    fn what_is_removed_or_overwritten_is_made_again() {
        let place = tempfile::tempdir().unwrap();
        let folders = folders(place.path());
        let claims = Claims::take(&folders).unwrap();
        claims.tell(|holder| holder.phase = Phase::Serving);
        let told = recorded_in(&folders.state).unwrap();
        let overwrite = || fs::write(lock_file(&folders.state), "noise").unwrap();
        let remove = || fs::remove_file(lock_file(&folders.state)).unwrap();
        let remove_all = || fs::remove_dir_all(&folders.state).unwrap();
        for harm in [&overwrite as &dyn Fn(), &remove, &remove_all] {
            harm();
            claims.keep().unwrap();
            assert_eq!(holder_of(&folders.state).unwrap(), Held::By(Some(told.clone())));
        }
    }

    #[test]
    fn daemon_whose_folder_another_has_taken_meanwhile_learns_it() {
        let place = tempfile::tempdir().unwrap();
        let folders = folders(place.path());
        let claims = Claims::take(&folders).unwrap();
        fs::remove_file(lock_file(&folders.state)).unwrap();
        let _other = Claim::take(&folders.state).unwrap();

        assert!(matches!(claims.keep(), Err(ClaimError::Held { .. })));
    }
}
