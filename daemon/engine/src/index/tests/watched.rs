//! What a watched project's next look finds without walking all of it.

use super::*;

#[tokio::test]
async fn watched_project_is_walked_once() {
    let mut scene = Scene::watched();
    scene.write("a.md", "x");
    assert!(scene.refresh().await.walked);
    scene.write("a.md", "y");
    let refreshed = scene.refresh().await;
    assert_eq!((refreshed.changed, refreshed.walked), (vec![path("a.md")], false));
}

#[tokio::test]
async fn files_in_fresh_nested_folders_are_never_missed() {
    let mut scene = Scene::watched();
    scene.refresh().await;
    for round in 0..50 {
        scene.write(&format!("{round}/a/b/c.md"), "x");
        assert_eq!(scene.changes().await, [format!("{round}/a/b/c.md")]);
        scene.write(&format!("{round}/a/b/d.md"), "y");
        assert_eq!(scene.changes().await, [format!("{round}/a/b/d.md")]);
    }
}

#[tokio::test]
async fn every_write_is_seen_by_the_next_refresh() {
    let mut scene = Scene::watched();
    scene.write("a.md", "before");
    scene.refresh().await;
    for round in 0..1_000 {
        // Of one length, so that often only the content differs.
        let content = format!("{round:04}");
        scene.write("a.md", &content);
        scene.refresh().await;
        assert_eq!(scene.digest("a.md"), Some(Digest::of(content.as_bytes())), "round {round}");
    }
}

#[tokio::test]
async fn renamed_folder_is_found_whole_and_still_watched() {
    let mut scene = Scene::watched();
    scene.write("old/deep/a.md", "x");
    scene.refresh().await;
    for (from, to) in [("old", "new"), ("new", "old"), ("old", "new")] {
        fs::rename(scene.root.join(from), scene.root.join(to)).unwrap();
        let mut expected = [format!("{from}/deep/a.md"), format!("{to}/deep/a.md")];
        expected.sort();
        assert_eq!(scene.changes().await, expected);
        scene.write(&format!("{to}/deep/a.md"), to);
        assert_eq!(scene.changes().await, [format!("{to}/deep/a.md")]);
    }
}

#[tokio::test]
async fn empty_folder_that_was_moved_in_is_watched() {
    let mut scene = Scene::watched();
    scene.refresh().await;
    let elsewhere = tempfile::tempdir_in(scene.root.parent().unwrap()).unwrap();
    fs::rename(elsewhere.path(), scene.root.join("empty")).unwrap();
    scene.refresh().await;
    fs::write(scene.root.join("empty/a.md"), "x").unwrap();
    assert_eq!(scene.changes().await, ["empty/a.md"]);
}

#[tokio::test]
async fn edit_by_another_name_of_a_file_is_found_without_an_event() {
    let mut scene = Scene::watched();
    scene.write("a.md", "one");
    scene.write("sub/c.md", "one");
    let outside = scene.root.parent().unwrap().join("outside.md");
    fs::hard_link(scene.root.join("a.md"), scene.root.join("sub/b.md")).unwrap();
    fs::hard_link(scene.root.join("sub/c.md"), &outside).unwrap();
    scene.refresh().await;

    fs::write(scene.root.join("a.md"), "two").unwrap();
    fs::write(outside, "two").unwrap();

    assert_eq!(scene.changes().await, ["a.md", "sub/b.md", "sub/c.md"]);
}

#[tokio::test]
async fn everything_is_looked_at_again_after_a_while() {
    let mut scene = Scene::watched();
    scene.write("a.md", "one");
    scene.refresh().await;
    // No event tells that a file got another name elsewhere.
    let outside = scene.root.parent().unwrap().join("outside.md");
    fs::hard_link(scene.root.join("a.md"), &outside).unwrap();
    fs::write(outside, "two").unwrap();

    scene.clock.wait(Duration::from_mins(10)).await;

    assert_eq!(scene.changes().await, ["a.md"]);
}
