//! Speaks to whoever listens at a socket for the first time.
//!
//! A socket that anybody else could have made is never spoken to.

use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::time::Duration;

use mirror_proto::v1::daemon_service_client::DaemonServiceClient;
use mirror_proto::v1::{FaultClass, HandshakeRequest, HandshakeResponse};
use mirror_proto::{PROTOCOL, socket};
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};

use super::daemon::{Daemon, VERSION};
use crate::exit::Exit;
use crate::failure::{Failure, is_broken_off};
use crate::paths;

/// A daemon that says nothing for so long hangs.
const ANSWER: Duration = Duration::from_secs(10);

/// A status of 20,000 files comes in a few round trips.
const WINDOW: u32 = 4 << 20;

/// The daemon if one answers here, whatever its version.
pub(super) async fn hello(path: &Path) -> Result<Option<Daemon>, Failure> {
    if !is_ours(path)? {
        return Ok(None);
    }
    let Some(text) = path.to_str() else {
        return Err(Failure::usage("the path of the socket is not valid UTF-8"));
    };
    let endpoint = Endpoint::from_shared(format!("unix:{text}"))
        .map_err(|error| Failure::internal(format!("bad socket path {text}: {error}")))?
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW);
    let Ok(channel) = endpoint.connect().await else {
        // A file that nobody listens at is what a killed daemon leaves behind.
        return Ok(None);
    };
    let handshake = shake_hands(channel.clone()).await?;
    Ok(handshake.map(|handshake| Daemon { channel, handshake, socket: path.to_owned() }))
}

async fn shake_hands(channel: Channel) -> Result<Option<HandshakeResponse>, Failure> {
    let request = HandshakeRequest { protocol: PROTOCOL, version: VERSION.to_owned() };
    let mut client = DaemonServiceClient::new(channel);
    match timeout(ANSWER, client.handshake(request)).await {
        Ok(Ok(response)) => Ok(Some(response.into_inner())),
        // It was about to end.
        Ok(Err(status)) if is_broken_off(&status) => Ok(None),
        Ok(Err(status)) => Err(Failure { exit: Exit::NoDaemon, ..status.into() }),
        Err(_) => Err(Failure::no_daemon(
            FaultClass::Transient,
            "the daemon is there but does not answer",
        )
        .with_hint("`mirrorctl daemon logs` says what it does; `mirrorctl daemon stop` ends it")),
    }
}

/// Whether there is a socket at all; one of another user is an error.
pub(super) fn is_ours(path: &Path) -> Result<bool, Failure> {
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(false);
        }
        Err(error) => {
            let message = format!("{} can't be looked at: {error}", paths::shown(path));
            return Err(Failure::no_daemon(FaultClass::Permission, message));
        }
    };
    let refuse = |why: &str| {
        let message = format!("{} {why}", paths::shown(path));
        Err(Failure::no_daemon(FaultClass::Permission, message)
            .with_hint("mirrorctl speaks only to a daemon of the same user"))
    };
    match (found.file_type().is_socket(), found.uid() == socket::user_id()) {
        (true, true) => Ok(true),
        (true, false) => refuse("belongs to another user"),
        (false, _) => refuse("is not a socket"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn file_that_is_no_socket_is_never_spoken_to() {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("mirrord.sock");
        assert!(hello(&path).await.expect("looked").is_none());

        std::fs::write(&path, "").expect("written");

        assert_eq!(hello(&path).await.expect_err("refused").exit, Exit::NoDaemon);
    }

    #[tokio::test]
    async fn socket_that_nobody_listens_at_is_no_daemon() {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("mirrord.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).expect("bound"));
        assert!(hello(&path).await.expect("looked").is_none());
    }
}
