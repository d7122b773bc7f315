//! What a new file may be used for, and by whom.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Command;
use std::time::{Duration, SystemTime};

use mirror_core::Timestamp;

use super::*;

fn mode(scene: &Scene, name: &str) -> u32 {
    fs::metadata(scene.root().join(name)).unwrap().permissions().mode() & 0o7777
}

fn set_mode(scene: &Scene, name: &str, mode: u32) {
    fs::set_permissions(scene.root().join(name), fs::Permissions::from_mode(mode)).unwrap();
}

fn put_as(scene: &mut Scene, name: &str, manner: Manner, expected: Expected) {
    let staged = scene.tree.stage(&path(name), manner, TEMP, &mut &b"new"[..]).unwrap();
    assert!(is_done(&scene.put_staged(&staged, expected).unwrap()));
}

const PLAIN: Manner = Manner { kind: Kind::File, exec: false, private: false, modified: None };
const PRIVATE: Manner = Manner { private: true, ..PLAIN };

#[test]
fn new_file_and_its_folder_go_by_the_umask_as_everybody_elses() {
    let mut scene = Scene::new();
    scene.write("theirs/a", "");
    put_as(&mut scene, "ours/a", PLAIN, Expected::Absent);
    for [ours, theirs] in [["ours", "theirs"], ["ours/a", "theirs/a"]] {
        assert_eq!(mode(&scene, ours), mode(&scene, theirs), "{ours}");
    }
}

#[test]
fn private_file_is_for_its_owner_alone_and_narrows_what_stood_there() {
    let mut scene = Scene::new();
    put_as(&mut scene, "a", PRIVATE, Expected::Absent);
    assert_eq!(mode(&scene, "a"), 0o600);
    put_as(&mut scene, "run", Manner { exec: true, ..PRIVATE }, Expected::Absent);
    assert_eq!(mode(&scene, "run"), 0o700);

    scene.write("b", "old");
    set_mode(&scene, "b", 0o644);
    put_as(&mut scene, "b", PRIVATE, over("old"));
    assert_eq!(mode(&scene, "b"), 0o600);
    assert!(scene.tree.stamp(&path("b")).unwrap().unwrap().private);

    // What is private no longer stays as it is here.
    put_as(&mut scene, "b", PLAIN, over("new"));
    assert_eq!(mode(&scene, "b"), 0o600);
}

#[test]
fn replaced_file_runs_as_nobody_else() {
    let mut scene = Scene::new();
    scene.write("run", "old");
    set_mode(&scene, "run", 0o6755);
    let exec = Manner { exec: true, ..PLAIN };
    put_as(&mut scene, "run", exec, Expected::State(State { exec: true, ..file("old") }));
    assert_eq!(mode(&scene, "run"), 0o755);
}

#[test]
fn new_file_has_the_time_of_its_version_and_a_replaced_one_that_of_now() {
    let mut scene = Scene::new();
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let dated = Manner { modified: Some(Timestamp(1_700_000_000_000)), ..PLAIN };
    let modified = |scene: &Scene, name: &str| {
        fs::metadata(scene.root().join(name)).unwrap().modified().unwrap()
    };

    put_as(&mut scene, "a", dated, Expected::Absent);
    assert_eq!(modified(&scene, "a"), then);
    put_as(&mut scene, "a", dated, over("new"));
    assert!(modified(&scene, "a") > then);

    let ahead = Manner { modified: Some(Timestamp(32_000_000_000_000)), ..PLAIN };
    put_as(&mut scene, "b", ahead, Expected::Absent);
    assert!(modified(&scene, "b") <= SystemTime::now());
}

#[test]
fn replaced_file_keeps_its_list_of_rights_and_its_owner() {
    let mut scene = Scene::new();
    scene.write("a", "old");
    set_mode(&scene, "a", 0o640);
    let place = scene.root().join("a");
    let set = Command::new("setfacl").args(["-m", "u:65534:rw"]).arg(&place).status();
    if !set.is_ok_and(|set| set.success()) {
        eprintln!("skipped: no lists of rights here");
        return;
    }
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&place, Some(12), Some(34)).unwrap();
    }
    let shown = || {
        let shown = Command::new("getfacl").args(["-cpn"]).arg(&place).output().unwrap();
        String::from_utf8(shown.stdout).unwrap()
    };
    let (list, before) = (shown(), fs::metadata(&place).unwrap());

    put_as(&mut scene, "a", PLAIN, over("old"));

    let after = fs::metadata(&place).unwrap();
    assert_eq!(shown(), list);
    assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
}

#[test]
fn empty_folder_is_in_no_files_way_and_one_that_holds_something_stays() {
    let mut scene = Scene::new();
    fs::create_dir_all(scene.root().join("a/b/c")).unwrap();
    put_as(&mut scene, "a", PLAIN, Expected::Absent);
    assert_eq!(scene.text("a").as_deref(), Some("new"));

    scene.write("f/.hidden/ignored", "a person's");
    let staged = scene.stage("f", "new").unwrap();
    let refused = scene.put_staged(&staged, Expected::Absent);
    assert!(matches!(refused, Err(TreeError::IsFolder(_))), "{refused:?}");
    assert_eq!(scene.names(), ["a", "f/.hidden/ignored"]);
}
