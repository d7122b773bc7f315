//! Stores files on one service behind one trait.
//!
//! [`Backend`] says what the engine may rely on and `offers` what it may find
//! beyond that; `adapter` keeps both for each kind of service, `layers` adds pacing, retries and tracing around any of
//! them. What a project is, and what its history says, is not known here.

pub mod adapter;
pub mod backend;
#[cfg(unix)]
mod disks;
pub mod error;
mod hint;
pub mod layers;
pub mod offers;
pub mod path;
#[cfg(unix)]
pub mod rights;
pub mod system;

pub use backend::{
    Backend, Body, ByteRange, ByteStream, Capabilities, Expect, FileStream, Guarded, RemoteFile,
    Revision, Source,
};
#[cfg(unix)]
pub use disks::is_shared_with_machines;
pub use error::{Cause, FaultClass, StorageError};
pub use offers::{
    Access, Attributes, ChangeFeed, Changes, CopyRange, Hint, KeepAttributes, KeptAttributes,
    MoveAside, NewFile, Stored, StoredRange, WriteMany,
};
pub use path::{OUR_FOLDER, RemotePath, RemotePathError};
pub use system::{is_in_system_folder, is_system_name, is_system_path};
