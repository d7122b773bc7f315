//! What stands where after each call, with nobody in between.

use std::collections::BTreeMap;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::super::exec::keeps_exec;
use super::*;
use crate::outside::{DirEntry, Manner};

fn mode(scene: &Scene, name: &str) -> u32 {
    fs::metadata(scene.root().join(name)).unwrap().permissions().mode() & 0o777
}

fn set_mode(scene: &Scene, name: &str, mode: u32) {
    fs::set_permissions(scene.root().join(name), fs::Permissions::from_mode(mode)).unwrap();
}

fn make_pipe(scene: &Scene, name: &str) {
    let place = scene.root().join(name);
    mknodat(CWD, place, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

#[test]
fn file_is_made_replaced_and_removed_as_expected() {
    for file_system in FILE_SYSTEMS {
        let mut scene = Scene::on(file_system);
        let Put::Done(first) = scene.put("a/b/c.txt", "one", Expected::Absent).unwrap() else {
            panic!("nothing stood there");
        };
        assert_eq!(scene.tree.stamp(&path("a/b/c.txt")).unwrap(), Some(first));
        let Put::Done(second) = scene.put("a/b/c.txt", "two", over("one")).unwrap() else {
            panic!("it was as expected");
        };
        assert_eq!(scene.tree.stamp(&path("a/b/c.txt")).unwrap(), Some(second));
        assert_eq!(scene.text("a/b/c.txt").unwrap(), "two");
        assert_eq!(scene.names(), ["a/b/c.txt"]);

        assert_eq!(scene.take("a/b/c.txt", file("two")).unwrap(), Taken::Done);
        assert_eq!(fs::read_dir(scene.root()).unwrap().count(), 0);
        assert_eq!(scene.rescued, Vec::<String>::new());
    }
}

#[test]
fn file_that_is_not_as_expected_stays() {
    for file_system in FILE_SYSTEMS {
        let mut scene = Scene::on(file_system);
        scene.write("a.txt", "mine");
        let before = scene.tree.stamp(&path("a.txt")).unwrap().unwrap();
        for expected in [over("other"), Expected::Absent] {
            assert_eq!(scene.put("a.txt", "new", expected).unwrap(), Put::Changed);
        }
        assert_eq!(scene.put("gone.txt", "new", over("old")).unwrap(), Put::Changed);
        assert_eq!(scene.take("a.txt", file("other")).unwrap(), Taken::Changed);
        assert_eq!(scene.take("gone.txt", file("other")).unwrap(), Taken::Changed);

        let after = scene.tree.stamp(&path("a.txt")).unwrap().unwrap();
        assert_eq!(scene.text("a.txt").unwrap(), "mine");
        assert_eq!(
            (after.identity.inode, after.mtime_ns),
            (before.identity.inode, before.mtime_ns)
        );
        assert_eq!(scene.names(), ["a.txt"]);
    }
}

#[test]
fn another_executable_bit_is_another_state() {
    let mut scene = Scene::new();
    scene.write("run", "text");
    set_mode(&scene, "run", 0o755);
    assert_eq!(scene.put("run", "new", over("text")).unwrap(), Put::Changed);
    assert_eq!(scene.take("run", file("text")).unwrap(), Taken::Changed);
    let exec = State { exec: true, ..file("text") };
    assert!(is_done(&scene.put("run", "new", Expected::State(exec)).unwrap()));
    assert_eq!(mode(&scene, "run"), 0o644);
}

#[test]
fn replaced_file_keeps_its_permissions() {
    let mut scene = Scene::new();
    scene.write("a", "old");
    set_mode(&scene, "a", 0o640);
    scene.put("a", "new", over("old")).unwrap();
    assert_eq!(mode(&scene, "a"), 0o640);

    let staged =
        scene.tree.stage(&path("a"), Manner::of(Kind::File, true), TEMP, &mut &b"run"[..]).unwrap();
    assert!(staged.state.exec && staged.stamp.exec);
    scene.put_staged(&staged, over("new")).unwrap();
    assert_eq!(mode(&scene, "a"), 0o750);
}

#[test]
fn trying_the_executable_bit_leaves_nothing() {
    let scene = Scene::new();
    let root = scene.tree.root.open(None).unwrap();
    assert!(keeps_exec(root.as_fd()).unwrap());
    assert!(scene.tree.traits().exec);
    assert_eq!(scene.names(), Vec::<String>::new());
}

#[test]
fn listing_tells_what_each_name_is() {
    let scene = Scene::new();
    scene.write("file", "12345");
    scene.write("folder/inner", "");
    scene.link("link", "file");
    make_pipe(&scene, "pipe");
    fs::write(scene.root().join(std::ffi::OsStr::from_bytes(b"\xff")), "").unwrap();

    let found = scene.tree.list(None).unwrap();
    let entries: BTreeMap<_, _> =
        found.iter().map(|found| (found.shown.as_str(), &found.entry)).collect();
    assert_eq!(
        entries.keys().copied().collect::<Vec<_>>(),
        ["file", "folder", "link", "pipe", "\u{fffd}"]
    );
    assert_eq!(*entries["folder"], DirEntry::Folder);
    assert_eq!(*entries["pipe"], DirEntry::Special);
    for name in ["file", "link"] {
        let stamp = scene.tree.stamp(&path(name)).unwrap().unwrap();
        assert_eq!(*entries[name], DirEntry::File(stamp));
    }
    assert_eq!(found.iter().filter(|found| found.name.is_none()).count(), 1);
    assert_eq!(scene.tree.list(Some(&path("gone"))).unwrap(), []);
}

#[test]
fn pipe_and_folder_are_neither_read_nor_replaced() {
    let mut scene = Scene::new();
    scene.write("folder/inner", "");
    make_pipe(&scene, "pipe");
    for name in ["pipe", "folder"] {
        assert!(scene.tree.open(&path(name)).unwrap().is_none());
        assert_eq!(scene.tree.stamp(&path(name)).unwrap(), None);
        for expected in [Expected::Absent, over("")] {
            let refused = scene.put(name, "new", expected);
            match name {
                "pipe" => assert!(matches!(refused, Err(TreeError::Obstructed(_)))),
                _ => assert!(matches!(refused, Err(TreeError::IsFolder(_)))),
            }
        }
        scene.take(name, file("")).unwrap_err();
    }
    assert_eq!(scene.names(), ["folder/inner", "pipe"]);
}

#[test]
fn removal_leaves_folders_that_hold_anything() {
    let mut scene = Scene::new();
    scene.write("a/b/c.txt", "text");
    scene.write("a/.mirrord-other", "a temporary file of another job");
    scene.take("a/b/c.txt", file("text")).unwrap();
    assert!(!scene.root().join("a/b").exists());
    assert_eq!(scene.names(), ["a/.mirrord-other"]);
}

#[test]
fn missing_root_is_never_an_empty_one() {
    let mut scene = Scene::new();
    scene.write("a.txt", "text");
    let identity = scene.tree.root_identity().unwrap().unwrap();
    let moved = scene.home.path().join("moved");
    fs::rename(scene.root(), &moved).unwrap();

    assert_eq!(scene.tree.root_identity().unwrap(), None);
    assert!(matches!(scene.tree.list(None), Err(TreeError::RootMissing)));
    assert!(matches!(scene.tree.stamp(&path("a.txt")), Err(TreeError::RootMissing)));
    assert!(matches!(scene.stage("b/c.txt", "new"), Err(TreeError::RootMissing)));
    assert!(matches!(scene.take("a.txt", file("text")), Err(TreeError::RootMissing)));

    // What an unmounted disk leaves: an empty folder in its place.
    fs::create_dir(scene.root()).unwrap();
    assert!(matches!(scene.tree.list(None), Err(TreeError::RootMissing)));
    assert!(matches!(scene.tree.stamp(&path("a.txt")), Err(TreeError::RootMissing)));

    fs::remove_dir(scene.root()).unwrap();
    fs::rename(&moved, scene.root()).unwrap();
    assert_eq!(scene.tree.root_identity().unwrap(), Some(identity));
    assert_eq!(scene.tree.list(None).unwrap().len(), 1);
}

#[test]
fn another_root_is_used_once_it_was_told_of() {
    let scene = Scene::new();
    scene.tree.list(None).unwrap();
    fs::rename(scene.root(), scene.home.path().join("moved")).unwrap();
    fs::create_dir(scene.root()).unwrap();
    scene.tree.list(None).unwrap_err();
    scene.tree.root_identity().unwrap().unwrap();
    assert_eq!(scene.tree.list(None).unwrap(), []);
}

#[test]
fn failed_staging_leaves_nothing() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    let scene = Scene::new();
    let mut content = b"half".chain(Broken);
    let staged = scene.tree.stage(&path("a"), Manner::of(Kind::File, false), TEMP, &mut content);
    assert!(matches!(staged, Err(TreeError::Failed { .. })));
    assert_eq!(scene.names(), Vec::<String>::new());
}

#[test]
fn file_that_is_cut_off_while_it_is_written_is_no_version() {
    struct Killed;
    impl Read for Killed {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("expected here: the process ends")
        }
    }
    let scene = Scene::new();
    let mut content = b"half".chain(Killed);
    let staging = std::panic::AssertUnwindSafe(|| {
        scene.tree.stage(&path("a"), Manner::of(Kind::File, false), TEMP, &mut content)
    });
    std::panic::catch_unwind(staging).unwrap_err();
    assert_eq!(scene.names(), [format!("{TEMP}-stage")]);

    let reopened = LocalTree::open(scene.root());
    assert_eq!(reopened.look_at_temp(&path("a"), TEMP).unwrap(), None);
    assert!(!reopened.restore_temp(&path("a"), TEMP).unwrap());
    reopened.remove_temp(&path("a"), TEMP).unwrap();
    assert_eq!(scene.names(), Vec::<String>::new());
}

#[test]
fn name_too_long_for_the_file_system_is_refused() {
    let scene = Scene::new();
    let temp = "x".repeat(256);
    let refused = scene.tree.stage(&path("a"), Manner::of(Kind::File, false), &temp, &mut &b""[..]);
    assert!(matches!(refused, Err(TreeError::NameRefused(_))), "{refused:?}");
}

#[test]
fn temporary_file_of_a_crash_is_looked_at_restored_and_removed() {
    let scene = Scene::new();
    let target = path("a/b.txt");
    assert_eq!(scene.tree.look_at_temp(&target, TEMP).unwrap(), None);
    assert!(!scene.tree.restore_temp(&target, TEMP).unwrap());
    scene.tree.remove_temp(&target, TEMP).unwrap();

    scene.write(&format!("a/{TEMP}"), "out");
    assert_eq!(scene.tree.look_at_temp(&target, TEMP).unwrap(), Some(file("out")));
    assert!(scene.tree.restore_temp(&target, TEMP).unwrap());
    assert_eq!(scene.text("a/b.txt").unwrap(), "out");

    scene.write(&format!("a/{TEMP}"), "late");
    assert!(!scene.tree.restore_temp(&target, TEMP).unwrap());
    let mut late = String::new();
    scene.tree.open_temp(&target, TEMP).unwrap().unwrap().read_to_string(&mut late).unwrap();
    assert_eq!(late, "late");
    scene.tree.remove_temp(&target, TEMP).unwrap();
    assert_eq!(scene.names(), ["a/b.txt"]);
}

/// Mounts a small file system over the root, if this machine lets us.
fn mount_small(scene: &Scene) -> Result<(), String> {
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
        .arg(scene.root())
        .output()
        .map_err(|error| error.to_string())?;
    if !mounted.status.success() {
        return Err(String::from_utf8_lossy(&mounted.stderr).into_owned());
    }
    Ok(())
}

/// Unmounts even when the test fails, before the folder is removed.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "{:?} stays mounted", self.0);
    }
}

#[test]
fn full_disk_leaves_the_file_whole_and_no_temporary_file() {
    let mut scene = Scene::new();
    if let Err(reason) = mount_small(&scene) {
        eprintln!("skipped: {}", reason.trim());
        return;
    }
    let mounted = Mounted(scene.root());
    scene.write("a.txt", "old");
    scene.tree.root_identity().unwrap();

    let large = "x".repeat(1 << 20);
    let refused = scene.put("a.txt", &large, over("old"));
    assert!(matches!(refused, Err(TreeError::Full)), "{refused:?}");
    assert_eq!(scene.text("a.txt").unwrap(), "old");
    assert_eq!(scene.names(), ["a.txt"]);

    // No call keeps the disk from being unmounted, and then it is missing.
    drop(mounted);
    assert!(matches!(scene.tree.list(None), Err(TreeError::RootMissing)));
}
