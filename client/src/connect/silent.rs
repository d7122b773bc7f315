//! What is said of a daemon that runs, and that nobody can speak to.

use mirror_proto::holder::{Holder, Phase};
use mirror_proto::v1::FaultClass;

use crate::failure::Failure;

pub(super) fn is_ending(holder: Option<&Holder>) -> bool {
    holder.is_some_and(|holder| holder.phase == Phase::Ending)
}

pub(super) fn silent(holder: Option<&Holder>) -> Failure {
    let Some(holder) = holder else {
        let message = "a daemon holds the state folder and has not yet said who it is";
        return Failure::no_daemon(FaultClass::Transient, message)
            .with_hint("try again in a moment; `mirrorctl daemon logs` says what it does");
    };
    if !holder.is_of_this_host() {
        let message = format!("{holder} uses the state folder of this login");
        return Failure::no_daemon(FaultClass::Permission, message)
            .with_hint("end it there, or let MIRRORD_HOME name a folder of this machine's own");
    }
    let (doing, hint) = match holder.phase {
        Phase::Starting => ("is starting and does not answer yet", "try again in a moment"),
        Phase::Serving => ("runs but can't be reached", "`mirrorctl daemon stop` ends it"),
        Phase::Ending => (
            "is ending: it lets running steps come to their end",
            "`mirrorctl daemon stop` waits for that; any other command then starts a new one",
        ),
    };
    Failure::no_daemon(FaultClass::Transient, format!("{holder} {doing}")).with_hint(hint)
}
