//! One sled database: written since a fresh start, dropped at the next.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use mirror_core::Digest;

use super::{Rows, StoreError, encode};

/// Rows by key; `None` removes.
pub(super) type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Longer than the largest state takes; a damaged one can stop sled for good.
const OPEN_PATIENCE: Duration = Duration::from_secs(30);

/// Pages are read once, at start; a cache would only hold memory.
const CACHE_BYTES: u64 = 1024 * 1024;

/// Until a batch is in, sled holds all that each of its rows replaced: thirty
/// times its size for 20,000 rows at once, next to nothing for so many.
const PIECE_ROWS: usize = 512;

/// The row that says what the others are.
const HEADER: &[u8] = &[0];
/// The row that holds a batch of many pieces while these go in.
const UNDER_WAY: &[u8] = &[0, 0];
const FORMAT: &[u8] = b"mirrord state 1\n";

#[derive(Debug)]
pub(super) struct Generation {
    number: u64,
    folder: PathBuf,
    rows: sled::Db,
    /// Of all rows but the header. Adding commutes, so it is kept without
    /// reading what a batch doesn't change.
    sum: u128,
    /// Blobs of sled that are flushed: the values and pages that are too large for
    /// its log.
    flushed: BTreeSet<OsString>,
}

impl Generation {
    pub(super) fn create(parent: &Path, number: u64) -> Result<Self, StoreError> {
        let folder = parent.join(number.to_string());
        let rows = open_patiently(&folder)?;
        let mut generation = Self { number, folder, rows, sum: 0, flushed: BTreeSet::new() };
        generation.apply(&BTreeMap::new(), true)?;
        File::open(&generation.folder)?.sync_all()?;
        File::open(parent)?.sync_all()?;
        Ok(generation)
    }

    /// Opens what an earlier run left; any doubt is an error.
    pub(super) fn open(parent: &Path, number: u64) -> Result<Self, StoreError> {
        let folder = parent.join(number.to_string());
        let (rows, sum) = patiently({
            let folder = folder.clone();
            move || {
                let rows = open(&folder)?;
                let sum = checked_sum(&rows)?;
                Ok((rows, sum))
            }
        })?;
        let mut generation = Self { number, folder, rows, sum, flushed: BTreeSet::new() };
        generation.finish_under_way()?;
        Ok(generation)
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn rows(&self, prefix: u8) -> Result<Rows, StoreError> {
        guarded(|| {
            let rows = self.rows.scan_prefix([prefix]).map(|row| {
                let (key, value) = row?;
                Ok((key[1..].to_vec(), value.to_vec()))
            });
            rows.collect()
        })
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        guarded(|| Ok(self.rows.get(key)?.map(|value| value.to_vec())))
    }

    /// Every row but the header and what is under way, as a batch of changes.
    pub(super) fn all_rows(&self) -> Result<Changes, StoreError> {
        guarded(|| {
            let rows = self.rows.range(vec![1]..).map(|row| {
                let (key, value) = row?;
                Ok((key.to_vec(), Some(value.to_vec())))
            });
            rows.collect()
        })
    }

    /// Whether somebody has removed the folder, of which only we still know.
    pub(super) fn is_gone(&self) -> bool {
        let place = self.folder.join("db").symlink_metadata();
        place.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
    }

    pub(super) fn apply(&mut self, changes: &Changes, durable: bool) -> Result<(), StoreError> {
        // What an error cut off goes in before anything newer does.
        self.finish_under_way()?;
        if changes.len() > PIECE_ROWS {
            let whole = encode(changes);
            self.write([(&UNDER_WAY.to_vec(), &Some(whole))])?;
            self.apply_in_pieces(changes)?;
        } else {
            self.write(changes)?;
        }
        if durable { self.flush() } else { Ok(()) }
    }

    /// A batch that is kept whole beside its pieces is in all the same when
    /// only some of them are: the next start brings the others.
    fn apply_in_pieces(&mut self, changes: &Changes) -> Result<(), StoreError> {
        let rows: Vec<_> = changes.iter().collect();
        for piece in rows.chunks(PIECE_ROWS) {
            self.write(piece.iter().copied())?;
        }
        self.write([(&UNDER_WAY.to_vec(), &None)])
    }

    fn finish_under_way(&mut self) -> Result<(), StoreError> {
        let Some(whole) = self.get(UNDER_WAY)? else { return Ok(()) };
        let changes: Changes =
            postcard::from_bytes(&whole).map_err(|error| StoreError::Failed(error.to_string()))?;
        self.apply_in_pieces(&changes)?;
        self.flush()
    }

    /// Stores some rows and their sum, all of them or nothing.
    fn write<'a>(
        &mut self,
        changes: impl IntoIterator<Item = (&'a Vec<u8>, &'a Option<Vec<u8>>)>,
    ) -> Result<(), StoreError> {
        self.sum = guarded(|| {
            let mut sum = self.sum;
            let mut batch = sled::Batch::default();
            for (key, value) in changes {
                if let Some(old) = self.rows.get(key)? {
                    sum = sum.wrapping_sub(weight(key, &old));
                }
                match value {
                    Some(value) => {
                        sum = sum.wrapping_add(weight(key, value));
                        batch.insert(key.as_slice(), value.as_slice());
                    }
                    None => batch.remove(key.as_slice()),
                }
            }
            batch.insert(HEADER, header(sum));
            self.rows.apply_batch(batch)?;
            Ok(sum)
        })?;
        self.flush_blobs()
    }

    /// On Linux, sled's flush ends in the page cache: it never calls fsync.
    fn flush(&mut self) -> Result<(), StoreError> {
        guarded(|| Ok(self.rows.flush()?))?;
        self.flush_blobs()?;
        Ok(flush(&self.folder.join("db"))?)
    }

    /// Flushes blobs as soon as they are written, before what names them: without
    /// one of those none of the rows can be believed. A blob never changes.
    fn flush_blobs(&mut self) -> Result<(), StoreError> {
        let (folder, mut found) = (self.folder.join("blobs"), BTreeSet::new());
        for entry in fs::read_dir(&folder)? {
            let name = entry?.file_name();
            if !self.flushed.contains(&name) {
                flush_if_there(&folder.join(&name))?;
            }
            found.insert(name);
        }
        if !found.is_subset(&self.flushed) {
            flush(&folder)?;
        }
        self.flushed = found;
        Ok(())
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        // Lost rows cost a scan, and there is nobody left to tell.
        drop(self.flush());
    }
}

fn flush(path: &Path) -> io::Result<()> {
    #[cfg(test)]
    tests::FLUSHED.with_borrow_mut(|flushed| flushed.push(path.to_owned()));
    File::open(path)?.sync_all()
}

/// Threads of sled remove blobs that no page needs any more.
fn flush_if_there(path: &Path) -> io::Result<()> {
    match flush(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        flushed => flushed,
    }
}

fn open(folder: &Path) -> Result<sled::Db, StoreError> {
    let config = sled::Config::new()
        .path(folder)
        .mode(sled::Mode::LowSpace)
        .cache_capacity(CACHE_BYTES)
        // Batches say themselves when they must be durable; a thread that
        // wakes for each project would cost a daemon at rest more than all else.
        .flush_every_ms(None);
    wait_for_the_last_to_close(folder);
    Ok(config.open()?)
}

/// Threads of sled hold its own lock on the file for a moment after the last
/// handle is gone. As our lock on the whole folder is ours by now, it can only
/// be this process that holds it.
fn wait_for_the_last_to_close(folder: &Path) {
    if let Ok(rows) = File::open(folder.join("db")) {
        drop(rows.lock());
    }
}

fn open_patiently(folder: &Path) -> Result<sled::Db, StoreError> {
    let folder = folder.to_owned();
    patiently(move || open(&folder))
}

/// Runs `work` on a thread of its own, which is left behind when it takes too long.
fn patiently<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let (sender, receiver) = mpsc::channel();
    let run = move || drop(sender.send(guarded(work)));
    thread::Builder::new().name("open state".to_owned()).spawn(run)?;
    receiver
        .recv_timeout(OPEN_PATIENCE)
        .unwrap_or_else(|_| Err(StoreError::Failed("it took too long to open".to_owned())))
}

/// Makes a panic inside sled an error: it panics on damaged pages.
fn guarded<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(StoreError::Failed("sled gave up on it".to_owned())))
}

fn checked_sum(rows: &sled::Db) -> Result<u128, StoreError> {
    let mut sum = 0_u128;
    let mut found = None;
    for row in rows.iter() {
        let (key, value) = row?;
        if *key == *HEADER {
            found = Some(value);
        } else {
            sum = sum.wrapping_add(weight(&key, &value));
        }
    }
    match found {
        Some(found) if found == header(sum) => Ok(sum),
        Some(_) => Err(StoreError::Failed("rows are missing, or of another format".to_owned())),
        None => Err(StoreError::Failed("it was never whole".to_owned())),
    }
}

fn header(sum: u128) -> Vec<u8> {
    [FORMAT, sum.to_le_bytes().as_slice()].concat()
}

fn weight(key: &[u8], value: &[u8]) -> u128 {
    let mut hasher = mirror_core::digest::Hasher::new();
    hasher.update(&(key.len() as u64).to_le_bytes());
    hasher.update(key);
    hasher.update(value);
    let Digest(bytes) = hasher.finish();
    bytes.into_iter().take(16).fold(0, |sum, byte| sum << 8 | u128::from(byte))
}

impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(cause) => cause.into(),
            error => Self::Failed(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    thread_local! {
        pub(super) static FLUSHED: RefCell<Vec<PathBuf>> = const { RefCell::new(Vec::new()) };
    }

    fn many(value: &str) -> Changes {
        (0..2_000_u32)
            .map(|number| ([[1].as_slice(), &number.to_be_bytes()].concat(), Some(value.into())))
            .collect()
    }

    /// Ends in the middle of a large batch, as a crash would.
    fn cut_off(generation: &mut Generation, changes: &Changes) {
        let whole = Some(encode(changes));
        generation.write([(&UNDER_WAY.to_vec(), &whole)]).unwrap();
        generation.write(changes.iter().take(700)).unwrap();
    }

    #[track_caller]
    fn check(generation: &Generation, value: &str) {
        let rows = generation.rows(1).unwrap();
        assert_eq!(rows.len(), 2_000);
        assert!(rows.iter().all(|(_, found)| found == value.as_bytes()));
        assert_eq!(generation.rows(0).unwrap().len(), 1, "nothing is under way any more");
    }

    #[test]
    fn value_that_sled_keeps_outside_its_log_is_flushed_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut generation = Generation::create(folder.path(), 0).unwrap();
        FLUSHED.take();
        let large = [(vec![1, 1], Some(vec![7; 1 << 20]))];

        generation.apply(&large.clone().into(), true).unwrap();

        let blobs = folder.path().join("0/blobs");
        let mut due: Vec<PathBuf> =
            fs::read_dir(&blobs).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!due.is_empty(), "sled makes one");
        due.extend([blobs, folder.path().join("0/db")]);
        assert_eq!(FLUSHED.take(), due);

        drop(generation);
        let generation = Generation::open(folder.path(), 0).unwrap();
        assert_eq!(generation.get(&[1, 1]).unwrap(), large[0].1);
    }

    #[test]
    fn large_batch_that_was_cut_off_is_in_after_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let mut generation = Generation::create(folder.path(), 0).unwrap();
        generation.apply(&many("old"), true).unwrap();
        cut_off(&mut generation, &many("new"));
        drop(generation);

        check(&Generation::open(folder.path(), 0).unwrap(), "new");
    }

    #[test]
    fn large_batch_that_was_cut_off_never_overwrites_a_later_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut generation = Generation::create(folder.path(), 0).unwrap();
        cut_off(&mut generation, &many("old"));

        generation.apply(&many("new"), true).unwrap();

        check(&generation, "new");
        drop(generation);
        check(&Generation::open(folder.path(), 0).unwrap(), "new");
    }
}
