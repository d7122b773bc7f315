//! The way to the daemon: find who holds its folders, start one if need be, and
//! make sure that both sides understand each other.

mod binary;
mod daemon;
mod find;
mod fit;
mod glance;
mod hello;
mod launch;
mod silent;
mod start_lock;
mod stop;

use mirror_proto::PROTOCOL;
use mirror_proto::v1::FaultClass;
use tokio::time::{Instant, sleep};

pub(crate) use binary::find as program;
pub(crate) use daemon::{Daemon, Socket};
pub(crate) use glance::glance;
pub(crate) use stop::stop;

use crate::failure::Failure;
use crate::paths;
use daemon::{PAUSE, SOCKET_ANEW, VERSION};
use find::{Found, find};
use fit::{Fit, fit, misfit};
use silent::{is_ending, silent};

/// Between two looks for a daemon that may be long in coming.
const RETRY: std::time::Duration = std::time::Duration::from_millis(200);

/// The daemon, started when none runs and replaced when it is outdated.
pub(crate) async fn connect(socket: &Socket) -> Result<Daemon, Failure> {
    match (find(socket).await?, socket) {
        (Found::Answers(daemon), _) if fit(&daemon.handshake, VERSION, PROTOCOL) == Fit::Fits => {
            Ok(daemon)
        }
        (_, Socket::Usual(folders)) => launch::start(folders, binary::find).await,
        (Found::Answers(daemon), Socket::Named(_)) => Err(misfit(&daemon.handshake)),
        (Found::Silent(_) | Found::Nobody, Socket::Named(path)) => Err(Failure::no_daemon(
            FaultClass::NotFound,
            format!("no daemon answers at {}", paths::shown(path)),
        )
        .with_hint("without --socket, mirrorctl finds or starts the daemon by itself")),
    }
}

/// Waits for the daemon that takes the place of one that has ended; none is started.
pub(crate) async fn again(socket: &Socket) -> Result<Daemon, Failure> {
    loop {
        // One that ends, or that begins, can't be spoken to for a moment.
        if let Ok(Found::Answers(daemon)) = find(socket).await {
            return match fit(&daemon.handshake, VERSION, PROTOCOL) {
                Fit::Misfit => Err(misfit(&daemon.handshake)),
                Fit::Fits | Fit::Outdated => Ok(daemon),
            };
        }
        sleep(RETRY).await;
    }
}

/// The daemon if one runs, whatever its version; none is started.
///
/// One that runs and has lost its socket is waited for, as it makes a new one.
pub(crate) async fn running(socket: &Socket) -> Result<Option<Daemon>, Failure> {
    let deadline = Instant::now() + SOCKET_ANEW;
    loop {
        match find(socket).await? {
            Found::Answers(daemon) => return Ok(Some(daemon)),
            Found::Nobody => return Ok(None),
            Found::Silent(holder) => {
                if is_ending(holder.as_ref()) || Instant::now() > deadline {
                    return Err(silent(holder.as_ref()));
                }
            }
        }
        sleep(PAUSE).await;
    }
}
