//! Reads a file in chunks, one piece of work each.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use bytes::Bytes;
use futures::stream::{StreamExt, iter, try_unfold};
use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use super::error::{at, io_at};
use super::paths::{self, Root};
use super::stat::{self, Entry, entry_at};
use super::{off_runtime, sys};
use crate::{ByteRange, ByteStream, RemotePath, StorageError};

const CHUNK: u64 = 256 * 1024;

/// A file that was opened, its first chunk, and what is left of the range.
pub(super) struct OpenRead {
    first: Bytes,
    rest: Rest,
}

struct Rest {
    file: File,
    path: RemotePath,
    from: u64,
    to: u64,
}

/// Opens the file at `path` and reads the first chunk of `range`, which for
/// most files is all of it.
pub(super) fn open(
    root: &Root,
    path: &RemotePath,
    range: ByteRange,
) -> Result<Option<OpenRead>, StorageError> {
    let Some((file, stat)) = open_body(root, path)? else {
        return Ok(None);
    };
    let asked = range.len.map_or(u64::MAX, |len| range.start.saturating_add(len));
    let mut rest = Rest {
        file: File::from(file),
        path: path.clone(),
        from: range.start,
        to: asked.min(stat::size(&stat)),
    };
    let first = rest.next_chunk()?;
    Ok(Some(OpenRead { first, rest }))
}

pub(super) fn stream(open: OpenRead) -> ByteStream {
    let OpenRead { first, rest } = open;
    let first = (!first.is_empty()).then_some(Ok(first));
    if rest.is_done() {
        return iter(first).boxed();
    }
    let further = try_unfold(rest, async |mut rest| {
        if rest.is_done() {
            return Ok(None);
        }
        off_runtime(move || Ok(Some((rest.next_chunk()?, rest)))).await
    });
    iter(first).chain(further).boxed()
}

impl Rest {
    fn is_done(&self) -> bool {
        self.from >= self.to
    }

    fn next_chunk(&mut self) -> Result<Bytes, StorageError> {
        let len = self.to.saturating_sub(self.from).min(CHUNK);
        let mut chunk = vec![0; usize::try_from(len).expect("a chunk fits in memory")];
        self.file.read_exact_at(&mut chunk, self.from).map_err(|error| match error.kind() {
            // Cut short in place; a later try sees one state or the other.
            std::io::ErrorKind::UnexpectedEof => StorageError::Unreachable(error.into()),
            _ => io_at(&self.path)(error),
        })?;
        self.from += len;
        Ok(Bytes::from(chunk))
    }
}

fn open_body(root: &Root, path: &RemotePath) -> Result<Option<(OwnedFd, Stat)>, StorageError> {
    let Some(parent) = root.parent_of(path)? else {
        return Ok(None);
    };
    if path.is_root() {
        return Ok(None);
    }
    let Some((file, stat)) = open_plainly(&parent, path.name()).map_err(at(path))? else {
        return Ok(None);
    };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(Some((file, stat))),
        FileType::Directory if paths::is_in_log(path) => match entry_at(&parent, path)? {
            Entry::BodyInFolder(folder, _) => {
                let body = open_plainly(&folder, stat::BODY).map_err(at(path))?;
                Ok(body.filter(|(_, stat)| stat::is_file(stat)))
            }
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

fn open_plainly(parent: &OwnedFd, name: &str) -> Result<Option<(OwnedFd, Stat)>, Errno> {
    match sys::open_file(parent, name) {
        // Nothing, a link, or a socket: no file of ours.
        Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => Ok(None),
        Err(errno) => Err(errno),
        Ok(file) => {
            let stat = rustix::fs::fstat(&file)?;
            Ok(Some((file, stat)))
        }
    }
}
