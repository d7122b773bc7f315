//! The end of a file of lines, now and as it grows or is replaced.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const BLOCK: u64 = 64 * 1024;

/// Between two looks at whether the file has grown.
const PAUSE: Duration = Duration::from_millis(200);

/// How far a file was read, and which file it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    inode: u64,
    offset: u64,
}

/// The last lines that are whole, oldest first, and where they end. Only as
/// much is read as they take.
pub(super) fn last_lines(path: &Path, count: usize) -> io::Result<(Vec<String>, End)> {
    let mut file = File::open(path)?;
    let found = file.metadata()?;
    let mut start = found.len();
    let mut bytes = Vec::new();
    // One line end more than lines: the first line must be whole as well.
    while start > 0 && bytes.split(|byte| *byte == b'\n').count() <= count + 1 {
        let size = start.min(BLOCK);
        start -= size;
        file.seek(SeekFrom::Start(start))?;
        let mut block = Vec::new();
        file.by_ref().take(size).read_to_end(&mut block)?;
        bytes.splice(..0, block);
    }
    let whole = whole_lines(&bytes);
    let end = End { inode: found.ino(), offset: start + whole as u64 };
    let lines = lines(&bytes[..whole]);
    Ok((lines[lines.len().saturating_sub(count)..].to_vec(), end))
}

/// Reads a file on, through rotation too.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    end: End,
}

impl Tail {
    pub(super) fn new(path: PathBuf, end: End) -> Self {
        Self { path, end }
    }

    /// Waits for new lines.
    pub(super) async fn next(&mut self) -> io::Result<Vec<String>> {
        loop {
            let lines = self.read_on()?;
            if !lines.is_empty() {
                return Ok(lines);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn read_on(&mut self) -> io::Result<Vec<String>> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            // Between the two steps of a rotation there is none.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let found = file.metadata()?;
        if found.ino() != self.end.inode || found.len() < self.end.offset {
            self.end = End { inode: found.ino(), offset: 0 };
        }
        file.seek(SeekFrom::Start(self.end.offset))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let whole = whole_lines(&bytes);
        self.end.offset += whole as u64;
        Ok(lines(&bytes[..whole]))
    }
}

/// How many bytes belong to lines that have ended.
fn whole_lines(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1)
}

fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    fn append(path: &Path, text: &str) {
        let mut file = File::options().append(true).create(true).open(path).expect("opened");
        file.write_all(text.as_bytes()).expect("written");
    }

    #[test]
    fn last_lines_are_whole_however_long_the_file() {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("log");
        let lines: Vec<_> = (0..20_000).map(|number| format!("line {number}\n")).collect();
        append(&path, &lines.concat());
        append(&path, "half");

        let (last, _) = last_lines(&path, 2).expect("read");
        assert_eq!(last, ["line 19998", "line 19999"]);

        let (all, _) = last_lines(&path, 50_000).expect("read");
        assert_eq!(all.len(), 20_000);
        assert_eq!(all[0], "line 0");
    }

    #[test]
    fn tail_goes_on_where_it_was_and_through_a_rotation() {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("log");
        append(&path, "one\ntw");
        let (_, end) = last_lines(&path, 9).expect("read");
        let mut tail = Tail::new(path.clone(), end);

        append(&path, "o\n");
        assert_eq!(tail.read_on().expect("read"), ["two"]);
        assert!(tail.read_on().expect("read").is_empty());

        fs::rename(&path, place.path().join("log.1")).expect("rotated");
        assert!(tail.read_on().expect("read").is_empty());
        append(&path, "three\n");
        assert_eq!(tail.read_on().expect("read"), ["three"]);
    }
}
