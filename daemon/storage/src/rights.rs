//! Hands the rights of a file on to the one that takes its place.
//!
//! Nobody gains any: what can't be carried over (a group that isn't ours, a list
//! of rights on a disk without them) is left out, and never stands for more. Bits
//! that make a file run as somebody else, and capabilities, are not handed on.

use std::os::fd::AsFd;

use rustix::fs::{Gid, Mode, Stat, Uid, fchmod, fchown, fstat};
use rustix::io::Errno;

/// The rights of all but the owner.
pub(crate) const OTHERS: u32 = 0o077;

/// Gives `file`, which is new and ours, what `replaced` has: group and owner where
/// we may, its list of rights (ACL), and what people attached to it. Its mode is
/// `mode`, less what would go to others than before.
///
/// A disk that holds none of that is no error.
pub fn hand_on(file: impl AsFd, replaced: impl AsFd, mode: u32) -> Result<(), Errno> {
    let before = fstat(&replaced)?;
    let has_group = keep_owner(&file, &before)?;
    let is_narrowed_to_owner = mode & OTHERS == 0 && before.st_mode & OTHERS != 0;
    let acl = match has_group && !is_narrowed_to_owner {
        true => lists::hand_on(&replaced, &file),
        false => lists::drop_from(&file, &replaced),
    };
    let mode = match (acl, has_group) {
        (Acl::None | Acl::HandedOn, true) => mode,
        (Acl::None | Acl::HandedOn, false) => without_group(mode),
        (Acl::LeftOut, _) => mode & 0o700,
    };
    lists::hand_on_attached(&replaced, &file);
    match fchmod(&file, Mode::from_raw_mode(mode & 0o777)) {
        Err(errno) if !holds_no_modes(errno) => Err(errno),
        _ => Ok(()),
    }
}

/// What became of the list of rights of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Acl {
    None,
    HandedOn,
    /// It had one: the group's bits in its mode were the most that anybody had.
    LeftOut,
}

/// The mode of a file whose group is another now: the former one is among the
/// others, who get nothing that it did not have.
pub(crate) fn without_group(mode: u32) -> u32 {
    mode & 0o700 | mode & (mode >> 3) & 0o007
}

/// Whether the file has the group that the other had.
fn keep_owner(file: impl AsFd, before: &Stat) -> Result<bool, Errno> {
    let now = fstat(&file)?;
    let group = Some(Gid::from_raw(before.st_gid));
    if now.st_uid != before.st_uid {
        // For the few who may give a file away.
        let _ = fchown(&file, Some(Uid::from_raw(before.st_uid)), group);
    } else if now.st_gid != before.st_gid {
        let _ = fchown(&file, None, group);
    }
    let now = fstat(&file)?;
    Ok(now.st_gid == before.st_gid || fchown(&file, None, group).is_ok())
}

/// How file systems say that they hold no modes.
fn holds_no_modes(errno: Errno) -> bool {
    matches!(errno, Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod lists {
    use std::os::fd::AsFd;

    use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr};

    use super::Acl;

    const ACL: &str = "system.posix_acl_access";

    /// What the system attaches by its own rules, and takes or leaves.
    const LABEL: &str = "security.selinux";

    /// No attribute, and no list of their names, is larger on Linux.
    const MOST: usize = 64 << 10;

    pub(super) fn hand_on(from: impl AsFd, to: impl AsFd) -> Acl {
        let Some(list) = read(&from, ACL) else {
            // One that the folder gives to all new files isn't the replaced one's.
            let _ = fremovexattr(&to, ACL);
            return Acl::None;
        };
        match fsetxattr(&to, ACL, &list, XattrFlags::empty()) {
            Ok(()) => Acl::HandedOn,
            Err(_) => Acl::LeftOut,
        }
    }

    pub(super) fn drop_from(to: impl AsFd, from: impl AsFd) -> Acl {
        let _ = fremovexattr(&to, ACL);
        if read(&from, ACL).is_some() { Acl::LeftOut } else { Acl::None }
    }

    pub(super) fn hand_on_attached(from: impl AsFd, to: impl AsFd) {
        let mut names = vec![0; MOST];
        let Ok(length) = flistxattr(&from, names.as_mut_slice()) else { return };
        for name in names[..length].split(|byte| *byte == 0) {
            let Ok(name) = std::str::from_utf8(name) else { continue };
            if !name.starts_with("user.") && name != LABEL {
                continue;
            }
            if let Some(value) = read(&from, name)
                && let Err(errno) = fsetxattr(&to, name, &value, XattrFlags::empty())
            {
                tracing::debug!(name, "an attribute of a replaced file is left out: {errno}");
            }
        }
    }

    fn read(file: impl AsFd, name: &str) -> Option<Vec<u8>> {
        let mut value = vec![0; MOST];
        let length = fgetxattr(file, name, value.as_mut_slice()).ok()?;
        value.truncate(length);
        Some(value)
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod lists {
    use std::os::fd::AsFd;

    use super::Acl;

    pub(super) fn hand_on(_: impl AsFd, _: impl AsFd) -> Acl {
        Acl::None
    }

    pub(super) fn drop_from(_: impl AsFd, _: impl AsFd) -> Acl {
        Acl::None
    }

    pub(super) fn hand_on_attached(_: impl AsFd, _: impl AsFd) {}
}

#[cfg(test)]
mod tests {
    use std::fs::{File, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    use std::path::Path;
    use std::process::Command;

    use super::*;

    fn make(at: &Path, mode: u32) -> File {
        let file = File::create(at).unwrap();
        file.set_permissions(Permissions::from_mode(mode)).unwrap();
        file
    }

    fn mode_of(file: &File) -> u32 {
        file.metadata().unwrap().mode() & 0o7777
    }

    fn has(tool: &str) -> bool {
        let found = Command::new(tool).arg("--version").output().is_ok();
        if !found {
            eprintln!("skipped: there is no {tool}");
        }
        found
    }

    fn acl_of(at: &Path) -> String {
        let shown = Command::new("getfacl").args(["-cpn"]).arg(at).output().unwrap();
        String::from_utf8(shown.stdout).unwrap()
    }

    fn set_acl(arguments: &[&str], at: &Path) -> bool {
        Command::new("setfacl").args(arguments).arg(at).status().unwrap().success()
    }

    #[test]
    fn mode_and_group_are_handed_on_and_bits_that_run_as_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        let replaced = make(&old, 0o4750);
        if rustix::process::geteuid().is_root() {
            chown(&old, Some(12), Some(34)).unwrap();
            replaced.set_permissions(Permissions::from_mode(0o4750)).unwrap();
        }
        let file = make(&new, 0o600);

        hand_on(&file, &replaced, mode_of(&replaced)).unwrap();

        let (before, after) = (replaced.metadata().unwrap(), file.metadata().unwrap());
        assert_eq!(mode_of(&file), 0o750);
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
    }

    #[test]
    fn list_of_rights_is_handed_on_and_the_group_gains_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        let replaced = make(&old, 0o640);
        if !has("setfacl") || !set_acl(&["-m", "u:65534:rw"], &old) {
            return;
        }
        let before = acl_of(&old);
        let file = make(&new, 0o600);

        hand_on(&file, &replaced, replaced.metadata().unwrap().mode()).unwrap();
        assert_eq!(acl_of(&new), before);

        // Narrowed, it names nobody any more.
        let narrow = make(&folder.path().join("narrow"), 0o600);
        hand_on(&narrow, &replaced, 0o600).unwrap();
        assert_eq!(mode_of(&narrow), 0o600);
        assert!(!acl_of(&folder.path().join("narrow")).contains("65534"));
    }

    #[test]
    fn list_that_a_folder_gives_to_new_files_is_not_the_replaced_ones() {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join("old");
        let replaced = make(&old, 0o600);
        if !has("setfacl") || !set_acl(&["-d", "-m", "u:65534:rw"], folder.path()) {
            return;
        }
        let new = folder.path().join("new");
        let file = make(&new, 0o600);
        assert!(acl_of(&new).contains("65534"));

        hand_on(&file, &replaced, 0o600).unwrap();

        assert!(!acl_of(&new).contains("65534"), "{}", acl_of(&new));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_people_attached_is_handed_on() {
        let folder = tempfile::tempdir().unwrap();
        let replaced = make(&folder.path().join("old"), 0o644);
        let flags = rustix::fs::XattrFlags::empty();
        if rustix::fs::fsetxattr(&replaced, "user.colour", b"red", flags).is_err() {
            eprintln!("skipped: this disk holds no attributes");
            return;
        }
        let file = make(&folder.path().join("new"), 0o644);

        hand_on(&file, &replaced, 0o644).unwrap();

        let mut value = [0; 8];
        let length = rustix::fs::fgetxattr(&file, "user.colour", &mut value[..]).unwrap();
        assert_eq!(&value[..length], b"red");
    }

    #[test]
    fn group_that_is_not_ours_gives_nothing_to_ours() {
        for (mode, expected) in [(0o664, 0o604), (0o640, 0o600), (0o604, 0o600), (0o777, 0o707)] {
            assert_eq!(without_group(mode), expected, "{mode:o}");
        }
    }
}
