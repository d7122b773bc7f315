//! Writes a new version beside its place: whole, flushed, not visible yet.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use mirror_core::digest::Hasher;
use mirror_core::{Digest, Kind, RelPath, State};
use rustix::fs::{Mode, OFlags, RawMode, fchmod, fstat, fsync, openat, symlinkat};
use rustix::io::Errno;

use super::error::{self, Result};
use super::names::{Names as _, SystemNames};
use super::{LocalTree, sight};
use crate::links::MAX_TARGET_BYTES;
use crate::outside::tree::UNFINISHED_SUFFIX;
use crate::outside::{Staged, Stamp};

const PIECE: usize = 64 * 1024;

/// A folder that another thread removed as empty is made again this often.
const ATTEMPTS: usize = 16;

impl LocalTree {
    pub(super) fn stage_file(
        &self,
        path: &RelPath,
        exec: bool,
        temp: &str,
        content: &mut dyn Read,
    ) -> Result<Staged> {
        let unfinished = &unfinished_of(temp);
        let (folder, (file, mode)) =
            self.make_in_parent(path, |folder| create(folder, path.name(), unfinished, exec))?;
        let written = copy(path, content, &file).and_then(|digest| {
            self.close(path, &file, mode)?;
            // Whole by now: what stands at the temporary name is a version.
            SystemNames.move_out(folder.as_fd(), unfinished, temp).map_err(error::at(path))?;
            Ok((digest, stamp_of(path, &file)?))
        });
        let (digest, stamp) =
            written.inspect_err(|_| self.drop_temp(folder.as_fd(), unfinished))?;
        let state = State { kind: Kind::File, digest, exec };
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

    /// Gives a written file its mode and flushes it.
    fn close(&self, path: &RelPath, file: &File, mode: Option<Mode>) -> Result<()> {
        let set = mode.map_or(Ok(()), |mode| fchmod(file, mode));
        // Some file systems without modes refuse to set any.
        if let Err(errno) = set
            && self.holds_exec()
        {
            return Err(error::at(path)(errno));
        }
        fsync(file).map_err(error::at(path))
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

/// Creates the temporary file, and tells the mode it is to get in the end: that
/// of the file it will replace. A new one goes by the umask.
fn create(
    folder: BorrowedFd<'_>,
    name: &str,
    temp: &str,
    exec: bool,
) -> std::result::Result<(File, Option<Mode>), Errno> {
    let replaced = error::absent_is_none(sight::stat_of(folder, name))?
        .filter(|stat| sight::type_of(stat).is_file())
        .map(|stat| mode_like(stat.st_mode, exec));
    let first = match (replaced, exec) {
        (Some(_), _) => 0o600,
        (None, true) => 0o755,
        (None, false) => 0o644,
    };
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(folder, temp, flags, Mode::from_raw_mode(first))?;
    Ok((File::from(file), replaced))
}

/// The permissions of a file that is replaced, with another executable bit:
/// whoever may read it may then run it.
fn mode_like(replaced: RawMode, exec: bool) -> Mode {
    let kept = replaced & 0o777;
    let bits = match (exec, kept & 0o100 != 0) {
        (true, true) => kept,
        (true, false) => kept | (kept & 0o444) >> 2 | 0o100,
        (false, _) => kept & !0o111,
    };
    Mode::from_raw_mode(bits)
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
