//! SFTP itself, over any line that carries bytes: requests out, answers in.
//!
//! A closed room: every request is a method in `requests`, and what is named
//! below is all that the adapter knows of the rest, so that the library under
//! it can be replaced without a change outside. No server is believed: every packet is looked at before the
//! library sees it, and a line on which answers stay out is given up. What
//! carries the line, and which files stand at its end, is not known here.

mod filter;
mod handle;
mod line;
mod liveness;
mod requests;
mod sanitize;
mod session;

pub(super) use openssh_sftp_client_lowlevel::{
    Extensions, FileAttrs, FileType, NameEntry, SftpErrorKind, UnixTimeStamp,
};

pub(super) use self::handle::Handle;
pub(super) use self::line::{Carrier, Ending, Line};
pub(super) use self::requests::{Answer, Failure, Reply, first_denial};
pub(super) use self::session::Session;
