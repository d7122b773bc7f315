//! The few calls that systems spell differently or may lack.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::Errno;

/// Opens the folder `name`, unless it is a link.
pub(super) fn open_folder(parent: impl AsFd, name: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

/// Opens the file `name` to read, unless it is a link; never waits for the
/// other end of a pipe.
pub(super) fn open_file(parent: impl AsFd, name: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

/// Opens the plain file `name` to read.
pub(super) fn open_plain(parent: impl AsFd, name: &str) -> Result<OwnedFd, Errno> {
    let file = open_file(parent, name)?;
    match FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) {
        FileType::RegularFile => Ok(file),
        _ => Err(Errno::INVAL),
    }
}

/// Describes what stands at `name` itself, if anything does.
pub(super) fn stat(parent: impl AsFd, name: &str) -> Result<Option<Stat>, Errno> {
    match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// What stands in `folder`, without names that are not UTF-8.
pub(super) fn entries(folder: impl AsFd) -> Result<Vec<(String, FileType)>, Errno> {
    let mut entries = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        if let Ok(name) = entry.file_name().to_str()
            && !matches!(name, "." | "..")
        {
            entries.push((name.to_owned(), entry.file_type()));
        }
    }
    Ok(entries)
}

/// Gives a file a second name, where nothing stands.
pub(super) fn link(
    (from_parent, from): (&OwnedFd, &str),
    (to_parent, to): (&OwnedFd, &str),
) -> Result<(), Errno> {
    #[cfg(test)]
    if let Some(answer) = lacking::link((to_parent, to)) {
        return answer;
    }
    rustix::fs::linkat(from_parent, from, to_parent, to, AtFlags::empty())
}

/// Renames without ever replacing what stands at the new name.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(super) fn rename_exclusively(
    (from_parent, from): (&OwnedFd, &str),
    (to_parent, to): (&OwnedFd, &str),
) -> Result<(), Errno> {
    #[cfg(test)]
    if lacking::is_without_exclusive_rename((to_parent, to)) {
        return Err(Errno::INVAL);
    }
    let flags = rustix::fs::RenameFlags::NOREPLACE;
    rustix::fs::renameat_with(from_parent, from, to_parent, to, flags)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(super) fn rename_exclusively(
    _from: (&OwnedFd, &str),
    _to: (&OwnedFd, &str),
) -> Result<(), Errno> {
    Err(Errno::NOSYS)
}

/// Whether a call failed because this file system has no such call.
pub(super) fn is_unsupported(errno: Errno) -> bool {
    matches!(errno, Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL)
}

/// Makes the names in `folder` survive a power cut, where a folder can be
/// flushed at all.
pub(super) fn flush_folder(folder: &OwnedFd) -> Result<(), Errno> {
    match rustix::fs::fsync(folder) {
        Err(errno) if !is_unsupported(errno) => Err(errno),
        _ => Ok(()),
    }
}

/// Keeps others who ask out of `folder` until it is closed. Best effort:
/// network file systems may have no locks for folders.
pub(super) fn lock(folder: &OwnedFd) {
    let _ = rustix::fs::flock(folder, FlockOperation::LockExclusive);
}

/// A file system that lacks calls, or lies about them, for the tests of one thread.
#[cfg(test)]
pub(super) mod lacking {
    use std::cell::Cell;
    use std::os::fd::OwnedFd;

    use rustix::fs::{Mode, OFlags};
    use rustix::io::Errno;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Lack {
        Nothing,
        LinksAndRenames,
        /// It says that it has made a link, and makes none.
        TrueLinks,
        /// The same, while somebody saves another file there.
        TrueLinksAndOvertaken,
        /// As the first, while somebody saves a file there.
        LinksAndRenamesAndOvertaken,
    }

    /// What somebody saves meanwhile.
    pub(crate) const THEIRS: &[u8] = b"saved by somebody meanwhile";

    thread_local! {
        static LACK: Cell<Lack> = const { Cell::new(Lack::Nothing) };
    }

    pub(crate) fn set(lack: Lack) {
        LACK.set(lack);
    }

    pub(super) fn link(to: (&OwnedFd, &str)) -> Option<Result<(), Errno>> {
        match LACK.get() {
            Lack::Nothing => None,
            Lack::LinksAndRenames | Lack::LinksAndRenamesAndOvertaken => Some(Err(Errno::PERM)),
            Lack::TrueLinks => Some(Ok(())),
            Lack::TrueLinksAndOvertaken => {
                save(to);
                Some(Ok(()))
            }
        }
    }

    pub(super) fn is_without_exclusive_rename(to: (&OwnedFd, &str)) -> bool {
        if LACK.get() == Lack::LinksAndRenamesAndOvertaken {
            save(to);
        }
        LACK.get() != Lack::Nothing
    }

    fn save((parent, name): (&OwnedFd, &str)) {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        if let Ok(file) = rustix::fs::openat(parent, name, flags, Mode::from_raw_mode(0o644)) {
            rustix::io::write(file, THEIRS).expect("there is room");
        }
    }
}
