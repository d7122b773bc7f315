//! Why a command could not be carried out, whoever found out: the daemon, the
//! way to it, or the arguments.

use std::io;

use mirror_proto::socket::FolderError;
use mirror_proto::v1::{Fault, FaultClass};
use prost::Message;
use tonic::{Code, Status};

use crate::exit::Exit;

/// A fault and the exit code that goes with it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) fault: Box<Fault>,
    pub(crate) exit: Exit,
}

impl Failure {
    pub(crate) fn new(class: FaultClass, message: impl Into<String>) -> Self {
        Self::from(fault(class, message.into()))
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(FaultClass::Usage, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(FaultClass::Internal, message)
    }

    /// No daemon answers, and none could be started.
    pub(crate) fn no_daemon(class: FaultClass, message: impl Into<String>) -> Self {
        Self { fault: Box::new(fault(class, message.into())), exit: Exit::NoDaemon }
    }

    pub(crate) fn interrupted(message: impl Into<String>) -> Self {
        Self {
            fault: Box::new(fault(FaultClass::Transient, message.into())),
            exit: Exit::Interrupted,
        }
    }

    #[must_use]
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.fault.hint = Some(hint.into());
        self
    }

    /// True when the same request would go through with a person's consent.
    pub(crate) fn wants_consent(&self) -> bool {
        self.fault.class() == FaultClass::Consent
    }
}

fn fault(class: FaultClass, message: String) -> Fault {
    Fault { class: class.into(), message, ..Fault::default() }
}

/// The exit code of a command, or of one file, that ended in a fault.
pub(crate) fn exit_for(class: FaultClass) -> Exit {
    match class {
        FaultClass::Auth => Exit::AccessNeeded,
        FaultClass::Conflict => Exit::Conflicts,
        FaultClass::Usage => Exit::Usage,
        FaultClass::Unspecified
        | FaultClass::Transient
        | FaultClass::Quota
        | FaultClass::Permission
        | FaultClass::Rejected
        | FaultClass::Consent
        | FaultClass::NotFound
        | FaultClass::Internal
        | FaultClass::Stopped => Exit::Failed,
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self { exit: exit_for(fault.class()), fault: Box::new(fault) }
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        match Fault::decode(status.details()) {
            Ok(fault) if fault.class() != FaultClass::Unspecified => fault.into(),
            _ => from_bare(&status),
        }
    }
}

/// True when the connection broke off, as when the daemon is killed.
///
/// Only a status that was made on this side has a source.
pub(crate) fn is_broken_off(status: &Status) -> bool {
    status.code() == Code::Unavailable || std::error::Error::source(status).is_some()
}

/// Reads a status that carries no fault: it comes from gRPC, not from us.
fn from_bare(status: &Status) -> Failure {
    match status.code() {
        _ if is_broken_off(status) => Failure::no_daemon(
            FaultClass::Transient,
            "the daemon ended while it worked; run it again",
        )
        .with_hint("see `mirrorctl daemon logs`"),
        Code::Unimplemented => Failure::internal("the running daemon doesn't know this command")
            .with_hint("`mirrorctl daemon restart` puts the current one in its place"),
        _ => Failure::internal(status.message()),
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        let (class, hint) = match &error {
            FolderError::Unusable { .. } => (
                FaultClass::Permission,
                "make it, or let MIRRORD_HOME name a folder that can be written",
            ),
            FolderError::NotAFolder(_) => {
                (FaultClass::Permission, "remove it, or let MIRRORD_HOME name a folder of your own")
            }
            FolderError::Foreign { .. } => (
                FaultClass::Permission,
                "run this as that user; by `sudo -H` or `su -`, HOME is your own",
            ),
            FolderError::Open { .. } => {
                (FaultClass::Permission, "close it with `chmod 700`, after a look at who opened it")
            }
        };
        let message = match std::error::Error::source(&error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        };
        Self::no_daemon(class, message).with_hint(hint)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::internal(format!("this machine refused: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(class: FaultClass, expected: Exit) {
        let details = fault(class, "why".to_owned()).encode_to_vec();
        let status = Status::with_details(Code::Internal, "grpc", details.into());

        let failure = Failure::from(status);

        assert_eq!(failure.exit, expected);
        assert_eq!(failure.fault.message, "why");
    }

    #[test]
    fn class_of_the_fault_decides_the_exit_code() {
        check(FaultClass::Auth, Exit::AccessNeeded);
        check(FaultClass::Conflict, Exit::Conflicts);
        check(FaultClass::Usage, Exit::Usage);
        check(FaultClass::Transient, Exit::Failed);
        check(FaultClass::Consent, Exit::Failed);
    }

    #[test]
    fn status_without_a_fault_shows_its_own_message() {
        let failure = Failure::from(Status::internal("plain words"));
        assert_eq!(failure.exit, Exit::Failed);
        assert_eq!(failure.fault.message, "plain words");
    }

    #[test]
    fn daemon_that_goes_away_is_exit_5() {
        let killed = io::Error::from(io::ErrorKind::BrokenPipe);
        for status in [Status::unavailable("transport error"), Status::from_error(killed.into())] {
            let failure = Failure::from(status);
            assert_eq!(failure.exit, Exit::NoDaemon);
            assert_eq!(failure.fault.message, "the daemon ended while it worked; run it again");
        }
    }
}
