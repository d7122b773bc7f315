//! What one look at a name shows: its stamp, or all that tells two files apart.

use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::{Duration, UNIX_EPOCH};

use mirror_core::{Digest, Kind, State};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RawMode, Stat, fstat, openat, readlinkat, statat,
};
use rustix::io::Errno;
use rustix::path::Arg;

use super::system;
use crate::outside::tree::{Opened, digest_of};
use crate::outside::{Identity, Stamp};

/// How often a link that changes while it is looked at is looked at again.
const ATTEMPTS: usize = 16;

/// A write within this time may leave the times of a file as they were.
const FRESH: Duration = Duration::from_secs(2);

/// A program that saved within this time is taken to be saving still.
const BUSY: Duration = Duration::from_millis(25);

/// The rights of all but a file's owner.
const OTHERS: RawMode = 0o077;

pub(super) fn stat_of(folder: BorrowedFd<'_>, name: impl Arg) -> Result<Stat, Errno> {
    statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
}

pub(super) fn type_of(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// Device and inode: the same file as long as it is held open.
#[allow(
    clippy::unnecessary_cast,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    trivial_numeric_casts,
    reason = "how wide a device number is differs between systems"
)]
pub(super) fn place_of(stat: &Stat) -> (u64, u64) {
    (stat.st_dev as u64, stat.st_ino as u64)
}

#[allow(
    clippy::unnecessary_cast,
    clippy::cast_possible_wrap,
    trivial_numeric_casts,
    reason = "how wide a time is differs between systems"
)]
fn nanoseconds(stat: &Stat) -> (i64, i64) {
    let join = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
    (
        join(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        join(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
    )
}

/// The stamp of a file or link; `None` for anything else.
pub(super) fn stamp_of(stat: &Stat) -> Option<Stamp> {
    let kind = match type_of(stat) {
        FileType::RegularFile => Kind::File,
        FileType::Symlink => Kind::Link,
        _ => return None,
    };
    let (dev, inode) = place_of(stat);
    let (ctime_ns, mtime_ns) = nanoseconds(stat);
    Some(Stamp {
        kind,
        identity: Identity { dev, inode, ctime_ns },
        size: u64::try_from(stat.st_size).unwrap_or(0),
        mtime_ns,
        exec: kind == Kind::File && stat.st_mode & 0o100 != 0,
        is_linked: kind == Kind::File && stat.st_nlink > 1,
        private: kind == Kind::File && stat.st_mode & OTHERS == 0,
    })
}

/// Opens a file for reading. `None` when something else stands there, which is
/// not waited for even if it is a pipe.
pub(super) fn open_file(
    folder: BorrowedFd<'_>,
    name: &str,
) -> Result<Option<(Stamp, File)>, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match openat(folder, name, flags, Mode::empty()) {
        // A link, and a socket.
        Err(Errno::LOOP | Errno::NXIO) => return Ok(None),
        answer => answer?,
    };
    let stamp = stamp_of(&fstat(&file)?);
    Ok(stamp.map(|stamp| (stamp, File::from(file))))
}

/// Reads a link's target. `None` when something else stands there.
pub(super) fn open_link(
    folder: BorrowedFd<'_>,
    name: &str,
) -> Result<Option<(Stamp, Vec<u8>)>, Errno> {
    for _ in 0..ATTEMPTS {
        let before = stamp_of(&stat_of(folder, name)?);
        let target = match readlinkat(folder, name, Vec::new()) {
            Err(Errno::INVAL) => return Ok(None),
            answer => answer?,
        };
        if let Some(stamp) = before
            && stamp_of(&stat_of(folder, name)?) == before
        {
            return Ok(Some((stamp, target.into_bytes())));
        }
    }
    Err(Errno::BUSY)
}

/// Opens what stands at a name; `None` for folders and special files.
pub(super) fn open(folder: BorrowedFd<'_>, name: &str) -> Result<Option<Opened>, Errno> {
    for _ in 0..ATTEMPTS {
        let kind = stamp_of(&stat_of(folder, name)?).map(|stamp| stamp.kind);
        let opened = match kind {
            None => return Ok(None),
            Some(Kind::File) => open_file(folder, name)?
                .map(|(stamp, file)| (stamp, Box::new(file) as Box<dyn Read + Send>)),
            Some(Kind::Link) => open_link(folder, name)?
                .map(|(stamp, target)| (stamp, Box::new(io::Cursor::new(target)) as _)),
        };
        // Nothing when one became the other between the two looks.
        if opened.is_some() {
            return Ok(opened);
        }
    }
    Err(Errno::BUSY)
}

/// All that tells one file from another, content included.
///
/// Holds on to the file: the number of its inode can't become another file's,
/// and what is written into it without a name can still be read.
pub(super) struct Sight {
    place: (u64, u64),
    pub(super) file_type: FileType,
    size: i64,
    mtime_ns: i64,
    file: Option<File>,
    /// `None` for what can't be read: a folder, a special file, a closed one.
    pub(super) state: Option<State>,
    _pin: OwnedFd,
}

impl Sight {
    /// Looks at a temporary name whose state is known, without reading.
    pub(super) fn unread(
        folder: BorrowedFd<'_>,
        name: &str,
        state: Option<State>,
    ) -> Result<Self, Errno> {
        let pin = system::pin(folder, name)?;
        let stat = stat_of(folder, name)?;
        let opened = type_of(&stat).is_file().then(|| open_file(folder, name));
        let file = opened.and_then(|opened| opened.ok().flatten());
        Ok(Self {
            place: place_of(&stat),
            file_type: type_of(&stat),
            size: stat.st_size,
            mtime_ns: nanoseconds(&stat).1,
            file: file.map(|(_, file)| file),
            state,
            _pin: pin,
        })
    }

    /// Looks at a temporary name, which only we change, and reads the content.
    pub(super) fn of(folder: BorrowedFd<'_>, name: &str) -> Result<Self, Errno> {
        let sight = Self::unread(folder, name, None)?;
        let state = state_of(folder, name).unwrap_or(None);
        Ok(Self { state, ..sight })
    }

    /// Whether both saw one file with the same content.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.place == other.place
            && match (self.state, other.state) {
                (Some(one), Some(other)) => one == other,
                _ => (self.size, self.mtime_ns) == (other.size, other.mtime_ns),
            }
    }

    /// Whether a program saved into the file a moment before it was seen, and so
    /// may be in the middle of saving it again.
    pub(super) fn is_busy(&self) -> bool {
        self.file.is_some() && age_of(self.mtime_ns) < BUSY
    }

    /// Gives the file if it was written into since it was seen, or last given.
    /// Times of an old file tell; those of a fresh one are too coarse (B10), so
    /// it is read.
    pub(super) fn file_if_written(&mut self) -> io::Result<Option<&mut File>> {
        let (Some(file), Some(state)) = (&mut self.file, &mut self.state) else {
            return Ok(None);
        };
        let stat = fstat(&*file)?;
        let (size, mtime_ns) = (stat.st_size, nanoseconds(&stat).1);
        let is_as_before = (size, mtime_ns) == (self.size, self.mtime_ns);
        if is_as_before && age_of(mtime_ns) >= FRESH {
            return Ok(None);
        }
        file.rewind()?;
        let (digest, _) = digest_of(file)?;
        file.rewind()?;
        (self.size, self.mtime_ns) = (size, mtime_ns);
        let known = std::mem::replace(&mut state.digest, digest);
        Ok((digest != known).then_some(file))
    }
}

/// How long ago a time was; nothing for one from the future, which tells nothing.
fn age_of(mtime_ns: i64) -> Duration {
    let since_1970 = u64::try_from(mtime_ns).map_or(Duration::ZERO, Duration::from_nanos);
    (UNIX_EPOCH + since_1970).elapsed().unwrap_or_default()
}

/// Reads and digests what stands at a name; `None` for folders and specials.
pub(super) fn state_of(folder: BorrowedFd<'_>, name: &str) -> io::Result<Option<State>> {
    let Some((stamp, mut reader)) = open(folder, name)? else {
        return Ok(None);
    };
    let (digest, _) = digest_of(&mut reader)?;
    Ok(Some(state(stamp, digest)))
}

pub(super) fn state(stamp: Stamp, digest: Digest) -> State {
    State { kind: stamp.kind, digest, exec: stamp.exec }
}
