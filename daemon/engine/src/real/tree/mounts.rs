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
    points(read(), &root, &|place| silent.contains(place))
}

/// Says what each mount is. The way to one leads through all above it: below one
/// that is silent nothing is asked.
#[cfg(target_os = "linux")]
fn points(
    mounts: Vec<table::Mount>,
    root: &Path,
    is_silent: &dyn Fn(&Path) -> bool,
) -> Vec<MountPoint> {
    let is_away = |mount: &&table::Mount| {
        mount.waits_for_a_look || is_silent(&root.join(mount.path.as_str()))
    };
    let away: Vec<RelPath> = mounts.iter().filter(is_away).map(|it| it.path.clone()).collect();
    let point = |mount: table::Mount| {
        let lies_there = |away: &RelPath| mount.path.is_within(away.as_str());
        let answers = !away.iter().any(|away| *away == mount.path || lies_there(away));
        mount.point(root, answers)
    };
    mounts.into_iter().map(point).collect()
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
        pub(super) identity: Identity,
        pub(super) is_shared: bool,
        /// It is only the place where something is mounted on demand.
        pub(super) waits_for_a_look: bool,
    }

    /// What is mounted, by what stays of it when it is mounted again.
    #[derive(Debug, PartialEq, Eq)]
    pub(super) enum Identity {
        OfServer(String),
        /// A disk may get another number, and another disk its number: what its
        /// file system calls itself tells more, where that is no number again.
        OfDisk {
            numbered: String,
            inside: String,
            has_own_id: bool,
        },
    }

    impl Mount {
        pub(super) fn point(self, root: &Path, answers: bool) -> MountPoint {
            // One that doesn't answer isn't asked what it is.
            let place = root.join(self.path.as_str());
            let is_file = answers && place.is_file();
            let identity = match (self.identity, answers) {
                (Identity::OfServer(server), _) => server,
                (Identity::OfDisk { numbered, .. }, false) => numbered,
                (Identity::OfDisk { numbered, inside, has_own_id }, true) => {
                    let id = rustix::fs::statvfs(&place).map_or(0, |found| found.f_fsid);
                    match has_own_id && id != 0 {
                        true => format!("id {id:x} {inside}"),
                        false => format!("{numbered} id {id:x}"),
                    }
                }
            };
            MountPoint { path: self.path, identity, is_file, is_shared: self.is_shared, answers }
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
            true => Identity::OfServer(format!("{file_system} {source} {inside}")),
            false => Identity::OfDisk {
                numbered: format!("{device} {inside}"),
                inside: inside.to_owned(),
                has_own_id: has_own_id(file_system),
            },
        };
        let waits_for_a_look = file_system == "autofs";
        Some((path.clone(), Mount { path, identity, is_shared, waits_for_a_look }))
    }

    /// Whether a file system tells an id of its own, which is on the disk and stays.
    fn has_own_id(file_system: &str) -> bool {
        ["ext2", "ext3", "ext4", "btrfs", "bcachefs", "zfs"].contains(&file_system)
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
                .map(|mount| {
                    let identity = match &mount.identity {
                        Identity::OfServer(server) => server,
                        Identity::OfDisk { numbered, .. } => numbered,
                    };
                    (mount.path.as_str(), identity.as_str(), mount.is_shared)
                })
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

        fn disk(has_own_id: bool, numbered: &str) -> Mount {
            Mount {
                path: RelPath::new("disk").unwrap(),
                identity: Identity::OfDisk {
                    numbered: numbered.to_owned(),
                    inside: "/".to_owned(),
                    has_own_id,
                },
                is_shared: false,
                waits_for_a_look: false,
            }
        }

        #[test]
        fn disk_is_known_by_its_own_id_whatever_its_number() {
            let place = tempfile::tempdir().unwrap();
            let identity = |mount: Mount| mount.point(place.path(), true).identity;
            std::fs::create_dir(place.path().join("disk")).unwrap();
            assert_eq!(identity(disk(true, "8:17 /")), identity(disk(true, "8:33 /")));
            // Where the id is nothing but a number, both have to be the same.
            assert_ne!(identity(disk(false, "8:17 /")), identity(disk(false, "8:33 /")));
            assert_ne!(identity(disk(false, "8:17 /")), "8:17 /");
            // One that doesn't answer is not asked.
            assert_eq!(disk(true, "8:17 /").point(place.path(), false).identity, "8:17 /");
        }
    }
}

#[cfg(target_os = "linux")]
mod probe {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use std::time::{Duration, Instant};

    /// A server that takes longer for a first look is as good as away.
    const PATIENCE: Duration = Duration::from_millis(1_500);

    /// A look that has not come back yet: there is no second one of its place.
    struct Look {
        begun: Instant,
        /// All who wait for it.
        waiting: Vec<Sender<PathBuf>>,
    }

    static UNDER_WAY: Mutex<BTreeMap<PathBuf, Look>> = Mutex::new(BTreeMap::new());

    fn under_way() -> MutexGuard<'static, BTreeMap<PathBuf, Look>> {
        UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of the places that don't answer in time.
    pub(super) fn silent(places: &[PathBuf]) -> BTreeSet<PathBuf> {
        silent_to(places, |place| {
            // What it finds is nobody's business here, nor that it fails.
            drop(fs::read_dir(place).map(|mut names| names.next().is_some()));
        })
    }

    fn silent_to(places: &[PathBuf], look: fn(&Path)) -> BTreeSet<PathBuf> {
        let (sender, answers) = channel();
        let mut silent: BTreeSet<PathBuf> = places.iter().cloned().collect();
        let asked = places.iter().filter(|place| look_at(place, &sender, look)).count();
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

    /// Has a place looked at; false where nobody need wait for it.
    fn look_at(place: &Path, sender: &Sender<PathBuf>, look: fn(&Path)) -> bool {
        let mut looks = under_way();
        if let Some(look) = looks.get_mut(place) {
            let is_young = look.begun.elapsed() < PATIENCE;
            if is_young {
                look.waiting.push(sender.clone());
            }
            return is_young;
        }
        let (begun, waiting) = (Instant::now(), vec![sender.clone()]);
        looks.insert(place.to_owned(), Look { begun, waiting });
        drop(looks);
        let asked = place.to_owned();
        let look = move || {
            look(&asked);
            let ended = under_way().remove(&asked);
            for waiting in ended.into_iter().flat_map(|look| look.waiting) {
                drop(waiting.send(asked.clone()));
            }
        };
        let started = std::thread::Builder::new().name("mount look".to_owned()).spawn(look);
        if started.is_err() {
            // Else no later look would begin.
            under_way().remove(place);
        }
        started.is_ok()
    }

    #[cfg(test)]
    mod tests {
        use std::sync::Condvar;
        use std::thread;

        use super::*;

        #[test]
        fn two_who_ask_at_once_hear_the_same() {
            static OPEN: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());
            fn waits(_: &Path) {
                let open = OPEN.0.lock().unwrap();
                drop(OPEN.1.wait_while(open, |open| !*open).unwrap());
            }
            let place = [PathBuf::from("/a mount that takes a while")];
            let looks = || under_way().get(&place[0]).map_or(0, |look| look.waiting.len());
            thread::scope(|scope| {
                let asked = [(); 2].map(|()| scope.spawn(|| silent_to(&place, waits)));
                while looks() < 2 {
                    thread::yield_now();
                }
                *OPEN.0.lock().unwrap() = true;
                OPEN.1.notify_all();
                for asked in asked {
                    assert_eq!(asked.join().unwrap(), BTreeSet::new());
                }
            });
            assert_eq!(looks(), 0);
        }

        #[test]
        fn look_that_hangs_is_waited_for_once_and_never_begun_again() {
            static BEGUN: Mutex<usize> = Mutex::new(0);
            fn hangs(_: &Path) {
                *BEGUN.lock().unwrap() += 1;
                loop {
                    thread::park();
                }
            }
            let place = [PathBuf::from("/a mount that hangs")];
            assert_eq!(silent_to(&place, hangs).len(), 1);
            let begun = Instant::now();
            assert_eq!(silent_to(&place, hangs).len(), 1);
            assert!(begun.elapsed() < PATIENCE);
            assert_eq!(*BEGUN.lock().unwrap(), 1);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_asked_below_a_mount_that_is_silent() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("nas/disk")).unwrap();
        std::fs::create_dir(root.path().join("nas-2")).unwrap();
        let table = "\
41 22 0:50 / /r/nas rw - nfs4 nas:/export rw
42 41 8:17 / /r/nas/disk rw - ext4 /dev/sdb1 rw
43 22 8:33 / /r/nas-2 rw - ext4 /dev/sdc1 rw";
        let mounts = || table::read(table, Path::new("/r"), &|_| true);

        let silent = root.path().join("nas");
        let points = points(mounts(), root.path(), &|place| place == silent);

        let answers: Vec<_> =
            points.iter().map(|point| (point.path.as_str(), point.answers)).collect();
        assert_eq!(answers, [("nas", false), ("nas-2", true), ("nas/disk", false)]);
        assert_eq!(points[2].identity, "8:17 /", "what it is was not asked either");
    }
}
