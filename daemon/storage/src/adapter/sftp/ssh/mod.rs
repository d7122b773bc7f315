//! The machine's own `ssh`: what is said to it, and what it says.
//!
//! It knows the account and the line that it carries, and no files.

mod connection;
mod exit_reason;
mod fault;
mod host_key;
mod process;

pub use self::connection::SftpConnection;
pub use self::fault::SftpFault;
pub use self::host_key::ShownKey;
