//! The daemon's own small files: whole-file reads and writes in one folder.
//!
//! Names are relative, made by the engine, with `/` between folders. All calls
//! block: the engine offloads them.

use std::io::{self, Read, Seek, Write};

/// A temporary file that is gone when it is dropped.
pub trait Scratch: Read + Write + Seek + Send {
    /// Opens the same bytes again for reading, with an own position.
    fn reopen(&self) -> io::Result<Box<dyn Scratch>>;
}

/// One folder that the daemon owns (data, state or cache of a project).
pub trait Disk: Send + Sync {
    /// Reads a whole file; `None` when there is none.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// Opens a file for reading; `None` when there is none.
    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read + Send>>>;

    /// Writes a file whole: after a crash it is the old or the new one. Makes
    /// missing folders. With `durable`, returns once it survives power loss.
    fn write(&self, name: &str, content: &mut dyn Read, durable: bool) -> io::Result<()>;

    /// Removes a file; gone already is fine.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Names the files directly in a folder with their size and time of last
    /// use in milliseconds, sorted; a missing folder has none.
    fn list(&self, folder: &str) -> io::Result<Vec<DiskFile>>;

    /// Marks a file as used now, for a cache that drops what is used least.
    fn touch(&self, name: &str) -> io::Result<()>;

    fn scratch(&self) -> io::Result<Box<dyn Scratch>>;
}

/// One of the daemon's own files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskFile {
    pub name: String,
    pub size: u64,
    pub used_ms: i64,
}
