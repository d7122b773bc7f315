//! SFTP itself, over any line that carries bytes.

pub(super) mod filter;
pub(super) mod handle;
pub(super) mod line;
pub(super) mod requests;
pub(super) mod sanitize;
pub(super) mod session;
