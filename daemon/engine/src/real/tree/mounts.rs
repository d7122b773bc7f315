//! What is mounted below a root, as the system's own table tells.
//!
//! Mounts of servers and of programs are tried by a thread of their own, which is
//! left behind when there is no answer: nobody can call it back.

use std::path::Path;

use mirror_core::RelPath;

use crate::outside::MountPoint;

#[cfg(not(target_os = "linux"))]
pub(super) fn below(_root: &Path, _wanted: &dyn Fn(&RelPath) -> bool) -> Vec<MountPoint> {
    Vec::new()
}

#[cfg(target_os = "linux")]
pub(super) fn below(root: &Path, wanted: &dyn Fn(&RelPath) -> bool) -> Vec<MountPoint> {
    use std::fs;
    use std::path::PathBuf;

    let Ok(root) = fs::canonicalize(root) else { return Vec::new() };
    let read = || {
        let table = fs::read("/proc/self/mountinfo").unwrap_or_default();
        table::read(&String::from_utf8_lossy(&table), &root, wanted)
    };
    let found = read();
    let doubtful = |mount: &&table::Mount| mount.is_shared;
    let asked: Vec<PathBuf> =
        found.iter().filter(doubtful).map(|mount| root.join(mount.path.as_str())).collect();
    if asked.is_empty() {
        return found.into_iter().map(|mount| mount.point(&root, true)).collect();
    }
    let silent = probe::silent(&asked);
    // A look mounts what is mounted on demand.
    let answers = |mount: &table::Mount| {
        !mount.waits_for_a_look && !silent.contains(&root.join(mount.path.as_str()))
    };
    let point = |mount: table::Mount| {
        let answers = answers(&mount);
        mount.point(&root, answers)
    };
    read().into_iter().map(point).collect()
}

#[cfg(target_os = "linux")]
mod table {
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};

    use mirror_core::RelPath;

    use crate::outside::MountPoint;

    /// One line of the table, below the root.
    pub(super) struct Mount {
        pub(super) path: RelPath,
        identity: String,
        pub(super) is_shared: bool,
        /// It is only the place where something is mounted on demand.
        pub(super) waits_for_a_look: bool,
    }

    impl Mount {
        pub(super) fn point(self, root: &Path, answers: bool) -> MountPoint {
            // One that doesn't answer isn't asked what it is.
            let is_file = answers && root.join(self.path.as_str()).is_file();
            MountPoint {
                path: self.path,
                identity: self.identity,
                is_file,
                is_shared: self.is_shared,
                answers,
            }
        }
    }

    pub(super) fn read(text: &str, root: &Path, wanted: &dyn Fn(&RelPath) -> bool) -> Vec<Mount> {
        let mut found = BTreeMap::new();
        for (point, mut mount) in text.lines().filter_map(|line| read_line(line, root)) {
            if wanted(&point) {
                mount.path = point.clone();
                // Of several on one place the last is seen.
                found.insert(point, mount);
            }
        }
        found.into_values().collect()
    }

    fn read_line(line: &str, root: &Path) -> Option<(RelPath, Mount)> {
        let (place, kind) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(2);
        let (device, inside, point) = (place.next()?, place.next()?, place.next()?);
        let mut kind = kind.split(' ');
        let (file_system, source) = (kind.next()?, kind.next()?);
        let point = PathBuf::from(unescape(point));
        let path = RelPath::new(point.strip_prefix(root).ok()?.to_str()?).ok()?;
        let is_shared = is_shared(file_system);
        // The numbers of devices that are no devices change with each mount.
        let identity = match is_shared {
            true => format!("{file_system} {source} {inside}"),
            false => format!("{device} {inside}"),
        };
        let waits_for_a_look = file_system == "autofs";
        Some((path.clone(), Mount { path, identity, is_shared, waits_for_a_look }))
    }

    /// Whether others write there without an event on this machine.
    fn is_shared(file_system: &str) -> bool {
        const SHARED: [&str; 21] = [
            "9p", "afs", "autofs", "beegfs", "ceph", "cifs", "coda", "gfs2", "gpfs", "lustre",
            "ncpfs", "nfs", "nfs4", "ocfs2", "prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs",
            "vmhgfs", "davfs",
        ];
        SHARED.contains(&file_system) || file_system.starts_with("fuse")
    }

    /// The table writes blanks and backslashes as three octal digits.
    fn unescape(text: &str) -> String {
        let mut bytes = Vec::new();
        let mut rest = text.as_bytes();
        while let Some((first, after)) = rest.split_first() {
            let digits = after.get(..3).filter(|_| *first == b'\\');
            let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
            match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
                Some(byte) => {
                    bytes.push(byte);
                    rest = &after[3..];
                }
                None => {
                    bytes.push(*first);
                    rest = after;
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        const TABLE: &str = "\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
40 22 7:3 / /home/ann/my\\040notes/disk rw - ext4 /dev/loop3 rw
41 22 0:50 / /home/ann/my\\040notes/nas rw - fuse.rclone nas:/notes rw
42 22 254:1 /etc/hosts /home/ann/my\\040notes/hosts.md rw - ext4 /dev/vda1 rw
43 22 0:51 / /home/ann/my\\040notes/nas rw - nfs4 nas:/export rw
44 22 0:52 / /home/ann/other rw - tmpfs tmpfs rw
45 22 0:53 / /home/ann/my\\040notes/ignored rw - tmpfs tmpfs rw
garbage";

        #[test]
        fn mounts_below_the_root_are_known_by_what_stays_of_them() {
            let root = Path::new("/home/ann/my notes");
            let found = read(TABLE, root, &|path| path.as_str() != "ignored");
            let found: Vec<_> = found
                .iter()
                .map(|mount| (mount.path.as_str(), mount.identity.as_str(), mount.is_shared))
                .collect();
            assert_eq!(
                found,
                [
                    ("disk", "7:3 /", false),
                    ("hosts.md", "254:1 /etc/hosts", false),
                    ("nas", "nfs4 nas:/export /", true),
                ]
            );
        }
    }
}

#[cfg(target_os = "linux")]
mod probe {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
    use std::sync::{Mutex, PoisonError};
    use std::time::{Duration, Instant};

    /// A server that takes longer for a first look is as good as away.
    const PATIENCE: Duration = Duration::from_millis(1_500);

    /// Places whose look has not come back yet: there is no second one.
    static UNDER_WAY: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

    /// Those of the places that don't answer in time.
    pub(super) fn silent(places: &[PathBuf]) -> BTreeSet<PathBuf> {
        let (sender, answers) = channel();
        let mut silent: BTreeSet<PathBuf> = places.iter().cloned().collect();
        let asked = places.iter().filter(|place| look_at(place, &sender)).count();
        drop(sender);
        let end = Instant::now() + PATIENCE;
        for _ in 0..asked {
            match answers.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(place) => drop(silent.remove(&place)),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        silent
    }

    fn look_at(place: &Path, sender: &Sender<PathBuf>) -> bool {
        let under_way = || UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner);
        if !under_way().insert(place.to_owned()) {
            return false;
        }
        let (sender, asked) = (sender.clone(), place.to_owned());
        let look = move || {
            // What it finds is nobody's business here, nor that it fails.
            drop(fs::read_dir(&asked).map(|mut names| names.next().is_some()));
            under_way().remove(&asked);
            drop(sender.send(asked));
        };
        let started = std::thread::Builder::new().name("mount look".to_owned()).spawn(look);
        started.is_ok()
    }
}
