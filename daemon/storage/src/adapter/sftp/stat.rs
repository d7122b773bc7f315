//! What stands at a path, and which version of a file it is.
//!
//! The server gives times in whole seconds and nothing else that tells two
//! versions apart, so our own writes leave a mark. A file of ours is dated back
//! one second: whoever writes into it afterwards, be it in the same second,
//! gives it another time. And its time of last access is set years ahead by a
//! random amount, so that no two writes look the same; a server that notes
//! every access takes that mark away with the first reading, and then the file
//! passes for another version. Of two edits by others, of the same size and in
//! the same second, no revision tells.

use std::time::{Duration, SystemTime};

use ulid::Ulid;

use super::paths::{Parents, Root, is_in_log};
use super::wire::{FileAttrs, FileType, UnixTimeStamp};
use crate::rights::OTHERS;
use crate::{RemoteFile, RemotePath, Revision, StorageError};

/// The file in a folder that makes it an entry of the log; whatever else is in
/// there, a NAS or a file manager has added.
pub(super) const BODY: &str = "body";

/// How far ahead of a file's time a mark begins, some 13 months, and how many
/// seconds there are for it, some 8 years: before 2038 for some time to come.
const MARK_FROM: u32 = 1 << 25;
const MARKS: u32 = 1 << 28;

/// What a server says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileStat {
    pub(super) size: u64,
    changed: u32,
    mark: Option<u32>,
    is_private: Option<bool>,
}

impl FileStat {
    pub(super) fn of(attributes: &FileAttrs) -> Self {
        let (read, changed) = attributes.get_time().unwrap_or_default();
        let (read, changed) = (read.into_raw(), changed.into_raw());
        let ahead = read.checked_sub(changed).and_then(|ahead| ahead.checked_sub(MARK_FROM));
        let mark = ahead.filter(|mark| *mark < MARKS);
        let mode = attributes.get_permissions();
        Self {
            size: attributes.get_size().unwrap_or_default(),
            changed,
            mark,
            is_private: mode.map(|mode| mode.bits() & OTHERS == 0),
        }
    }

    pub(super) fn revision(&self) -> Revision {
        let Self { size, changed, .. } = self;
        Revision(match self.mark {
            Some(mark) => format!("{size}-{changed}-{mark:x}"),
            None => format!("{size}-{changed}"),
        })
    }

    pub(super) fn remote_file(&self, path: &RemotePath) -> RemoteFile {
        let changed = Duration::from_secs(self.changed.into());
        RemoteFile {
            path: path.clone(),
            size: self.size,
            modified: SystemTime::UNIX_EPOCH.checked_add(changed),
            revision: self.revision(),
            is_private: self.is_private,
        }
    }
}

/// The times that make a file just written unlike any other version.
pub(super) fn marked_times(written: &FileAttrs) -> Option<(UnixTimeStamp, UnixTimeStamp)> {
    let changed = written.get_time()?.1.into_raw().checked_sub(1)?;
    let [a, b, c, d, ..] = Ulid::generate().random().to_le_bytes();
    let mark = u32::from_le_bytes([a, b, c, d]) % MARKS;
    let read = changed.checked_add(MARK_FROM + mark)?;
    Some((UnixTimeStamp::from_raw(read)?, UnixTimeStamp::from_raw(changed)?))
}

/// What stands at a path.
#[derive(Debug)]
pub(super) enum Entry {
    Nothing,
    File(FileStat),
    /// An entry of the log as servers without hard links have it.
    BodyInFolder(FileStat),
    Folder,
    /// A link, a pipe, a device.
    Other,
}

impl Entry {
    /// Describes the file that stands here, whichever way it is spelled.
    pub(super) fn file(&self) -> Option<&FileStat> {
        match self {
            Self::File(seen) | Self::BodyInFolder(seen) => Some(seen),
            Self::Nothing | Self::Folder | Self::Other => None,
        }
    }

    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

/// What one entry of a folder is.
pub(super) fn kind_of(attributes: &FileAttrs) -> Result<FileType, StorageError> {
    let unsaid = || StorageError::Malformed("the server does not say what is a file".into());
    attributes.get_filetype().ok_or_else(unsaid)
}

impl Root {
    /// Asks what stands at `path`, what its folders are, and whether all of
    /// this means anything: the root has to be there.
    pub(super) fn entry_at<'a>(
        &'a self,
        path: &RemotePath,
    ) -> impl Future<Output = Result<(Parents, Entry), StorageError>> + Send + use<'a> {
        let (entry, present) = (self.entry_within(path), self.check_presence());
        async move {
            let entry = entry.await;
            present.await?;
            entry
        }
    }

    /// The same for a root that is known to be there.
    pub(super) fn entry_within<'a>(
        &'a self,
        path: &RemotePath,
    ) -> impl Future<Output = Result<(Parents, Entry), StorageError>> + Send + use<'a> {
        let path = path.clone();
        let parents = self.parents(&path);
        let at = self.at(&path);
        let itself = self.session.look(&at);
        let body = is_in_log(&path).then(|| self.session.look(&format!("{at}/{BODY}")));
        async move {
            let (parents, itself) = (parents.await, itself.await);
            let body = match body {
                Some(body) => body.await.ok(),
                None => None,
            };
            let parents = parents?;
            if path.is_root() {
                return Ok((parents, Entry::Folder));
            }
            if parents != Parents::Folders {
                return Ok((parents, Entry::Nothing));
            }
            let entry = match itself {
                Ok(seen) => stands(&seen, body.as_ref())?,
                Err(failure) if failure.is_missing() => Entry::Nothing,
                Err(failure) => return Err(self.error(&path)(failure)),
            };
            Ok((parents, entry))
        }
    }
}

fn stands(itself: &FileAttrs, body: Option<&FileAttrs>) -> Result<Entry, StorageError> {
    let is_file = |body: &&FileAttrs| body.get_filetype() == Some(FileType::RegularFile);
    Ok(match kind_of(itself)? {
        FileType::RegularFile => Entry::File(FileStat::of(itself)),
        FileType::Directory => match body.filter(is_file) {
            Some(body) => Entry::BodyInFolder(FileStat::of(body)),
            None => Entry::Folder,
        },
        _ => Entry::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(size: u64, read: u32, changed: u32) -> FileAttrs {
        let mut attributes = FileAttrs::new();
        attributes.set_size(size);
        let time = |seconds| UnixTimeStamp::from_raw(seconds).expect("a time");
        attributes.set_time(time(read), time(changed));
        attributes
    }

    const NOW: u32 = 1_800_000_000;

    #[test]
    fn two_writes_in_one_second_are_two_versions() {
        let written = attributes(4, NOW, NOW);
        let marked = || {
            let (read, changed) = marked_times(&written).expect("times");
            FileStat::of(&attributes(4, read.into_raw(), changed.into_raw()))
        };

        assert_ne!(marked().revision(), marked().revision());
    }

    #[test]
    fn edit_in_the_second_of_our_write_is_another_version() {
        let (read, changed) = marked_times(&attributes(4, NOW, NOW)).expect("times");
        let ours = FileStat::of(&attributes(4, read.into_raw(), changed.into_raw()));

        let edited_in_place = FileStat::of(&attributes(4, read.into_raw(), NOW));

        assert_ne!(ours.revision(), edited_in_place.revision());
        assert_ne!(
            ours.remote_file(&RemotePath::ROOT),
            edited_in_place.remote_file(&RemotePath::ROOT)
        );
    }

    #[test]
    fn reading_a_file_of_others_leaves_its_version() {
        let before = FileStat::of(&attributes(4, NOW - 1000, NOW));
        let after = FileStat::of(&attributes(4, NOW + 90_000, NOW));

        assert_eq!(before.revision(), after.revision());
    }
}
