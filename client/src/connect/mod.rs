//! The way to the daemon: find its socket, start one if need be, and make
//! sure that both sides understand each other.
//!
//! A socket that anybody else could have made is never spoken to.

mod binary;
mod launch;
mod start_lock;

use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use mirror_proto::v1::config_service_client::ConfigServiceClient;
use mirror_proto::v1::conflict_service_client::ConflictServiceClient;
use mirror_proto::v1::daemon_service_client::DaemonServiceClient;
use mirror_proto::v1::doctor_service_client::DoctorServiceClient;
use mirror_proto::v1::history_service_client::HistoryServiceClient;
use mirror_proto::v1::project_service_client::ProjectServiceClient;
use mirror_proto::v1::question_service_client::QuestionServiceClient;
use mirror_proto::v1::stash_service_client::StashServiceClient;
use mirror_proto::v1::status_service_client::StatusServiceClient;
use mirror_proto::v1::sync_service_client::SyncServiceClient;
use mirror_proto::v1::version_service_client::VersionServiceClient;
use mirror_proto::v1::{FaultClass, HandshakeRequest, HandshakeResponse, StopDaemonRequest};
use mirror_proto::{PROTOCOL, socket};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use tokio::time::{Instant, sleep, timeout};
use tonic::transport::{Channel, Endpoint};

use crate::exit::Exit;
use crate::failure::{Failure, is_broken_off};
use crate::paths;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A daemon that says nothing for so long hangs.
const ANSWER: Duration = Duration::from_secs(10);

/// Steps may take 10 s to end, and the process a moment more.
const FAREWELL: Duration = Duration::from_secs(15);

/// Between two looks at something that changes within milliseconds.
const PAUSE: Duration = Duration::from_millis(10);

/// A status of 20,000 files comes in a few round trips.
const WINDOW: u32 = 4 * 1024 * 1024;

/// Where the daemon listens.
#[derive(Debug)]
pub(crate) enum Socket {
    /// At the place that both sides know.
    Usual(PathBuf),
    /// Where `--socket` says; nothing is ever started for it.
    Named(PathBuf),
}

impl Socket {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Usual(path) | Self::Named(path) => path,
        }
    }
}

/// A daemon that answered.
#[derive(Debug)]
pub(crate) struct Daemon {
    channel: Channel,
    pub(crate) handshake: HandshakeResponse,
}

macro_rules! service {
    ($name:ident, $client:ident) => {
        pub(crate) fn $name(&self) -> $client<Channel> {
            // Listings of large projects pass the usual 4 MB.
            $client::new(self.channel.clone()).max_decoding_message_size(usize::MAX)
        }
    };
}

impl Daemon {
    service!(config, ConfigServiceClient);
    service!(conflicts, ConflictServiceClient);
    service!(daemon, DaemonServiceClient);
    service!(doctor, DoctorServiceClient);
    service!(history, HistoryServiceClient);
    service!(project, ProjectServiceClient);
    service!(question, QuestionServiceClient);
    service!(stash, StashServiceClient);
    service!(status, StatusServiceClient);
    service!(sync, SyncServiceClient);
    service!(versions, VersionServiceClient);

    /// Asks the daemon to end, and waits until its process is gone.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        let response = self.daemon().stop_daemon(StopDaemonRequest {}).await?;
        let pid = response.into_inner().pid;
        let deadline = Instant::now() + FAREWELL;
        while is_running(pid) {
            if Instant::now() > deadline {
                return Err(Failure::internal(format!("mirrord (pid {pid}) does not end"))
                    .with_hint("`mirrorctl daemon logs` says what it does"));
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }
}

/// Whether the daemon and this client understand each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    Fits,
    /// Older than we are, and started by a client: ours to replace.
    Outdated,
    Misfit,
}

/// The daemon, started when none runs and replaced when it is outdated.
pub(crate) async fn connect(socket: &Socket) -> Result<Daemon, Failure> {
    match (reach(socket).await?, socket) {
        (Some(daemon), _) if fit(&daemon.handshake, VERSION, PROTOCOL) == Fit::Fits => Ok(daemon),
        (_, Socket::Usual(path)) => launch::start(path, binary::find).await,
        (Some(daemon), Socket::Named(_)) => Err(misfit(&daemon.handshake)),
        (None, Socket::Named(path)) => Err(Failure::no_daemon(
            FaultClass::NotFound,
            format!("no daemon answers at {}", paths::shown(path)),
        )
        .with_hint("without --socket, mirrorctl finds or starts the daemon by itself")),
    }
}

/// The daemon if one answers, whatever its version.
pub(crate) async fn reach(socket: &Socket) -> Result<Option<Daemon>, Failure> {
    let path = socket.path();
    if !is_ours(path)? {
        return Ok(None);
    }
    if let Socket::Usual(path) = socket {
        socket::check_folder(path)?;
    }
    let Some(path) = path.to_str() else {
        return Err(Failure::usage("the path of the socket is not valid UTF-8"));
    };
    let endpoint = Endpoint::from_shared(format!("unix:{path}"))
        .map_err(|error| Failure::internal(format!("bad socket path {path}: {error}")))?
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW);
    match endpoint.connect().await {
        Ok(channel) => shake_hands(channel).await,
        // A file that nobody listens at is what a killed daemon leaves behind.
        Err(_) => Ok(None),
    }
}

async fn shake_hands(channel: Channel) -> Result<Option<Daemon>, Failure> {
    let request = HandshakeRequest { protocol: PROTOCOL, version: VERSION.to_owned() };
    let mut client = DaemonServiceClient::new(channel.clone());
    match timeout(ANSWER, client.handshake(request)).await {
        Ok(Ok(response)) => Ok(Some(Daemon { channel, handshake: response.into_inner() })),
        // It was about to end.
        Ok(Err(status)) if is_broken_off(&status) => Ok(None),
        Ok(Err(status)) => Err(Failure { exit: Exit::NoDaemon, ..status.into() }),
        Err(_) => Err(Failure::no_daemon(
            FaultClass::Transient,
            "the daemon is there but does not answer",
        )
        .with_hint("`mirrorctl daemon logs` says what it does")),
    }
}

/// Whether there is a socket at all; one of another user is an error.
fn is_ours(path: &Path) -> Result<bool, Failure> {
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

fn fit(daemon: &HandshakeResponse, version: &str, protocol: u32) -> Fit {
    let is_older = numbers(&daemon.version) < numbers(version);
    match (daemon.protocol == protocol, daemon.started_on_demand && is_older) {
        (_, true) => Fit::Outdated,
        (true, false) => Fit::Fits,
        (false, false) => Fit::Misfit,
    }
}

/// The numbers of a version, the first most important.
fn numbers(version: &str) -> Vec<u64> {
    let plain = version.split(['-', '+']).next().unwrap_or_default();
    plain.split('.').map(|number| number.parse().unwrap_or(0)).collect()
}

fn misfit(daemon: &HandshakeResponse) -> Failure {
    let message = format!(
        "mirrord {} (protocol {}) and mirrorctl {VERSION} (protocol {PROTOCOL}) \
         don't understand each other",
        daemon.version, daemon.protocol
    );
    let hint = if daemon.protocol > PROTOCOL {
        "update mirrorctl"
    } else {
        "restart the daemon with the mirrord of this version: it was started by hand or a service"
    };
    Failure::no_daemon(FaultClass::Internal, message).with_hint(hint)
}

fn is_running(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(version: &str, protocol: u32, started_on_demand: bool, expected: Fit) {
        let daemon =
            HandshakeResponse { protocol, version: version.to_owned(), pid: 1, started_on_demand };
        assert_eq!(fit(&daemon, "0.10.0", 2), expected);
    }

    #[test]
    fn older_daemon_that_a_client_started_is_replaced() {
        check("0.9.9", 2, true, Fit::Outdated);
        check("0.9.9", 1, true, Fit::Outdated);
    }

    #[test]
    fn daemon_of_the_same_protocol_is_kept() {
        check("0.10.0", 2, true, Fit::Fits);
        check("0.11.0", 2, true, Fit::Fits);
        check("0.9.9", 2, false, Fit::Fits);
    }

    #[test]
    fn daemon_of_another_protocol_that_is_not_ours_is_refused() {
        check("0.9.9", 1, false, Fit::Misfit);
        check("0.11.0", 3, true, Fit::Misfit);
    }

    #[tokio::test]
    async fn file_that_is_no_socket_is_never_spoken_to() {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("mirrord.sock");
        assert!(reach(&Socket::Named(path.clone())).await.expect("looked").is_none());

        std::fs::write(&path, "").expect("written");

        let failure = reach(&Socket::Named(path)).await.expect_err("refused");
        assert_eq!(failure.exit, Exit::NoDaemon);
    }

    #[tokio::test]
    async fn socket_that_nobody_listens_at_is_no_daemon() {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("mirrord.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).expect("bound"));
        assert!(reach(&Socket::Named(path)).await.expect("looked").is_none());
    }
}
