//! The shortest way to a daemon that runs: for what has a few milliseconds, and says
//! nothing when there is none.
//!
//! Nobody is started, waited for or asked who it is. What is recorded is believed where
//! it is of this very state folder, and the socket is ours.

use std::path::PathBuf;

use mirror_proto::holder::{Phase, recorded_in};
use mirror_proto::socket::{candidates, check_folder};
use tonic::transport::{Channel, Endpoint};

use super::daemon::Socket;
use super::find::is_elsewhere;
use super::hello::is_ours;

/// A daemon that is there, most likely.
pub(crate) async fn glance(socket: &Socket) -> Option<Channel> {
    for path in places(socket) {
        if !is_ours(&path).unwrap_or(false) {
            continue;
        }
        let endpoint = Endpoint::from_shared(format!("unix:{}", path.to_str()?)).ok()?;
        if let Ok(channel) = endpoint.connect().await {
            return Some(channel);
        }
    }
    None
}

fn places(socket: &Socket) -> Vec<PathBuf> {
    let folders = match socket {
        Socket::Named(path) => return vec![path.clone()],
        Socket::Usual(folders) => folders,
    };
    let recorded = folders.held().into_iter().find_map(|folder| recorded_in(folder));
    let places = match recorded {
        // A lock file that was copied leads to another home's daemon.
        Some(holder) if is_elsewhere(&holder, folders) => Vec::new(),
        Some(holder) if holder.phase == Phase::Ending => Vec::new(),
        Some(holder) => holder.socket.into_iter().collect(),
        None => candidates(&folders.state),
    };
    places.into_iter().filter(|path| check_folder(path).is_ok()).collect()
}
