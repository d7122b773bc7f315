//! A daemon's own folder, and what a loss of power leaves of it.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex};

use mirror_engine::outside::disk::{Disk, DiskFile, Scratch};

use crate::chance::Chance;
use crate::life::Life;
use crate::panics::locked;

/// A file as it is, and as it was when it last was flushed.
#[derive(Clone, Debug, Default)]
struct Kept {
    now: Option<Vec<u8>>,
    flushed: Option<Vec<u8>>,
    used: i64,
}

/// The files of one folder; they outlive the daemon.
#[derive(Debug, Default)]
pub(crate) struct Folder(Mutex<BTreeMap<String, Kept>>);

impl Folder {
    /// The power goes: of what was not flushed, chance says what is left.
    pub(crate) fn lose_power(&self, chance: &mut Chance) {
        let mut files = locked(&self.0);
        for kept in files.values_mut().filter(|kept| kept.now != kept.flushed) {
            if chance.permille(500) {
                kept.now.clone_from(&kept.flushed);
            }
            kept.flushed.clone_from(&kept.now);
        }
        files.retain(|_, kept| kept.now.is_some());
    }

    pub(crate) fn clear(&self) {
        locked(&self.0).clear();
    }

    /// Every file with its bytes.
    pub(crate) fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let files = locked(&self.0);
        let now = |(name, kept): (&String, &Kept)| Some((name.clone(), kept.now.clone()?));
        files.iter().filter_map(now).collect()
    }
}

/// A folder in the hands of one run of the daemon.
#[derive(Debug)]
pub(crate) struct FakeDisk {
    pub(crate) folder: Arc<Folder>,
    pub(crate) life: Arc<Life>,
}

impl FakeDisk {
    fn step(&self) -> io::Result<()> {
        if self.life.lasts() { Ok(()) } else { Err(io::Error::other("the daemon is dead")) }
    }
}

impl Disk for FakeDisk {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(locked(&self.folder.0).get(name).and_then(|kept| kept.now.clone()))
    }

    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read + Send>>> {
        Ok(self.read(name)?.map(|bytes| Box::new(Cursor::new(bytes)) as Box<dyn Read + Send>))
    }

    fn write(&self, name: &str, content: &mut dyn Read, durable: bool) -> io::Result<()> {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        self.step()?;
        let mut files = locked(&self.folder.0);
        let kept = files.entry(name.to_owned()).or_default();
        kept.now = Some(bytes);
        if durable {
            kept.flushed.clone_from(&kept.now);
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.step()?;
        if let Some(kept) = locked(&self.folder.0).get_mut(name) {
            kept.now = None;
        }
        Ok(())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<DiskFile>> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let files = locked(&self.folder.0);
        let direct = files.iter().filter_map(|(path, kept)| {
            let name = path.strip_prefix(&prefix).filter(|name| !name.contains('/'))?;
            let size = kept.now.as_ref()?.len() as u64;
            Some(DiskFile { name: name.to_owned(), size, used_ms: kept.used })
        });
        Ok(direct.collect())
    }

    fn touch(&self, name: &str) -> io::Result<()> {
        if let Some(kept) = locked(&self.folder.0).get_mut(name) {
            kept.used += 1;
        }
        Ok(())
    }

    fn scratch(&self) -> io::Result<Box<dyn Scratch>> {
        Ok(Box::<FakeScratch>::default())
    }
}

/// A temporary file in memory.
#[derive(Debug, Default)]
struct FakeScratch {
    bytes: Arc<Mutex<Vec<u8>>>,
    place: u64,
}

impl FakeScratch {
    fn with<T>(
        &mut self,
        act: impl FnOnce(&mut Cursor<&mut Vec<u8>>) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut bytes = locked(&self.bytes);
        let mut cursor = Cursor::new(&mut *bytes);
        cursor.set_position(self.place);
        let result = act(&mut cursor);
        self.place = cursor.position();
        result
    }
}

impl Read for FakeScratch {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.with(|cursor| cursor.read(buffer))
    }
}

impl Write for FakeScratch {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|cursor| cursor.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for FakeScratch {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.with(|cursor| cursor.seek(to))
    }
}

impl Scratch for FakeScratch {
    fn reopen(&self) -> io::Result<Box<dyn Scratch>> {
        Ok(Box::new(Self { bytes: self.bytes.clone(), place: 0 }))
    }
}
