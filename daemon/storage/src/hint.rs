//! What a person can do about a storage error: one table, for whoever tells of one.

#[cfg(all(unix, feature = "sftp"))]
use crate::adapter::SftpFault;
use crate::{Cause, StorageError};

impl StorageError {
    /// What the person can do about it, where there is anything.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unreachable(cause) => {
                by_cause(cause).unwrap_or("check that the backend is there, then run it again")
            }
            Self::Throttled { .. } => "wait a little, then run it again",
            Self::CredentialsRefused(cause) => {
                by_cause(cause).unwrap_or("sign in again, then run it again")
            }
            Self::HostKeyUnknown { accept, .. } => {
                return Some(format!(
                    "by hand, run `{accept}`, and answer yes if the fingerprint is the server's \
                     own; the daemon never accepts a key by itself"
                ));
            }
            Self::HostKeyChanged { forget, accept, .. } => {
                return Some(format!(
                    "ask whoever runs the server whether its key was changed; only then run \
                     `{forget}`, and `{accept}` to accept the new one"
                ));
            }
            Self::AccessLost => "ask the owner of the backend's folder for access",
            Self::Full => {
                "free some space on the backend and run it again; nothing was half-written"
            }
            Self::Forbidden { .. } => "make the backend's folder readable and writable for you",
            Self::Rejected { .. } | Self::Malformed(_) | Self::Source { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

#[cfg(all(unix, feature = "sftp"))]
fn by_cause(cause: &Cause) -> Option<&'static str> {
    Some(match cause.downcast_ref()? {
        SftpFault::HostUnknown => "check the host in the URL, or its entry in your ssh_config",
        SftpFault::ConnectionRefused => {
            "check the host and the port in the URL, and that the server's SSH runs"
        }
        SftpFault::TimedOut | SftpFault::NetworkUnreachable => {
            "check the network, and the host and the port in the URL; then run it again"
        }
        SftpFault::KeyRefused => {
            "check the user in the URL, and that the daemon can use your key: set key_file, or load \
             it into the ssh agent of the session that started the daemon"
        }
        SftpFault::KeyUnreadable => "check key_file; the daemon must be able to read it",
        SftpFault::KeyTooOpen => "close the key's file to others with `chmod 600`",
        SftpFault::TooManyTries => "name the right key with key_file",
        SftpFault::NoSftp => "ask whoever runs the server to allow SFTP for this account",
        SftpFault::ShellTalks => "make what runs at login there write nothing without a terminal",
        SftpFault::BadOption => "look at ssh_options; `ssh -o Key=value HOST` tries one by hand",
        SftpFault::NoSsh => "install the OpenSSH client",
        SftpFault::ConnectionLost | SftpFault::HostKeyUnknown(_) | SftpFault::HostKeyChanged(_) => {
            return None;
        }
        SftpFault::Other(_) => "try `ssh` and `sftp` with this account by hand",
    })
}

#[cfg(not(all(unix, feature = "sftp")))]
fn by_cause(_cause: &Cause) -> Option<&'static str> {
    None
}
