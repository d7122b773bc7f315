//! Whether both sides understand each other, and whose turn it is where they don't.

use mirror_proto::PROTOCOL;
use mirror_proto::v1::{FaultClass, HandshakeResponse};

use super::daemon::VERSION;
use crate::failure::Failure;

/// Whether the daemon and this client understand each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Fits,
    /// Older than we are, and started by a client: ours to replace.
    Outdated,
    Misfit,
}

pub(super) fn fit(daemon: &HandshakeResponse, version: &str, protocol: u32) -> Fit {
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

pub(super) fn misfit(daemon: &HandshakeResponse) -> Failure {
    let message = format!(
        "mirrord {} (protocol {}) and mirrorctl {VERSION} (protocol {PROTOCOL}) \
         don't understand each other",
        daemon.version, daemon.protocol
    );
    let hint = if daemon.protocol > PROTOCOL {
        "update mirrorctl"
    } else {
        "restart the daemon with the mirrord of this version: `mirrorctl daemon restart`"
    };
    Failure::no_daemon(FaultClass::Internal, message).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(version: &str, protocol: u32, started_on_demand: bool, expected: Fit) {
        let version = version.to_owned();
        let daemon = HandshakeResponse {
            protocol,
            version,
            pid: 1,
            started_on_demand,
            ..HandshakeResponse::default()
        };
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
}
