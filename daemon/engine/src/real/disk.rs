//! The daemon's own files in one folder, for nobody else to read.
//!
//! Folders are made with mode 0700 and files with 0600. A file is written
//! under another name in `tmp`, flushed, and renamed into its place.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};

use crate::outside::disk::{Disk, DiskFile, Scratch};

const TMP: &str = "tmp";

/// What a crash left in `tmp` is removed when it is this old: long after any
/// write that may still be running.
const LEFTOVER_AGE: Duration = Duration::from_hours(24);

/// One folder of the daemon on a disk of this machine.
#[derive(Clone, Debug)]
pub struct LocalDisk {
    folder: PathBuf,
}

impl LocalDisk {
    /// Makes the folder if it is missing.
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        make_folder(&folder.join(TMP))?;
        let disk = Self { folder };
        disk.remove_leftovers()?;
        Ok(disk)
    }

    /// The same folder for whoever only looks: nothing is made, nothing removed.
    #[must_use]
    pub fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn remove_leftovers(&self) -> io::Result<()> {
        for entry in fs::read_dir(self.folder.join(TMP))? {
            let entry = entry?;
            let age = entry
                .metadata()
                .and_then(|metadata| metadata.modified())
                .map(|modified| modified.elapsed().unwrap_or_default());
            if age.is_ok_and(|age| age > LEFTOVER_AGE) {
                absent_is_fine(fs::remove_file(entry.path()))?;
            }
        }
        Ok(())
    }

    /// Where a name stands; refuses one that would lead out of the folder.
    fn place(&self, name: &str) -> io::Result<PathBuf> {
        let plain =
            Path::new(name).components().all(|component| matches!(component, Component::Normal(_)));
        if !plain {
            let reason = format!("{name:?} is no name of a file of ours");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        Ok(self.folder.join(name))
    }

    /// The folder for temporary files, made again if somebody cleaned it away.
    fn tmp(&self) -> io::Result<PathBuf> {
        let tmp = self.folder.join(TMP);
        make_folder(&tmp)?;
        Ok(tmp)
    }
}

impl Disk for LocalDisk {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        absent_is_none(fs::read(self.place(name)?))
    }

    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read + Send>>> {
        let file = absent_is_none(File::open(self.place(name)?))?;
        Ok(file.map(|file| Box::new(file) as Box<dyn Read + Send>))
    }

    fn write(&self, name: &str, content: &mut dyn Read, durable: bool) -> io::Result<()> {
        let place = self.place(name)?;
        let parent = place.parent().unwrap_or(&self.folder).to_owned();
        make_folder(&parent)?;
        let mut file = tempfile::NamedTempFile::new_in(self.tmp()?)?;
        io::copy(content, &mut file)?;
        // Flushed even when it need not be durable: some file systems bring the
        // rename to the disk before the bytes, and would leave it empty.
        file.as_file().sync_all()?;
        file.persist(&place)?;
        if durable {
            self.flush_folders(&parent)?;
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        absent_is_fine(fs::remove_file(self.place(name)?))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<DiskFile>> {
        let Some(entries) = absent_is_none(fs::read_dir(self.place(folder)?))? else {
            return Ok(Vec::new());
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry?;
            // Another thread may remove a file between the two looks.
            let Some(metadata) = absent_is_none(entry.metadata())? else {
                continue;
            };
            if let (true, Ok(name)) = (metadata.is_file(), entry.file_name().into_string()) {
                files.push(DiskFile {
                    name,
                    size: metadata.len(),
                    used_ms: milliseconds(metadata.modified()?),
                });
            }
        }
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(files)
    }

    fn touch(&self, name: &str) -> io::Result<()> {
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let times = Timestamps { last_access: now, last_modification: now };
        let touched = utimensat(CWD, self.place(name)?, &times, AtFlags::SYMLINK_NOFOLLOW);
        absent_is_fine(touched.map_err(io::Error::from))
    }

    fn scratch(&self) -> io::Result<Box<dyn Scratch>> {
        let file = tempfile::tempfile_in(self.tmp()?)?;
        Ok(Box::new(LocalScratch::at_start(Arc::new(file))))
    }
}

impl LocalDisk {
    /// Flushes the folder of a new file and those above it, any of which may
    /// be new as well.
    fn flush_folders(&self, folder: &Path) -> io::Result<()> {
        folder
            .ancestors()
            .take_while(|above| above.starts_with(&self.folder))
            .try_for_each(|above| File::open(above)?.sync_all())
    }
}

/// An unnamed file; each handle has its own position in it.
struct LocalScratch {
    file: Arc<File>,
    position: u64,
}

impl LocalScratch {
    fn at_start(file: Arc<File>) -> Self {
        Self { file, position: 0 }
    }
}

impl Scratch for LocalScratch {
    fn reopen(&self) -> io::Result<Box<dyn Scratch>> {
        Ok(Box::new(Self::at_start(Arc::clone(&self.file))))
    }
}

impl Read for LocalScratch {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Write for LocalScratch {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.file.write_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for LocalScratch {
    fn seek(&mut self, target: SeekFrom) -> io::Result<u64> {
        let position = match target {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.file.metadata()?.len().checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn absent_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    absent_is_none(result).map(Option::unwrap_or_default)
}

fn milliseconds(time: SystemTime) -> i64 {
    let after = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(after.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn disk() -> (tempfile::TempDir, LocalDisk) {
        let home = tempfile::tempdir().unwrap();
        let disk = LocalDisk::open(home.path().join("data")).unwrap();
        (home, disk)
    }

    fn names(disk: &LocalDisk, folder: &str) -> Vec<String> {
        let files = disk.list(folder).unwrap();
        files.into_iter().map(|file| file.name).collect()
    }

    /// Gives some bytes, then fails as a lost connection would.
    struct Broken(&'static [u8]);

    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::ErrorKind::ConnectionReset.into()),
                count => Ok(count),
            }
        }
    }

    #[test]
    fn written_file_reads_back_whole() {
        let (_home, disk) = disk();
        disk.write("queue/one", &mut &b"milk"[..], true).unwrap();
        disk.write("queue/one", &mut &b"bread"[..], false).unwrap();
        assert_eq!(disk.read("queue/one").unwrap().unwrap(), b"bread");

        let mut text = String::new();
        let mut opened = disk.open("queue/one").unwrap().unwrap();
        opened.read_to_string(&mut text).unwrap();
        assert_eq!(text, "bread");
    }

    #[test]
    fn failed_write_leaves_the_old_file_and_nothing_else() {
        let (_home, disk) = disk();
        disk.write("one", &mut &b"old"[..], true).unwrap();
        disk.write("one", &mut Broken(b"half"), true).unwrap_err();
        assert_eq!(disk.read("one").unwrap().unwrap(), b"old");
        assert_eq!(names(&disk, TMP), Vec::<String>::new());
    }

    #[test]
    fn missing_file_is_no_error() {
        let (_home, disk) = disk();
        assert_eq!(disk.read("gone/one").unwrap(), None);
        assert!(disk.open("gone").unwrap().is_none());
        assert_eq!(disk.list("gone").unwrap(), []);
        disk.remove("gone").unwrap();
        disk.touch("gone").unwrap();
    }

    #[test]
    fn nobody_else_may_read_what_is_stored() {
        let (home, disk) = disk();
        disk.write("a/b/one", &mut &b"secret"[..], false).unwrap();
        for (name, mode) in [("", 0o700), ("a", 0o700), ("a/b", 0o700), ("a/b/one", 0o600)] {
            let metadata = fs::metadata(home.path().join("data").join(name)).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, mode, "{name:?}");
        }
    }

    #[test]
    fn name_that_leads_out_is_refused() {
        let (_home, disk) = disk();
        for name in ["../one", "/one", "a/../../one"] {
            disk.read(name).unwrap_err();
            disk.write(name, &mut &b""[..], false).unwrap_err();
        }
    }

    #[test]
    fn listing_has_the_files_of_one_folder_sorted() {
        let (_home, disk) = disk();
        for name in ["cache/b", "cache/a", "cache/below/c"] {
            disk.write(name, &mut name.as_bytes(), false).unwrap();
        }
        assert_eq!(names(&disk, "cache"), ["a", "b"]);
        assert_eq!(disk.list("cache").unwrap()[0].size, 7);
    }

    #[test]
    fn touched_file_counts_as_used_now() {
        let (home, disk) = disk();
        disk.write("one", &mut &b"1"[..], false).unwrap();
        let file = File::options().write(true).open(home.path().join("data/one")).unwrap();
        file.set_modified(UNIX_EPOCH).unwrap();
        assert_eq!(disk.list("").unwrap()[0].used_ms, 0);

        disk.touch("one").unwrap();
        assert!(disk.list("").unwrap()[0].used_ms > 0);
    }

    #[test]
    fn old_leftovers_of_a_crash_are_removed_at_the_next_start() {
        let (home, _disk) = disk();
        let tmp = home.path().join("data").join(TMP);
        let old = File::create(tmp.join("old")).unwrap();
        old.set_modified(UNIX_EPOCH).unwrap();
        File::create(tmp.join("new")).unwrap();

        let disk = LocalDisk::open(home.path().join("data")).unwrap();
        assert_eq!(names(&disk, TMP), ["new"]);
    }

    #[test]
    fn reopened_scratch_has_its_own_position() {
        let (_home, disk) = disk();
        let mut scratch = disk.scratch().unwrap();
        scratch.write_all(b"milk and bread").unwrap();
        let mut again = scratch.reopen().unwrap();
        scratch.write_all(b", please").unwrap();

        let mut text = String::new();
        again.read_to_string(&mut text).unwrap();
        assert_eq!(text, "milk and bread, please");
        scratch.seek(SeekFrom::End(-6)).unwrap();
        let mut end = String::new();
        scratch.read_to_string(&mut end).unwrap();
        assert_eq!(end, "please");
    }

    #[test]
    fn scratch_has_no_name() {
        let (_home, disk) = disk();
        let scratch = disk.scratch().unwrap();
        assert_eq!(names(&disk, TMP), Vec::<String>::new());
        drop(scratch);
    }
}
