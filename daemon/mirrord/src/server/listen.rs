//! Where clients come in: a Unix socket that only its user can reach.
//!
//! One daemon a socket, by a lock that the system drops with the process. The
//! folder, the socket's mode and the peer's user id are checked each on its
//! own. A named pipe on Windows would take this module's place.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};

use futures::Stream;
use mirror_proto::socket::{FolderError, prepare_folder, user_id};
use tokio::net::{UnixListener, UnixStream};

/// Why nobody can come in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("a daemon is already running on {}", .0.display())]
    SecondDaemon(PathBuf),
    #[error("{} is in the way and is not a socket", .0.display())]
    NotASocket(PathBuf),
    #[error("the socket {} can't be used", path.display())]
    Unusable {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
}

impl ListenError {
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Folder(_) => Some(
                "nobody else may be able to enter it: remove it, or `chmod 700` it if it is yours",
            ),
            Self::SecondDaemon(_) => Some("use that one, or end it with `mirrorctl daemon stop`"),
            Self::NotASocket(_) => Some("move it away"),
            Self::Unusable { .. } => None,
        }
    }
}

/// A bound socket; it goes away with this value.
#[derive(Debug)]
pub(crate) struct Endpoint {
    path: PathBuf,
    listener: UnixListener,
    _lock: File,
}

impl Endpoint {
    /// Binds the socket, after anything stale there is removed. Must be called
    /// inside a runtime.
    pub(crate) fn bind(path: &Path) -> Result<Self, ListenError> {
        prepare_folder(path)?;
        let unusable = |cause| ListenError::Unusable { path: path.to_owned(), cause };
        let lock = lock_beside(path).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(ListenError::SecondDaemon(path.to_owned()));
            }
            Err(TryLockError::Error(cause)) => return Err(unusable(cause)),
        }
        remove_stale(path)?;
        let listener = UnixListener::bind(path).map_err(unusable)?;
        fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(unusable)?;
        Ok(Self { path: path.to_owned(), listener, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The connections of this user; anybody else's are dropped.
    pub(crate) fn connections(&self) -> impl Stream<Item = io::Result<UnixStream>> + '_ {
        futures::stream::unfold(&self.listener, |listener| async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) if is_ours(&stream) => return Some((Ok(stream), listener)),
                    Ok(_) => tracing::warn!("a connection of another user was refused"),
                    Err(error) => {
                        // Out of descriptors, most likely: the next try shouldn't spin.
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    }
                }
            }
        })
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        // The lock is still ours, so this is our socket and nobody else's.
        drop(fs::remove_file(&self.path));
    }
}

/// The lock file is never removed: two daemons could hold two of them.
fn lock_beside(socket: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(socket.with_extension("lock"))
}

fn remove_stale(path: &Path) -> Result<(), ListenError> {
    let unusable = |cause| ListenError::Unusable { path: path.to_owned(), cause };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(cause) => return Err(unusable(cause)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(ListenError::NotASocket(path.to_owned()));
        }
        Ok(_) => {}
    }
    // Somebody answers without holding the lock: a lock file was removed by hand.
    match BlockingStream::connect(path) {
        Ok(_) => Err(ListenError::SecondDaemon(path.to_owned())),
        Err(_) => fs::remove_file(path).map_err(unusable),
    }
}

fn is_ours(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == user_id())
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let socket = place.path().join("run/mirrord.sock");
        (place, socket)
    }

    #[tokio::test]
    async fn socket_is_private_and_lets_its_user_in() {
        let (_place, socket) = place();
        let endpoint = Endpoint::bind(&socket).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&socket), mode(socket.parent().unwrap())), (0o600, 0o700));

        let client = UnixStream::connect(&socket);
        let mut connections = Box::pin(endpoint.connections());
        let (client, served) = tokio::join!(client, connections.next());
        assert!(client.is_ok() && served.unwrap().is_ok());
    }

    #[tokio::test]
    async fn second_daemon_is_refused_until_the_first_is_gone() {
        let (_place, socket) = place();
        let first = Endpoint::bind(&socket).unwrap();
        assert!(matches!(Endpoint::bind(&socket), Err(ListenError::SecondDaemon(_))));
        assert!(socket.exists());

        drop(first);
        assert!(!socket.exists());
        Endpoint::bind(&socket).unwrap();
    }

    #[tokio::test]
    async fn stale_socket_is_replaced() {
        let (_place, socket) = place();
        prepare_folder(&socket).unwrap();
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        assert!(socket.exists());

        Endpoint::bind(&socket).unwrap();
    }

    #[tokio::test]
    async fn socket_that_answers_without_a_lock_is_a_second_daemon() {
        let (_place, socket) = place();
        prepare_folder(&socket).unwrap();
        let _other = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(matches!(Endpoint::bind(&socket), Err(ListenError::SecondDaemon(_))));
    }

    #[tokio::test]
    async fn file_in_the_way_is_left_alone() {
        let (_place, socket) = place();
        prepare_folder(&socket).unwrap();
        fs::write(&socket, "mine").unwrap();
        assert!(matches!(Endpoint::bind(&socket), Err(ListenError::NotASocket(_))));
        assert!(socket.exists());
    }

    #[tokio::test]
    async fn folder_open_to_others_is_refused() {
        let (_place, socket) = place();
        let folder = socket.parent().unwrap();
        prepare_folder(&socket).unwrap();
        fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();

        let refused = Endpoint::bind(&socket).unwrap_err();
        assert!(refused.to_string().contains("755"), "{refused}");
    }
}
