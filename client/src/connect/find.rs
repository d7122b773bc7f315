//! Finds the daemon that holds this user's folders, by their locks: no kind of
//! login, no logout and no cleaner of temporary folders hides it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use mirror_proto::folders::Folders;
use mirror_proto::holder::{Held, Holder, Phase, holder_of, recorded_in};
use mirror_proto::socket::{candidates, check_folder};
use mirror_proto::v1::FaultClass;

use super::daemon::{Daemon, Socket};
use super::hello::hello;

use crate::failure::Failure;
use crate::paths;

/// Who is there.
#[derive(Debug)]
pub(crate) enum Found {
    Answers(Daemon),
    /// Somebody holds the folders and can't be spoken to: it starts, ends, hangs,
    /// is on another machine, or has just lost its socket.
    Silent(Option<Holder>),
    Nobody,
}

/// Looks once, and waits for nothing.
pub(crate) async fn find(socket: &Socket) -> Result<Found, Failure> {
    match socket {
        Socket::Named(path) => Ok(hello(path).await?.map_or(Found::Nobody, Found::Answers)),
        Socket::Usual(folders) => holder(folders).await,
    }
}

async fn holder(folders: &Folders) -> Result<Found, Failure> {
    // What is written is tried before the lock is: nearly every command ends here.
    let mut unspoken = None;
    for path in sockets(folders) {
        match meet(&path).await {
            Ok(Some(daemon))
                if is_same(Path::new(&daemon.handshake.state_folder), &folders.state) =>
            {
                return Ok(Found::Answers(daemon));
            }
            // Of another state: a lock file that was copied, or folders in common.
            Ok(Some(_) | None) => {}
            Err(failure) => unspoken = unspoken.or(Some(failure)),
        }
    }
    for folder in folders.held() {
        let held = holder_of(folder).map_err(|error| {
            let message = format!("{} can't be looked at: {error}", paths::shown(folder));
            Failure::no_daemon(FaultClass::Permission, message)
        })?;
        if let Held::By(holder) = held {
            if let Some(holder) = holder.as_ref().filter(|holder| is_elsewhere(holder, folders)) {
                return Err(of_another_state(folder, holder));
            }
            return match (unspoken, &holder) {
                (None, _) => Ok(Found::Silent(holder)),
                (Some(failure), None) => Err(failure),
                (Some(mut failure), Some(holder)) => {
                    let message = &mut failure.fault.message;
                    *message = format!("{holder} runs, but {message}");
                    Err(failure)
                }
            };
        }
    }
    Ok(Found::Nobody)
}

/// Where the holder may listen, the likeliest first.
fn sockets(folders: &Folders) -> Vec<PathBuf> {
    let recorded = folders.held().into_iter().find_map(|folder| recorded_in(folder));
    match recorded {
        Some(holder) if holder.phase == Phase::Ending => Vec::new(),
        Some(Holder { socket: Some(socket), .. }) => vec![socket],
        Some(Holder { socket: None, .. }) => Vec::new(),
        // Somebody removed the lock file, or wrote into it.
        None => candidates(&folders.state),
    }
}

async fn meet(path: &Path) -> Result<Option<Daemon>, Failure> {
    if fs::symlink_metadata(path).is_err() {
        return Ok(None);
    }
    check_folder(path)?;
    hello(path).await
}

pub(super) fn is_elsewhere(holder: &Holder, folders: &Folders) -> bool {
    let ours = folders.state.display().to_string().escape_debug().to_string();
    holder.is_of_this_host()
        && holder.state != ours
        && !is_same(Path::new(&holder.state), &folders.state)
}

fn of_another_state(folder: &Path, holder: &Holder) -> Failure {
    let message = format!(
        "{holder} uses {} with its state in {}, not in the state folder of this login",
        paths::shown(folder),
        paths::shown(Path::new(&holder.state)),
    );
    Failure::no_daemon(FaultClass::Usage, message).with_hint(
        "set XDG_STATE_HOME, XDG_DATA_HOME and XDG_CONFIG_HOME as they were when it was started, \
         or give each of the two a MIRRORD_HOME",
    )
}

/// Whether two paths lead to one folder.
fn is_same(one: &Path, other: &Path) -> bool {
    let file = |path| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    one == other || matches!((file(one), file(other)), (Some(one), Some(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use mirror_proto::holder::lock_file;
    use mirror_proto::socket::prepare_folder;
    use tempfile::TempDir;

    use super::*;
    use crate::tests::testing::{FakeDaemon, folders_in};

    /// A login, and a lock on its state that says what it is given.
    struct Login {
        folders: Folders,
        lock: Option<File>,
        _place: TempDir,
    }

    impl Login {
        fn new() -> Self {
            let place = tempfile::tempdir().expect("a folder");
            let folders = folders_in(place.path());
            Self { folders, lock: None, _place: place }
        }

        fn socket(&self) -> PathBuf {
            self.folders.state.join("mirrord.sock")
        }

        fn holds(&mut self, change: impl FnOnce(&mut Holder)) {
            let mut holder = Holder::of_this_process("0.1.0", &self.folders.state);
            (holder.phase, holder.socket) = (Phase::Serving, Some(self.socket()));
            change(&mut holder);
            self.records(&holder);
            let lock = File::open(lock_file(&self.folders.state)).expect("opened");
            lock.lock().expect("locked");
            self.lock = Some(lock);
        }

        fn records(&self, holder: &Holder) {
            fs::write(lock_file(&self.folders.state), holder.to_text()).expect("written");
        }

        fn is_served(&self, socket: &Path) {
            prepare_folder(socket).expect("made");
            FakeDaemon::default().with_state(&self.folders.state).serve(socket);
        }

        async fn finds(&self) -> Found {
            holder(&self.folders).await.expect("looked")
        }
    }

    #[tokio::test]
    async fn daemon_is_found_where_the_lock_says_and_without_it_where_it_would_be() {
        let mut login = Login::new();
        assert!(matches!(login.finds().await, Found::Nobody));

        let elsewhere = login.folders.home.join("run/other.sock");
        login.is_served(&elsewhere);
        login.holds(|holder| holder.socket = Some(elsewhere));
        assert!(matches!(login.finds().await, Found::Answers(_)));

        fs::remove_file(lock_file(&login.folders.state)).expect("removed");
        login.is_served(&login.socket());
        assert!(matches!(login.finds().await, Found::Answers(_)));
    }

    #[tokio::test]
    async fn holder_that_can_not_be_spoken_to_is_named() {
        let mut login = Login::new();
        login.holds(|holder| holder.phase = Phase::Ending);
        let Found::Silent(Some(holder)) = login.finds().await else { panic!("not silent") };
        assert_eq!((holder.pid, holder.phase), (std::process::id(), Phase::Ending));

        login.lock = None;
        assert!(matches!(login.finds().await, Found::Nobody), "a lock that a crash left behind");
    }

    #[tokio::test]
    async fn copied_lock_file_does_not_lead_to_the_daemon_of_the_first_home() {
        let (mut first, copy) = (Login::new(), Login::new());
        first.is_served(&first.socket());
        first.holds(|_| {});
        copy.records(&recorded_in(&first.folders.state).expect("recorded"));

        assert!(matches!(first.finds().await, Found::Answers(_)));
        assert!(matches!(copy.finds().await, Found::Nobody));
    }

    #[tokio::test]
    async fn daemon_of_another_state_with_the_same_data_is_an_error_that_says_so() {
        let mut first = Login::new();
        first.is_served(&first.socket());
        first.holds(|_| {});
        let mut second = Login::new();
        second.folders.data.clone_from(&first.folders.state);

        let failure = holder(&second.folders).await.expect_err("refused");

        let state = first.folders.state.display().to_string();
        assert!(failure.fault.message.contains(&state), "{}", failure.fault.message);
    }
}
