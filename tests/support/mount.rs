//! Small and read-only disks, where the tester may mount.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::skipped;

/// A disk in memory; it goes away with this value.
pub(crate) struct Mount(PathBuf);

impl Mount {
    /// A disk of that many KiB at `folder`, `None` with the reason told where
    /// mounting is not allowed.
    pub(crate) fn of_size(folder: &Path, kibibytes: u64) -> Option<Self> {
        let options = format!("size={kibibytes}k,mode=0755");
        let mounted =
            quiet(Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder));
        if !mounted {
            skipped("this user may not mount a tmpfs");
        }
        mounted.then(|| Self(folder.to_owned()))
    }

    /// What stands at `from`, a folder or a file, at `at` as well.
    pub(crate) fn binding(from: &Path, at: &Path) -> Option<Self> {
        let mounted = quiet(Command::new("mount").arg("--bind").arg(from).arg(at));
        if !mounted {
            skipped("this user may not mount a folder elsewhere");
        }
        mounted.then(|| Self(at.to_owned()))
    }

    pub(crate) fn becomes_read_only(&self) {
        self.remounts("remount,ro");
    }

    pub(crate) fn becomes_writable(&self) {
        self.remounts("remount,rw");
    }

    fn remounts(&self, options: &str) {
        let done = quiet(Command::new("mount").args(["-o", options]).arg(&self.0));
        assert!(done, "{options} of {} did not work", self.0.display());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        quiet(Command::new("umount").arg("-l").arg(&self.0));
    }
}

fn quiet(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
