//! A log file that starts anew at a size and keeps the last few.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::folders::make_private;

/// Older files that are kept: `.1` is the newest of them.
const KEPT: usize = 3;

/// Writes one file; when it has grown to the limit, it becomes the first of
/// the older ones.
#[derive(Debug)]
pub(crate) struct RotatingFile {
    path: PathBuf,
    file: File,
    size: u64,
    limit: u64,
}

impl RotatingFile {
    pub(crate) fn open(path: PathBuf, limit: u64) -> io::Result<Self> {
        let file = append_to(&path)?;
        let size = file.metadata()?.len();
        Ok(Self { path, file, size, limit })
    }

    /// A cleaner, or another program that rotates logs, may have taken the file.
    fn is_in_place(&self) -> bool {
        match (self.file.metadata(), fs::symlink_metadata(&self.path)) {
            (Ok(ours), Ok(found)) => (ours.dev(), ours.ino()) == (found.dev(), found.ino()),
            _ => false,
        }
    }

    fn open_again(&mut self) -> io::Result<()> {
        self.path.parent().map_or(Ok(()), make_private)?;
        self.file = append_to(&self.path)?;
        self.size = self.file.metadata()?.len();
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        for number in (1..KEPT).rev() {
            // An older file that isn't there yet is no failure.
            drop(fs::rename(self.older(number), self.older(number + 1)));
        }
        fs::rename(&self.path, self.older(1))?;
        self.file = append_to(&self.path)?;
        self.size = 0;
        Ok(())
    }

    fn older(&self, number: usize) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

impl Write for RotatingFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let added = line.len() as u64;
        if !self.is_in_place() {
            self.open_again()?;
        }
        if self.size > 0 && self.size + added > self.limit {
            self.rotate()?;
        }
        // Whole lines only: a part of one would be torn by the next rotation.
        self.file.write_all(line)?;
        self.size += added;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_file_becomes_an_older_one_and_the_oldest_goes() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("mirrord.log");
        let mut log = RotatingFile::open(path.clone(), 10).unwrap();

        for line in ["first 8\n", "second \n", "third 8\n", "fourth \n", "fifth 8\n"] {
            log.write_all(line.as_bytes()).unwrap();
        }

        let read = |end: &str| fs::read_to_string(format!("{}{end}", path.display())).ok();
        assert_eq!(read("").as_deref(), Some("fifth 8\n"));
        assert_eq!(read(".1").as_deref(), Some("fourth \n"));
        assert_eq!(read(".3").as_deref(), Some("second \n"));
        assert_eq!(read(".4"), None);
    }

    #[test]
    fn log_that_is_taken_away_is_begun_anew() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("state");
        fs::create_dir(&folder).unwrap();
        let path = folder.join("mirrord.log");
        let mut log = RotatingFile::open(path.clone(), 100).unwrap();
        log.write_all(b"first\n").unwrap();

        fs::remove_file(&path).unwrap();
        log.write_all(b"second\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "second\n");

        fs::remove_dir_all(&folder).unwrap();
        log.write_all(b"third\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "third\n");
    }

    #[test]
    fn size_counts_what_an_earlier_run_wrote() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("mirrord.log");
        fs::write(&path, "123456789").unwrap();

        RotatingFile::open(path.clone(), 10).unwrap().write_all(b"next").unwrap();

        assert_eq!(fs::read_to_string(&path).unwrap(), "next");
    }
}
