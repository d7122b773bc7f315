//! What is the program's own is no part of a tree, by whatever name it lies there.

use std::os::unix::fs::symlink;

use super::*;

/// A tree without these places, each relative to the scene's home.
fn tree_without(scene: &Scene, places: &[&str]) -> LocalTree {
    let home = scene.home.path();
    let places = places.iter().map(|place| home.join(place)).collect();
    LocalTree::open(scene.root()).without(places)
}

#[test]
fn own_places_are_known_by_every_name_in_the_tree() {
    let scene = Scene::new();
    scene.write("big/state/x", "x");
    scene.link("state", "big/state");
    symlink(scene.root(), scene.home.path().join("short")).unwrap();
    let root = scene.root();
    let root = root.file_name().unwrap().to_str().unwrap();

    let places = [&format!("{root}/state"), "short/cache/deep", "elsewhere"];
    let tree = tree_without(&scene, &places);

    assert_eq!(tree.own_places(), ["big/state", "cache/deep", "state"].map(path));
}

#[test]
fn folder_is_own_by_what_it_is_and_not_by_its_name() {
    let scene = Scene::new();
    scene.write("state/x", "x");
    scene.write("other/x", "x");
    let root = scene.root();
    symlink(root.join("state"), scene.home.path().join("state")).unwrap();

    let tree = tree_without(&scene, &["state"]);

    assert!(tree.is_own(&path("state")));
    assert!(!tree.is_own(&path("other")) && !tree.is_own(&path("gone")));
    let staged =
        tree.stage(&path("state/deep/a"), Manner::of(Kind::File, false), TEMP, &mut &b"x"[..]);
    assert!(matches!(staged, Err(TreeError::OurOwn(_))), "{staged:?}");
    assert!(!root.join("state/deep").exists());
    fs::remove_dir_all(root.join("state")).unwrap();
    fs::create_dir(root.join("state")).unwrap();
    tree.root_identity().unwrap();
    assert!(tree.is_own(&path("state")), "made again");
}

#[test]
fn absolute_path_into_the_tree_is_found_through_links() {
    let scene = Scene::new();
    scene.write("a/b", "x");
    symlink(scene.root(), scene.home.path().join("short")).unwrap();
    let at = |text: &str| scene.home.path().join(text);

    assert_eq!(scene.tree.path_of(&at("short/a/b")), Some(path("a/b")));
    assert_eq!(scene.tree.path_of(&at("short/new/c")), Some(path("new/c")));
    assert_eq!(scene.tree.path_of(&at("short")), None);
    assert_eq!(scene.tree.path_of(Path::new("/etc/hosts")), None);
}
