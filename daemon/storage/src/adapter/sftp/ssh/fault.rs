//! Why there is no connection to an account, and what a person can do about it.

use std::fmt;

use super::super::config::SftpAccount;
use super::host_key::ShownKey;
use crate::{Cause, StorageError};

/// Why a connection could not be made or has ended; the cause below
/// [`StorageError::Unreachable`] and [`StorageError::CredentialsRefused`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SftpFault {
    HostUnknown,
    ConnectionRefused,
    /// Nothing answers there, or no longer.
    TimedOut,
    NetworkUnreachable,
    /// The connection was there, and ended.
    ConnectionLost,
    HostKeyUnknown(ShownKey),
    HostKeyChanged(ShownKey),
    KeyRefused,
    KeyUnreadable,
    /// The key's file may be read by others, so `ssh` doesn't use it.
    KeyTooOpen,
    TooManyTries,
    /// The account may log in, and may not use SFTP.
    NoSftp,
    /// Something that the account's shell runs at login writes text.
    ShellTalks,
    /// A setting for `ssh` that it doesn't know.
    BadOption,
    NoSsh,
    /// What `ssh` said, without paths.
    Other(String),
}

impl SftpFault {
    /// Says to a caller who asked for the account's host.
    pub(crate) fn error(self, account: &SftpAccount) -> StorageError {
        match self {
            Self::HostKeyUnknown(key) => StorageError::Untrusted(key.unknown(account)),
            Self::HostKeyChanged(key) => StorageError::Untrusted(key.changed(account)),
            Self::KeyRefused | Self::KeyUnreadable | Self::KeyTooOpen | Self::TooManyTries => {
                StorageError::CredentialsRefused(self.cause())
            }
            Self::HostUnknown
            | Self::ConnectionRefused
            | Self::TimedOut
            | Self::NetworkUnreachable
            | Self::ConnectionLost
            | Self::NoSftp
            | Self::ShellTalks
            | Self::BadOption
            | Self::NoSsh
            | Self::Other(_) => StorageError::Unreachable(self.cause()),
        }
    }

    fn cause(self) -> Cause {
        let (hint, about) = (self.hint(), self.about());
        let mut cause = Cause::from(self);
        if let Some(hint) = hint {
            cause = cause.with_hint(hint);
        }
        match about {
            Some(answer) => cause.concerning(answer),
            None => cause,
        }
    }

    /// What the person can do about it, where it isn't what helps everywhere.
    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::HostUnknown => "check the host in the URL, or its entry in your ssh_config",
            Self::ConnectionRefused => {
                "check the host and the port in the URL, and that the server's SSH runs"
            }
            Self::TimedOut | Self::NetworkUnreachable => {
                "check the network, and the host and the port in the URL; then run it again"
            }
            Self::KeyRefused => {
                "check the user in the URL, and that the daemon can use your key: set key_file, or \
                 load it into the ssh agent of the session that started the daemon"
            }
            Self::KeyUnreadable => "check key_file; the daemon must be able to read it",
            Self::KeyTooOpen => "close the key's file to others with `chmod 600`",
            Self::TooManyTries => "name the right key with key_file",
            Self::NoSftp => "ask whoever runs the server to allow SFTP for this account",
            Self::ShellTalks => "make what runs at login there write nothing without a terminal",
            Self::BadOption => "look at ssh_options; `ssh -o Key=value HOST` tries one by hand",
            Self::NoSsh => "install the OpenSSH client",
            Self::Other(_) => "try `ssh` and `sftp` with this account by hand",
            Self::ConnectionLost | Self::HostKeyUnknown(_) | Self::HostKeyChanged(_) => {
                return None;
            }
        })
    }

    /// Which part of the URL or which key it is about.
    fn about(&self) -> Option<&'static str> {
        Some(match self {
            Self::HostUnknown | Self::NetworkUnreachable | Self::TimedOut => "host",
            Self::ConnectionRefused => "port",
            Self::BadOption => "ssh_options",
            Self::KeyRefused | Self::KeyUnreadable | Self::KeyTooOpen | Self::TooManyTries => {
                "key_file"
            }
            Self::ConnectionLost
            | Self::HostKeyUnknown(_)
            | Self::HostKeyChanged(_)
            | Self::NoSftp
            | Self::ShellTalks
            | Self::NoSsh
            | Self::Other(_) => return None,
        })
    }
}

impl fmt::Display for SftpFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::HostUnknown => "the name of the host is not known (DNS)",
            Self::ConnectionRefused => "nothing listens at that port of the host",
            Self::TimedOut => "the host does not answer",
            Self::NetworkUnreachable => "there is no way to the host from this network",
            Self::ConnectionLost => "the connection was lost",
            Self::HostKeyUnknown(_) => "the host's key is not known here",
            Self::HostKeyChanged(_) => "the host's key is not the one that is known here",
            Self::KeyRefused => "the server accepts no key that ssh offers for this account",
            Self::KeyUnreadable => "the key file (key_file) is missing or can't be read",
            Self::KeyTooOpen => "the key file may be read by others, so ssh ignores it (chmod 600)",
            Self::TooManyTries => {
                "the server stopped listening after too many keys; name the right one (key_file)"
            }
            Self::NoSftp => "the server offers no SFTP to this account",
            Self::ShellTalks => {
                "something that runs at login there (.bashrc, .profile, a forced command) \
                 writes text into the connection; it must be silent without a terminal"
            }
            Self::BadOption => "ssh does not accept one of the options it was given",
            Self::NoSsh => "the program ssh could not be started; is it installed?",
            Self::Other(said) => return write!(out, "ssh ended: {said}"),
        })
    }
}

impl std::error::Error for SftpFault {}
