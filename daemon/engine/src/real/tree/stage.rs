//! Writes a new version beside its place: whole, flushed, not visible yet.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mirror_core::digest::Hasher;
use mirror_core::{Digest, Kind, RelPath, State, Timestamp};
use mirror_storage::rights::hand_on;
use rustix::fs::{Mode, OFlags, RawMode, fchmod, fstat, fsync, openat, symlinkat};
use rustix::io::Errno;

use super::error::{self, Result};
use super::names::{Names as _, SystemNames};
use super::{LocalTree, sight};
use crate::links::MAX_TARGET_BYTES;
use crate::outside::tree::UNFINISHED_SUFFIX;
use crate::outside::{Manner, Staged, Stamp};

const PIECE: usize = 64 * 1024;

/// A folder that another thread removed as empty is made again this often.
const ATTEMPTS: usize = 16;

impl LocalTree {
    pub(super) fn stage_file(
        &self,
        path: &RelPath,
        manner: Manner,
        temp: &str,
        content: &mut dyn Read,
    ) -> Result<Staged> {
        let unfinished = &unfinished_of(temp);
        let (folder, (file, replaced)) =
            self.make_in_parent(path, |folder| create(folder, path.name(), unfinished, manner))?;
        let written = copy(path, content, &file).and_then(|digest| {
            self.close(path, &file, replaced.as_ref(), manner)?;
            // Whole by now: what stands at the temporary name is a version.
            SystemNames.move_out(folder.as_fd(), unfinished, temp).map_err(error::at(path))?;
            Ok((digest, stamp_of(path, &file)?))
        });
        let (digest, stamp) =
            written.inspect_err(|_| self.drop_temp(folder.as_fd(), unfinished))?;
        let state = State { kind: Kind::File, digest, exec: manner.exec };
        Ok(staged(path, temp, state, stamp))
    }

    pub(super) fn stage_link(
        &self,
        path: &RelPath,
        temp: &str,
        content: &mut dyn Read,
    ) -> Result<Staged> {
        let mut target = Vec::new();
        let longest = MAX_TARGET_BYTES as u64 + 1;
        let read = content.take(longest).read_to_end(&mut target);
        read.map_err(|cause| error::failed(path, cause))?;
        let text = self.text_of_target(path, &target)?;
        let (folder, ()) = self.make_in_parent(path, |folder| symlinkat(text, folder, temp))?;
        let stamp = sight::stat_of(folder.as_fd(), temp)
            .and_then(|stat| sight::stamp_of(&stat).ok_or(Errno::BUSY))
            .map_err(error::at(path))
            .inspect_err(|_| self.drop_temp(folder.as_fd(), temp))?;
        let state = State { kind: Kind::Link, digest: Digest::of(&target), exec: false };
        Ok(staged(path, temp, state, stamp))
    }

    /// Makes something in the folder of `path`, which is made if missing.
    fn make_in_parent<T>(
        &self,
        path: &RelPath,
        make: impl Fn(BorrowedFd<'_>) -> std::result::Result<T, Errno>,
    ) -> Result<(OwnedFd, T)> {
        self.refuse_own(path)?;
        let mut left = ATTEMPTS;
        loop {
            let folder = self.root.make_parent(path)?;
            left -= 1;
            match make(folder.as_fd()) {
                Ok(new) => return Ok((folder, new)),
                Err(Errno::NOENT) if left > 0 => {}
                Err(errno) => return Err(error::making(path)(errno)),
            }
        }
    }

    /// Gives a written file what it is to have beside its bytes, and flushes it.
    fn close(
        &self,
        path: &RelPath,
        file: &File,
        replaced: Option<&Replaced>,
        manner: Manner,
    ) -> Result<()> {
        match replaced {
            Some(replaced) => self.take_rights(path, file, replaced, manner)?,
            None => manner.modified.iter().for_each(|modified| date(file, *modified)),
        }
        fsync(file).map_err(error::at(path))
    }

    /// Gives it those of the file that it replaces.
    fn take_rights(
        &self,
        path: &RelPath,
        file: &File,
        replaced: &Replaced,
        manner: Manner,
    ) -> Result<()> {
        let mode = mode_like(replaced.mode, manner);
        let set = match &replaced.file {
            Some(old) => hand_on(file, old, mode),
            // Ours to replace and not ours to read: its mode is all that is known,
            // and a list of rights may stand behind the group's.
            None => fchmod(file, Mode::from_raw_mode(mode & 0o700)),
        };
        match set {
            // Some file systems without modes refuse to set any.
            Err(errno) if self.holds_exec() => Err(error::at(path)(errno)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn drop_temp(&self, folder: BorrowedFd<'_>, temp: &str) {
        if let Err(errno) = error::absent_is_none(self.names.remove(folder, temp)) {
            tracing::warn!("a temporary file {temp} could not be removed: {errno}");
        }
    }
}

/// Where a file is written.
pub(super) fn unfinished_of(temp: &str) -> String {
    format!("{temp}{UNFINISHED_SUFFIX}")
}

fn stamp_of(path: &RelPath, file: &File) -> Result<Stamp> {
    let stat = fstat(file).map_err(error::at(path))?;
    sight::stamp_of(&stat).ok_or_else(|| error::at(path)(Errno::BUSY))
}

fn staged(path: &RelPath, temp: &str, state: State, stamp: Stamp) -> Staged {
    Staged { path: path.clone(), temp_name: temp.to_owned(), state, stamp }
}

/// The file in whose place a new one comes.
struct Replaced {
    mode: RawMode,
    /// `None` when we may not open it.
    file: Option<File>,
}

/// Creates the temporary file beside the one that it will replace. A new one goes
/// by the umask and by what its folder gives.
fn create(
    folder: BorrowedFd<'_>,
    name: &str,
    temp: &str,
    manner: Manner,
) -> std::result::Result<(File, Option<Replaced>), Errno> {
    let stat = error::absent_is_none(sight::stat_of(folder, name))?;
    let replaced = stat.filter(|stat| sight::type_of(stat).is_file()).map(|stat| Replaced {
        mode: stat.st_mode,
        file: sight::open_file(folder, name).ok().flatten().map(|(_, file)| file),
    });
    let first = match (&replaced, manner) {
        (Some(_), _) => 0o600,
        (None, Manner { private: true, exec, .. }) => {
            if exec {
                0o700
            } else {
                0o600
            }
        }
        (None, Manner { exec: true, .. }) => 0o777,
        (None, Manner { exec: false, .. }) => 0o666,
    };
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(folder, temp, flags, Mode::from_raw_mode(first))?;
    Ok((File::from(file), replaced))
}

/// The permissions of a file that is replaced, with another executable bit:
/// whoever may read it may then run it.
fn mode_like(replaced: RawMode, manner: Manner) -> RawMode {
    let kept = replaced & if manner.private { 0o700 } else { 0o777 };
    match (manner.exec, kept & 0o100 != 0) {
        (true, true) => kept,
        (true, false) => kept | (kept & 0o444) >> 2 | 0o100,
        (false, _) => kept & !0o111,
    }
}

/// Dates a new file, unless that is ahead of now. It is only for people.
fn date(file: &File, modified: Timestamp) {
    let time = UNIX_EPOCH + Duration::from_millis(u64::try_from(modified.0).unwrap_or_default());
    if time > SystemTime::now() {
        return;
    }
    if let Err(error) = file.set_modified(time) {
        tracing::debug!("a new file could not be dated: {error}");
    }
}

/// Copies in pieces and digests on the way.
fn copy(path: &RelPath, content: &mut dyn Read, mut file: &File) -> Result<Digest> {
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; PIECE];
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(count) => {
                hasher.update(&buffer[..count]);
                file.write_all(&buffer[..count]).map_err(error::io_at(path))?;
            }
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            // Not the tree's fault, whatever the number of the error.
            Err(cause) => return Err(error::failed(path, cause)),
        }
    }
}
