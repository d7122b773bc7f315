//! A folder as it is, with changes that nobody else sees.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::outside::disk::DiskFile;
use crate::outside::{Disk, Scratch};

/// What is written here stays in memory; a larger file is refused.
const LARGEST: u64 = 8 << 20;

pub(crate) struct OverlayDisk {
    below: Arc<dyn Disk>,
    changes: Mutex<BTreeMap<String, Change>>,
}

#[derive(Clone)]
enum Change {
    Written(Bytes),
    Removed,
}

impl OverlayDisk {
    pub(crate) fn new(below: Arc<dyn Disk>) -> Self {
        Self { below, changes: Mutex::default() }
    }

    fn changes(&self) -> MutexGuard<'_, BTreeMap<String, Change>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, name: &str) -> Option<Change> {
        self.changes().get(name).cloned()
    }
}

impl Disk for OverlayDisk {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match self.change(name) {
            Some(Change::Written(bytes)) => Ok(Some(bytes.to_vec())),
            Some(Change::Removed) => Ok(None),
            None => self.below.read(name),
        }
    }

    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read + Send>>> {
        match self.change(name) {
            Some(Change::Written(bytes)) => Ok(Some(Box::new(Cursor::new(bytes)))),
            Some(Change::Removed) => Ok(None),
            None => self.below.open(name),
        }
    }

    fn write(&self, name: &str, content: &mut dyn Read, _durable: bool) -> io::Result<()> {
        let mut bytes = Vec::new();
        content.take(LARGEST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LARGEST {
            return Err(io::Error::other("it is too large to be kept beside a job"));
        }
        self.changes().insert(name.to_owned(), Change::Written(bytes.into()));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.changes().insert(name.to_owned(), Change::Removed);
        Ok(())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<DiskFile>> {
        let changes = self.changes();
        let in_folder = |name: &str| format!("{folder}/{name}");
        let mut files = self.below.list(folder)?;
        files.retain(|file| !changes.contains_key(&in_folder(&file.name)));
        let below = format!("{folder}/");
        for (name, change) in changes.iter() {
            if let (Some(name), Change::Written(bytes)) = (name.strip_prefix(&below), change)
                && !name.contains('/')
            {
                let (name, size) = (name.to_owned(), bytes.len() as u64);
                files.push(DiskFile { name, size, used_ms: 0 });
            }
        }
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(files)
    }

    fn touch(&self, _name: &str) -> io::Result<()> {
        Ok(())
    }

    fn scratch(&self) -> io::Result<Box<dyn Scratch>> {
        self.below.scratch()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::real::LocalDisk;

    #[test]
    fn changes_are_seen_here_and_nowhere_else() {
        let home = tempfile::tempdir().unwrap();
        let below: Arc<dyn Disk> = Arc::new(LocalDisk::open(home.path().join("data")).unwrap());
        below.write("stash/a", &mut &b"old"[..], false).unwrap();
        below.write("stash/b", &mut &b"stays"[..], false).unwrap();
        let overlay = OverlayDisk::new(below.clone());

        overlay.remove("stash/a").unwrap();
        overlay.write("stash/c", &mut &b"new"[..], true).unwrap();

        let names = |disk: &dyn Disk| -> Vec<String> {
            disk.list("stash").unwrap().into_iter().map(|file| file.name).collect()
        };
        assert_eq!(names(&overlay), ["b", "c"]);
        assert_eq!(names(below.as_ref()), ["a", "b"]);
        assert_eq!(overlay.read("stash/c").unwrap().as_deref(), Some(&b"new"[..]));
        assert_eq!(overlay.read("stash/a").unwrap(), None);
        assert_eq!(below.read("stash/a").unwrap().as_deref(), Some(&b"old"[..]));
        let mut endless = io::repeat(7);
        assert!(overlay.write("stash/d", &mut endless, false).is_err());
    }
}
