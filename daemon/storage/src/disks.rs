//! Which file systems other machines write to as well.
//!
//! There the events of this machine tell of its own changes alone.

use std::path::Path;

/// Their numbers (`statfs`), and what they are called.
#[cfg(target_os = "linux")]
const SHARED: [(u64, &str); 16] = [
    (0x6969, "NFS"),
    (0xfe53_4d42, "SMB 2 and 3"),
    (0xff53_4d42, "CIFS"),
    (0x517b, "SMB"),
    (0x0102_1997, "9P"),
    (0x6573_5546, "FUSE"),
    (0x786f_4256, "VirtualBox"),
    (0xbacb_acbc, "VMware"),
    (0x7c7c_6673, "Parallels"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS of the kernel"),
    (0x00c3_6400, "Ceph"),
    (0x7375_7245, "Coda"),
    (0x0116_1970, "GFS2"),
    (0x7461_636f, "OCFS2"),
    (0x0bd0_0bd3, "Lustre"),
];

/// Whether other machines may write here without an event on this one.
#[cfg(target_os = "linux")]
#[must_use]
pub fn is_shared_with_machines(folder: &Path) -> bool {
    let kind = rustix::fs::statfs(folder).map(|found| u64::try_from(found.f_type).unwrap_or(0));
    // The upper half of a kind may have been filled with its sign.
    kind.is_ok_and(|kind| SHARED.iter().any(|(shared, _)| *shared == kind & 0xffff_ffff))
}

#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn is_shared_with_machines(_folder: &Path) -> bool {
    false
}
