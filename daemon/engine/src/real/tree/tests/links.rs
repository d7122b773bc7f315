//! No path of a commit reaches outside the project.

use super::super::system;
use super::*;
use crate::outside::Manner;
use std::os::fd::AsFd as _;

/// A scene with a link `out` to a folder beside the root, which has `a.txt`.
fn scene_with_a_way_out() -> Scene {
    let scene = Scene::new();
    let beside = scene.home.path().join("beside");
    fs::create_dir(&beside).unwrap();
    fs::write(beside.join("a.txt"), "private").unwrap();
    scene.link("out", beside.to_str().unwrap());
    scene
}

#[track_caller]
fn check_obstructed<T>(result: Result<T, TreeError>) {
    let error = result.err().expect("a link stands in the way");
    assert!(matches!(error, TreeError::Obstructed(_)), "{error:?}");
}

#[test]
fn parent_that_is_a_link_is_never_followed() {
    let mut scene = scene_with_a_way_out();
    let target = path("out/a.txt");
    let staged = Staged { path: target.clone(), ..scene.stage("a.txt", "new").unwrap() };

    check_obstructed(scene.tree.list(Some(&path("out"))));
    check_obstructed(scene.tree.stamp(&target));
    check_obstructed(scene.tree.open(&target));
    check_obstructed(scene.stage("out/a.txt", "new"));
    check_obstructed(scene.stage("out/b/c.txt", "new"));
    check_obstructed(scene.put_staged(&staged, over("private")));
    check_obstructed(scene.put_staged(&staged, Expected::Absent));
    check_obstructed(scene.take("out/a.txt", file("private")));
    check_obstructed(scene.tree.restore_temp(&target, TEMP));
    check_obstructed(scene.tree.look_at_temp(&target, TEMP));
    check_obstructed(scene.tree.open_temp(&target, TEMP));
    check_obstructed(scene.tree.remove_temp(&target, TEMP));

    let beside = scene.home.path().join("beside");
    assert_eq!(fs::read_to_string(beside.join("a.txt")).unwrap(), "private");
    assert_eq!(fs::read_dir(beside).unwrap().count(), 1);
}

#[test]
fn file_in_the_way_of_a_folder_is_named() {
    let scene = Scene::new();
    scene.write("a", "file");
    check_obstructed(scene.stage("a/b.txt", "new"));
    assert_eq!(scene.names(), ["a"]);
}

#[test]
fn way_by_component_refuses_what_the_one_step_way_refuses() {
    let scene = scene_with_a_way_out();
    scene.write("a/b/c.txt", "deep");
    scene.link("a/up", "..");
    let root = scene.tree.root.open(None).unwrap();
    for (folder, is_open) in
        [("a", true), ("a/b", true), ("out", false), ("a/up", false), ("a/up/a", false)]
    {
        let by_component = system::open_by_component(root.as_fd(), folder);
        assert_eq!(by_component.is_ok(), is_open, "{folder:?}");
        assert_eq!(system::open_below(root.as_fd(), folder).is_ok(), is_open, "{folder:?}");
    }
}

#[test]
fn file_that_is_a_link_is_a_link_and_not_its_target() {
    let scene = scene_with_a_way_out();
    let (stamp, mut reader) = scene.tree.open(&path("out")).unwrap().unwrap();
    let mut target = String::new();
    reader.read_to_string(&mut target).unwrap();
    assert_eq!(stamp.kind, Kind::Link);
    assert_eq!(target, scene.home.path().join("beside").to_str().unwrap());
    assert_eq!(scene.tree.stamp(&path("out")).unwrap(), Some(stamp));
}

#[test]
fn link_inside_the_project_is_made() {
    let mut scene = Scene::new();
    scene.write("docs/a.txt", "text");
    for (name, target) in [
        ("one", "docs/a.txt"),
        ("docs/two", "../docs/./a.txt"),
        ("three", "later/gone.txt"),
        ("four", "docs/two"),
        ("short", "docs"),
        ("five", "short/two"),
    ] {
        let staged = scene.stage_link(name, target).unwrap();
        assert_eq!(staged.state.digest, Digest::of(target.as_bytes()));
        assert!(is_done(&scene.put_staged(&staged, Expected::Absent).unwrap()), "{name}");
        assert_eq!(fs::read_link(scene.root().join(name)).unwrap(), Path::new(target));
    }
}

#[test]
fn link_is_replaced_and_removed_like_a_file() {
    for file_system in FILE_SYSTEMS {
        let mut scene = Scene::on(file_system);
        scene.link("link", "one");
        let was = State { kind: Kind::Link, ..file("one") };
        let staged = scene.stage_link("link", "two").unwrap();
        assert!(is_done(&scene.put_staged(&staged, Expected::State(was)).unwrap()));
        assert_eq!(scene.take("link", was).unwrap(), Taken::Changed);
        assert_eq!(scene.take("link", staged.state).unwrap(), Taken::Done);
        assert_eq!(scene.names(), Vec::<String>::new());
    }
}

#[test]
fn link_to_where_no_mirrored_link_may_point_is_refused() {
    let scene = scene_with_a_way_out();
    scene.write("docs/a.txt", "text");
    scene.link("docs/inner_out", "../out");
    let long = "x/".repeat(2_048);
    for target in [
        "",
        "/etc/passwd",
        "..",
        "../..",
        "../../beside/a.txt",
        "a/../../../beside",
        "../.git/config",
        ".GIT",
        "../_mirror/log",
        "../out",
        "../out/a.txt",
        "inner_out",
        "self",
        "a\0b",
        &long,
    ] {
        let refused = scene.stage_link("docs/self", target);
        assert!(matches!(refused, Err(TreeError::LinkRefused(_))), "{target:?}: {refused:?}");
    }
    let mut not_text = &b"\xff"[..];
    let refused = scene.tree.stage(&path("l"), Manner::of(Kind::Link, false), TEMP, &mut not_text);
    assert!(matches!(refused, Err(TreeError::LinkRefused(_))));
    assert_eq!(scene.names(), ["docs/a.txt", "docs/inner_out", "out"]);
}
