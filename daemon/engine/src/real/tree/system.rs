//! Where systems differ: everything else in the tree is the same on all.

use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

/// Opens a folder whose path is relative to `root`, following no link and never
/// leaving `root`.
#[cfg(target_os = "linux")]
pub(super) fn open_below(root: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, Errno> {
    use rustix::fs::{ResolveFlags, openat2};

    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match openat2(root, path, FOLDER, Mode::empty(), resolve) {
        // Older kernels don't have the call, and some sandboxes forbid it.
        Err(Errno::NOSYS | Errno::PERM) => open_by_component(root, path),
        answer => answer,
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn open_below(root: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, Errno> {
    open_by_component(root, path)
}

/// How folders are opened: for reading, as only those can be flushed.
pub(super) const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Does the same as [`open_below`] with one call per component.
pub(super) fn open_by_component(root: BorrowedFd<'_>, path: &str) -> Result<OwnedFd, Errno> {
    let mut components = path.split('/');
    let first = components.next().unwrap_or(path);
    let mut folder = openat(root, first, FOLDER, Mode::empty())?;
    for component in components {
        folder = openat(&folder, component, FOLDER, Mode::empty())?;
    }
    Ok(folder)
}

/// Holds on to a file or link without opening it, so that the number of its
/// inode can't become another file's.
#[cfg(target_os = "linux")]
pub(super) fn pin(folder: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(folder, name, flags, Mode::empty())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn pin(folder: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Errno> {
    #[cfg(target_vendor = "apple")]
    let no_follow = OFlags::SYMLINK;
    #[cfg(not(target_vendor = "apple"))]
    let no_follow = OFlags::NOFOLLOW;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | no_follow;
    openat(folder, name, flags, Mode::empty())
}

/// Whether the file system is known to keep the executable bit, or known not
/// to; `None` when that depends on how it was mounted.
#[cfg(target_os = "linux")]
pub(super) fn is_known_to_keep_exec(root: BorrowedFd<'_>) -> Option<bool> {
    /// ext2 to ext4, Btrfs, XFS, tmpfs, overlay, F2FS, ZFS, bcachefs, NFS.
    const KEEPING: [u32; 9] = [
        0xEF53,
        0x9123_683E,
        0x5846_5342,
        0x0102_1994,
        0x794C_7630,
        0xF2F5_2010,
        0x2FC1_2FC1,
        0xCA45_1A4E,
        0x6969,
    ];
    /// FAT, exFAT, NTFS.
    const LOSING: [u32; 3] = [0x4D44, 0x2011_BAB0, 0x7366_746E];

    let magic = u32::try_from(rustix::fs::fstatfs(root).ok()?.f_type).ok()?;
    match (KEEPING.contains(&magic), LOSING.contains(&magic)) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        (false, false) => None,
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_known_to_keep_exec(_root: BorrowedFd<'_>) -> Option<bool> {
    None
}

/// Exchanges what two names of a folder stand for.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
pub(super) fn exchange(folder: BorrowedFd<'_>, one: &str, other: &str) -> Result<(), Errno> {
    use rustix::fs::{RenameFlags, renameat_with};
    renameat_with(folder, one, folder, other, RenameFlags::EXCHANGE)
}

/// Renames within a folder; `EXIST` when the new name is taken.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
pub(super) fn rename_to_free(folder: BorrowedFd<'_>, from: &str, to: &str) -> Result<(), Errno> {
    use rustix::fs::{RenameFlags, renameat_with};
    renameat_with(folder, from, folder, to, RenameFlags::NOREPLACE)
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub(super) fn exchange(_: BorrowedFd<'_>, _: &str, _: &str) -> Result<(), Errno> {
    Err(Errno::NOSYS)
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub(super) fn rename_to_free(_: BorrowedFd<'_>, _: &str, _: &str) -> Result<(), Errno> {
    Err(Errno::NOSYS)
}
