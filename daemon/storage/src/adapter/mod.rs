//! One module for each kind of service.
//!
//! An adapter keeps the rules of [`Backend`](crate::Backend) and nothing
//! else: it never retries, never paces itself and logs no calls.

#[cfg(unix)]
mod access;
mod body;
#[cfg(unix)]
pub mod folder;
pub mod memory;
#[cfg(all(unix, feature = "sftp"))]
pub mod sftp;
mod temp_names;

#[cfg(unix)]
pub use folder::{FolderBackend, FolderEvents};
pub use memory::{MemoryBackend, MemoryProfile};
#[cfg(all(unix, feature = "sftp"))]
pub use sftp::{
    SftpAccount, SftpBackend, SftpConnection, SftpFault, SftpFeatures, SftpRoot, SshSettings,
};
