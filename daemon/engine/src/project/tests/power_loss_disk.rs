//! The daemon's own folder on a machine whose power may end.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

use super::power::Power;
use crate::outside::disk::DiskFile;
use crate::outside::{Disk, Scratch};
use crate::real::LocalDisk;

/// Kept for people: each write and removal there is a step of its own.
const COUNTED: [&str; 3] = ["conflicts/", "queue/", "stash/"];

/// How many of those writes a disk still has room for, and whether it fails.
pub(super) struct Room {
    writes: AtomicI64,
    looks: AtomicUsize,
    fails: AtomicBool,
    /// Which of the files without a name can't be written, and how many there were.
    breaks_every: AtomicI64,
    scratches: AtomicI64,
}

impl Room {
    pub(super) fn new() -> Self {
        Self {
            writes: AtomicI64::new(i64::MAX),
            looks: AtomicUsize::new(0),
            fails: AtomicBool::new(false),
            breaks_every: AtomicI64::new(i64::MAX),
            scratches: AtomicI64::new(0),
        }
    }

    pub(super) fn fills_up_after(&self, writes: i64) {
        self.writes.store(writes, Ordering::SeqCst);
    }

    /// How often a file there was read, and how many were listed.
    pub(super) fn looks(&self) -> usize {
        self.looks.load(Ordering::SeqCst)
    }

    fn looks_at(&self, count: usize) {
        self.looks.fetch_add(count, Ordering::SeqCst);
    }

    pub(super) fn is_made(&self) {
        self.writes.store(i64::MAX, Ordering::SeqCst);
        self.breaks_every.store(i64::MAX, Ordering::SeqCst);
    }

    /// Each so many-th file without a name can't be written.
    pub(super) fn breaks_every(&self, scratches: i64) {
        self.scratches.store(0, Ordering::SeqCst);
        self.breaks_every.store(scratches, Ordering::SeqCst);
    }

    /// The next content that is opened can't be read.
    pub(super) fn fails_once(&self) {
        self.fails.store(true, Ordering::SeqCst);
    }
}

/// A real folder that changes only while there is power.
pub(super) struct PowerLossDisk {
    inner: LocalDisk,
    power: Arc<Power>,
    room: Arc<Room>,
}

impl PowerLossDisk {
    pub(super) fn new(inner: LocalDisk, power: Arc<Power>, room: Arc<Room>) -> Self {
        Self { inner, power, room }
    }

    fn is_counted(name: &str) -> bool {
        COUNTED.iter().any(|folder| name.starts_with(folder))
    }

    fn power(&self, name: &str) -> io::Result<()> {
        match !Self::is_counted(name) || self.power.lasts() {
            true => Ok(()),
            false => Err(io::Error::other("there is no power")),
        }
    }
}

impl Disk for PowerLossDisk {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.room.looks_at(1);
        self.inner.read(name)
    }

    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read + Send>>> {
        if Self::is_counted(name) && self.room.fails.swap(false, Ordering::SeqCst) {
            return Err(io::Error::other("the disk could not be read"));
        }
        self.room.looks_at(1);
        self.inner.open(name)
    }

    fn write(&self, name: &str, content: &mut dyn Read, durable: bool) -> io::Result<()> {
        self.power(name)?;
        if Self::is_counted(name) && self.room.writes.fetch_sub(1, Ordering::SeqCst) <= 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.inner.write(name, content, durable)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.power(name)?;
        self.inner.remove(name)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<DiskFile>> {
        let files = self.inner.list(folder)?;
        if Self::is_counted(&format!("{folder}/")) {
            self.room.looks_at(files.len());
        }
        Ok(files)
    }

    fn touch(&self, name: &str) -> io::Result<()> {
        self.inner.touch(name)
    }

    fn scratch(&self) -> io::Result<Box<dyn Scratch>> {
        let scratch = self.inner.scratch()?;
        let number = self.room.scratches.fetch_add(1, Ordering::SeqCst) + 1;
        match number % self.room.breaks_every.load(Ordering::SeqCst) {
            0 => Ok(Box::new(Broken(scratch))),
            _ => Ok(scratch),
        }
    }
}

/// A file on a spot of the disk that can't be written.
struct Broken(Box<dyn Scratch>);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl io::Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk could not be written"))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl io::Seek for Broken {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl Scratch for Broken {
    fn reopen(&self) -> io::Result<Box<dyn Scratch>> {
        self.0.reopen()
    }
}
