//! Where clients come in: a Unix socket that only its user can reach.
//!
//! Whoever binds holds the daemon's folders (`process::Claims`), so nobody else's
//! socket is ever removed. The folder, the socket's mode and the peer's user id are
//! checked each on its own. A socket that is taken away is made again. A named pipe
//! on Windows would take this module's place.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use mirror_proto::socket::{FolderError, candidates, prepare_folder, user_id};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

/// Why nobody can come in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("another daemon listens at {}", .0.display())]
    InUse(PathBuf),
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
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Folder(_) => {
                "nobody else may be able to enter it: remove it, or `chmod 700` it if it is yours"
            }
            Self::InUse(_) => "end that one first",
            Self::NotASocket(_) => "move it away",
            Self::Unusable { .. } => "let MIRRORD_HOME name a folder on a disk that has sockets",
        }
    }
}

/// A socket in its place.
#[derive(Debug)]
struct Bound {
    path: PathBuf,
    /// Device and inode: the path alone may lead to another one by now.
    file: (u64, u64),
    listener: UnixListener,
}

impl Bound {
    fn is_in_place(&self) -> bool {
        file_at(&self.path).is_some_and(|file| file == self.file)
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        if self.is_in_place() {
            drop(fs::remove_file(&self.path));
        }
    }
}

/// Where clients come in, one socket at a time.
#[derive(Debug)]
pub(crate) struct Endpoint {
    state: PathBuf,
    bound: watch::Sender<Option<Arc<Bound>>>,
    path: watch::Sender<PathBuf>,
}

impl Endpoint {
    /// Binds the first place that a socket can have, after anything stale there is
    /// removed. Must be called inside a runtime.
    pub(crate) fn bind(state: &Path) -> Result<Self, ListenError> {
        let bound = bind_any(state)?;
        let path = watch::Sender::new(bound.path.clone());
        Ok(Self { state: state.to_owned(), bound: watch::Sender::new(Some(Arc::new(bound))), path })
    }

    /// Where it is, now and later.
    pub(crate) fn path(&self) -> watch::Receiver<PathBuf> {
        self.path.subscribe()
    }

    /// Binds again where the socket was taken away or replaced; true when it has.
    pub(crate) fn keep(&self) -> Result<bool, ListenError> {
        let is_in_place = self.bound.borrow().as_ref().is_none_or(|bound| bound.is_in_place());
        if is_in_place {
            return Ok(false);
        }
        let bound = bind_any(&self.state)?;
        self.path.send_replace(bound.path.clone());
        self.bound.send_replace(Some(Arc::new(bound)));
        Ok(true)
    }

    /// Lets nobody in any more.
    pub(crate) fn close(&self) {
        self.bound.send_replace(None);
    }

    /// The connections of this user; anybody else's are dropped.
    pub(crate) fn connections(&self) -> impl Stream<Item = io::Result<UnixStream>> + use<> {
        futures::stream::unfold(self.bound.subscribe(), |mut current| async move {
            loop {
                let bound = current.borrow_and_update().clone()?;
                let accepted = tokio::select! {
                    accepted = bound.listener.accept() => accepted,
                    changed = current.changed() => match changed {
                        Ok(()) => continue,
                        Err(_) => return None,
                    },
                };
                drop(bound);
                match accepted {
                    Ok((stream, _)) if is_ours(&stream) => return Some((Ok(stream), current)),
                    Ok(_) => tracing::warn!("a connection of another user was refused"),
                    Err(error) => {
                        // Out of descriptors, most likely: the next try shouldn't spin.
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
            }
        })
    }
}

/// The first place that can be bound; where none can, why the best of them can't.
fn bind_any(state: &Path) -> Result<Bound, ListenError> {
    let mut first = None;
    for path in candidates(state) {
        match bind_at(&path) {
            Ok(bound) => return Ok(bound),
            Err(error) => {
                let why = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, why, "no socket here");
                first.get_or_insert(error);
            }
        }
    }
    Err(first.unwrap_or_else(|| ListenError::Unusable {
        path: state.to_owned(),
        cause: io::Error::other("the path of the state folder fits no socket"),
    }))
}

fn bind_at(path: &Path) -> Result<Bound, ListenError> {
    prepare_folder(path)?;
    remove_stale(path)?;
    let unusable = |cause| ListenError::Unusable { path: path.to_owned(), cause };
    let listener = UnixListener::bind(path).map_err(unusable)?;
    fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(unusable)?;
    let file = file_at(path).ok_or_else(|| unusable(io::ErrorKind::NotFound.into()))?;
    Ok(Bound { path: path.to_owned(), file, listener })
}

fn file_at(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
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
    match BlockingStream::connect(path) {
        Ok(_) => Err(ListenError::InUse(path.to_owned())),
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

    /// A state folder, and where its socket is at best.
    fn place() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let state = place.path().canonicalize().unwrap().join("state");
        let socket = state.join("mirrord.sock");
        prepare_folder(&socket).unwrap();
        (place, state, socket)
    }

    fn now(endpoint: &Endpoint) -> PathBuf {
        endpoint.path().borrow().clone()
    }

    /// Somebody is let in at the place that the endpoint names.
    async fn lets_in(endpoint: &Endpoint) {
        let path = now(endpoint);
        let mut connections = Box::pin(endpoint.connections());
        let (client, served) = tokio::join!(UnixStream::connect(&path), connections.next());
        assert!(client.is_ok() && served.unwrap().is_ok());
    }

    #[tokio::test]
    async fn socket_is_private_and_lets_its_user_in() {
        let (_place, state, socket) = place();
        let endpoint = Endpoint::bind(&state).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&socket), mode(&state)), (0o600, 0o700));
        lets_in(&endpoint).await;
    }

    #[tokio::test]
    async fn socket_goes_with_its_endpoint_and_a_stale_one_is_replaced() {
        let (_place, state, socket) = place();
        drop(Endpoint::bind(&state).unwrap());
        assert!(!socket.exists());

        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        assert!(socket.exists());
        assert_eq!(now(&Endpoint::bind(&state).unwrap()), socket);
    }

    #[tokio::test]
    async fn socket_that_is_taken_away_or_replaced_is_made_again() {
        let (_place, state, socket) = place();
        let endpoint = Endpoint::bind(&state).unwrap();
        assert!(!endpoint.keep().unwrap());
        let mut connections = Box::pin(endpoint.connections());

        let remove = || fs::remove_file(&socket).unwrap();
        let remove_all = || fs::remove_dir_all(&state).unwrap();
        let replace = || {
            fs::remove_file(&socket).unwrap();
            drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        };
        for harm in [&remove as &dyn Fn(), &remove_all, &replace] {
            harm();
            assert!(endpoint.keep().unwrap());
            assert_eq!(now(&endpoint), socket);
            let (client, served) = tokio::join!(UnixStream::connect(&socket), connections.next());
            assert!(client.is_ok() && served.unwrap().is_ok());
        }
    }

    #[tokio::test]
    async fn socket_of_somebody_else_is_not_removed() {
        let (_place, state, socket) = place();
        let endpoint = Endpoint::bind(&state).unwrap();
        fs::remove_file(&socket).unwrap();
        let _other = std::os::unix::net::UnixListener::bind(&socket).unwrap();

        // Somebody answers there, so it is made elsewhere.
        endpoint.keep().unwrap();
        assert_ne!(now(&endpoint), socket);
        lets_in(&endpoint).await;

        let elsewhere = now(&endpoint);
        drop(endpoint);
        assert!(socket.exists() && !elsewhere.exists());
    }

    #[tokio::test]
    async fn place_that_can_not_be_used_is_passed_over_and_left_alone() {
        let (_place, state, socket) = place();
        fs::write(&socket, "mine").unwrap();
        let endpoint = Endpoint::bind(&state).unwrap();
        assert_ne!(now(&endpoint), socket);
        lets_in(&endpoint).await;
        assert_eq!(fs::read_to_string(&socket).unwrap(), "mine");
    }

    #[tokio::test]
    async fn folder_open_to_others_is_passed_over() {
        let (_place, state, socket) = place();
        fs::set_permissions(&state, Permissions::from_mode(0o755)).unwrap();
        assert_ne!(now(&Endpoint::bind(&state).unwrap()), socket);
        assert!(bind_at(&socket).unwrap_err().to_string().contains("755"));
    }

    #[tokio::test]
    async fn closed_endpoint_lets_nobody_in() {
        let (_place, state, socket) = place();
        let endpoint = Endpoint::bind(&state).unwrap();
        let mut connections = Box::pin(endpoint.connections());
        endpoint.close();
        assert!(connections.next().await.is_none());
        assert!(!socket.exists() && !endpoint.keep().unwrap());
    }
}
