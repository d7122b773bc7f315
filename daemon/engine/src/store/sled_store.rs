//! The store on disk; all that is particular to sled is hidden here.
//!
//! A state is read back exactly as some batch left it, or not at all: sled
//! checks its pages, and a sum over all rows, stored with each batch, shows
//! when rows went missing between them. Whatever fails, panics or takes too
//! long while opening means that the state is lost, never that a caller fails.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::generation::Generation;
use super::{Batch, Rows, Store, StoreError, Table};

const LOCK_TRIES: usize = 50;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// What [`SledStore::open`] found of the last run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Past {
    /// All of it.
    Kept,
    /// There was no last run.
    Missing,
    /// It could not be believed, so it was dropped.
    Lost,
}

/// Keeps a project's state in one folder that nothing else uses.
///
/// Each fresh start goes into a subfolder of its own, so that neither leftovers
/// nor a stuck thread of an unreadable one can touch the next. A folder that is
/// removed under a running project is made again with all that was in it.
#[derive(Debug)]
pub struct SledStore {
    folder: PathBuf,
    current: Mutex<Current>,
    /// Sled takes nothing more once its disk refused something.
    is_broken: AtomicBool,
}

#[derive(Debug)]
struct Current {
    generation: Generation,
    /// Held as long as we live; a second process is told, not let in.
    _lock: File,
}

impl SledStore {
    /// Opens the state in `folder`, afresh when what is there can't be used.
    ///
    /// Fails only when the folder can't be written, or is in use.
    pub fn open(folder: &Path) -> Result<(Self, Past), StoreError> {
        make_own(folder)?;
        let lock = lock(folder)?;
        let numbers = generations(folder)?;
        let newest = numbers.last().copied();
        let (current, past) = match newest.map(|number| Generation::open(folder, number)) {
            Some(Ok(current)) => (current, Past::Kept),
            // It says nothing against what is there.
            Some(Err(StoreError::Full)) => return Err(StoreError::Full),
            Some(Err(error)) => {
                tracing::warn!(%error, "the project's state is unreadable; starting afresh");
                (next_after(folder, newest)?, Past::Lost)
            }
            None => (next_after(folder, newest)?, Past::Missing),
        };
        remove_others(folder, current.number());
        Ok((Self::of(folder, current, lock), past))
    }

    /// Opens the state in `folder` as the last run left it, and leaves it to the next
    /// [`open`](Self::open) to drop what can't be used.
    ///
    /// Fails where there is none, where it can't be read, and where it is in use.
    pub fn open_kept(folder: &Path) -> Result<Self, StoreError> {
        let newest = generations(folder)?.last().copied();
        let number = newest.ok_or_else(|| StoreError::Failed("there is no state".to_owned()))?;
        let lock = lock(folder)?;
        Ok(Self::of(folder, Generation::open(folder, number)?, lock))
    }

    fn of(folder: &Path, generation: Generation, lock: File) -> Self {
        let current = Mutex::new(Current { generation, _lock: lock });
        Self { folder: folder.to_owned(), current, is_broken: AtomicBool::new(false) }
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings the rows to a new place after somebody removed the old one: they
    /// can be read for as long as they are open.
    fn move_on(&self, current: &mut Current) -> Result<(), StoreError> {
        tracing::warn!(folder = %self.folder.display(), "the project's state is made again");
        make_own(&self.folder)?;
        let lock = lock(&self.folder)?;
        let mut next = next_after(&self.folder, Some(current.generation.number()))?;
        next.apply(&current.generation.all_rows()?, true)?;
        *current = Current { generation: next, _lock: lock };
        Ok(())
    }
}

impl Store for SledStore {
    fn load(&self, table: Table) -> Result<Rows, StoreError> {
        self.current().generation.rows(prefix(table))
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.current().generation.get(&full_key(table, key))
    }

    fn apply(&self, batch: Batch, durable: bool) -> Result<(), StoreError> {
        let changes = batch.changes.into_iter();
        let changes = changes.map(|((table, key), value)| (full_key(table, &key), value)).collect();
        let mut current = self.current();
        let moved = match current.generation.is_gone() {
            true => self.move_on(&mut current),
            false => Ok(()),
        };
        let applied = moved.and_then(|()| current.generation.apply(&changes, durable));
        self.is_broken.fetch_or(applied.is_err(), Ordering::Relaxed);
        applied
    }

    fn clear(&self) -> Result<(), StoreError> {
        let mut current = self.current();
        make_own(&self.folder)?;
        current.generation = next_after(&self.folder, Some(current.generation.number()))?;
        remove_others(&self.folder, current.generation.number());
        Ok(())
    }

    fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Relaxed)
    }
}

/// For nobody else: what is in it has the rights that the database gives it.
fn make_own(folder: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Tables share one tree of sled, as only then a batch is atomic across them.
/// Byte 0 is the generation's own.
fn prefix(table: Table) -> u8 {
    match table {
        Table::Facts => 1,
        Table::Index => 2,
        Table::Base => 3,
        Table::Target => 4,
        Table::View => 5,
        Table::Private => 6,
    }
}

fn full_key(table: Table, key: &[u8]) -> Vec<u8> {
    let mut full = Vec::with_capacity(1 + key.len());
    full.push(prefix(table));
    full.extend_from_slice(key);
    full
}

/// A program that is being started holds what we have let go of until it runs,
/// hence several tries.
fn lock(folder: &Path) -> Result<File, StoreError> {
    let lock = File::create(folder.join("lock"))?;
    for _ in 0..LOCK_TRIES {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) => thread::sleep(BETWEEN_TRIES),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
    Err(StoreError::Failed("another daemon uses it".to_owned()))
}

fn generations(folder: &Path) -> Result<Vec<u64>, StoreError> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        numbers.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn next_after(folder: &Path, number: Option<u64>) -> Result<Generation, StoreError> {
    Generation::create(folder, number.map_or(0, |number| number + 1))
}

/// What can't be removed now is tried again at the next start.
fn remove_others(folder: &Path, kept: u64) {
    for number in generations(folder).unwrap_or_default() {
        if number != kept {
            drop(fs::remove_dir_all(folder.join(number.to_string())));
        }
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Failed(error.to_string()),
        }
    }
}
