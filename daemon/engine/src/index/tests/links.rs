//! Links that are sent, and what a link that isn't hides.

use std::os::unix::fs::symlink;

use super::*;

/// A project of notes, seen once, with a folder beside it for what is moved out.
async fn notes(mut scene: Scene) -> Scene {
    scene.coverage = covering(&["**/*.md"], "");
    scene.write("notes/a.md", "x");
    scene.write("b.md", "y");
    fs::create_dir(scene.root.with_file_name("out")).unwrap();
    scene.refresh().await;
    scene
}

async fn both() -> [Scene; 2] {
    [notes(Scene::walked()).await, notes(Scene::watched()).await]
}

#[tokio::test]
async fn folder_that_became_a_link_hides_its_files() {
    for mut scene in both().await {
        let (notes, out) = (scene.root.join("notes"), scene.root.with_file_name("out"));
        fs::rename(&notes, out.join("notes")).unwrap();
        for target in ["../out/notes", "b.md", "elsewhere"] {
            symlink(target, &notes).unwrap();
            assert_eq!(scene.changes().await, [""; 0], "{target}");
            assert!(scene.index.is_hidden(&path("notes/a.md")), "{target}");
            assert!(scene.index.is_hidden(&path("notes/new.md")), "{target}");
            assert_eq!(scene.skips(), [("notes", SkipReason::SymlinkOutside)], "{target}");
            fs::remove_file(&notes).unwrap();
        }
        fs::rename(out.join("notes"), &notes).unwrap();
        assert_eq!(scene.changes().await, [""; 0]);
        assert_eq!(scene.skips(), []);
        fs::remove_dir_all(&notes).unwrap();
        assert_eq!(scene.changes().await, ["notes/a.md"]);
    }
}

#[tokio::test]
async fn folder_that_became_a_special_file_hides_its_files() {
    for mut scene in both().await {
        fs::remove_dir_all(scene.root.join("notes")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(scene.root.join("notes")).unwrap();
        assert_eq!(scene.changes().await, [""; 0]);
        assert!(scene.index.is_hidden(&path("notes/a.md")));
        assert_eq!(scene.skips(), [("notes", SkipReason::SpecialFile)]);
    }
}

#[tokio::test]
async fn folder_that_became_a_file_is_gone() {
    for mut scene in both().await {
        fs::remove_dir_all(scene.root.join("notes")).unwrap();
        scene.write("notes", "not mirrored");
        assert_eq!(scene.changes().await, ["notes/a.md"]);
        assert!(!scene.index.is_hidden(&path("notes/a.md")));
    }
}

#[tokio::test]
async fn link_is_seen_though_only_a_file_behind_it_was_named() {
    use crate::outside::Dirt;
    /// Names one file behind the link, and not the link.
    struct Half;
    impl Watch for Half {
        fn add(&self, _: Option<&RelPath>) -> bool {
            true
        }
        fn settle(&self, _: std::time::Duration) -> Dirt {
            Dirt { paths: vec![path("notes/a.md")], ..Dirt::default() }
        }
        fn peek(&self, patience: std::time::Duration) -> Dirt {
            self.settle(patience)
        }
        fn taken_up(&self) {}
        fn taken_up_count(&self) -> u64 {
            0
        }
        fn is_live(&self) -> bool {
            true
        }
        fn on_change(&self, _: Box<dyn Fn(&Dirt) + Send + Sync>) {}
    }
    let mut scene = notes(Scene::new(|_, _| Arc::new(Half))).await;
    fs::rename(scene.root.join("notes"), scene.root.with_file_name("out").join("notes")).unwrap();
    symlink("../out/notes", scene.root.join("notes")).unwrap();
    assert_eq!(scene.changes().await, [""; 0]);
    assert!(scene.index.is_hidden(&path("notes/a.md")));
}

#[tokio::test]
async fn link_that_hides_nothing_and_no_pattern_covers_is_not_named() {
    for mut scene in both().await {
        symlink("/bin/sh", scene.root.join("shell")).unwrap();
        scene.refresh().await;
        assert_eq!(scene.skips(), []);
        assert!(scene.index.is_hidden(&path("shell/a.md")));
    }
}

#[tokio::test]
async fn link_that_every_other_machine_would_refuse_is_skipped() {
    for mut scene in both().await {
        scene.coverage = covering(&["**/*.md"], "build/\n");
        scene.write("build/c.md", "z");
        for (link, target) in [
            ("good.md", "b.md"),
            ("later.md", "later/there.md"),
            ("loop.md", "loop.md"),
            ("second.md", "good.md"),
            ("third.md", "second.md"),
            ("ignored.md", "build/c.md"),
            ("way.md", "short/c.md"),
            ("short", "build"),
        ] {
            symlink(target, scene.root.join(link)).unwrap();
        }
        scene.refresh().await;
        let taken = ["b.md", "good.md", "later.md", "notes/a.md", "second.md", "third.md"];
        assert_eq!(scene.names(), taken);
        let skipped = ["ignored.md", "loop.md", "way.md"];
        assert_eq!(scene.skips(), skipped.map(|name| (name, SkipReason::SymlinkOutside)));
    }
}

#[tokio::test]
async fn link_follows_what_becomes_of_its_target() {
    for mut scene in both().await {
        symlink("b.md", scene.root.join("a.md")).unwrap();
        assert_eq!(scene.changes().await, ["a.md"]);

        fs::rename(scene.root.join("b.md"), scene.root.join("c.md")).unwrap();
        symlink("c.md", scene.root.join("b.md")).unwrap();
        scene.refresh().await;
        assert!(!scene.index.is_hidden(&path("a.md")));

        fs::remove_file(scene.root.join("b.md")).unwrap();
        symlink("/etc/hosts", scene.root.join("b.md")).unwrap();
        scene.refresh().await;
        assert!(scene.index.is_hidden(&path("a.md")));
        fs::remove_file(scene.root.join("b.md")).unwrap();

        fs::rename(scene.root.join("c.md"), scene.root.join("b.md")).unwrap();
        scene.refresh().await;
        assert!(!scene.index.is_hidden(&path("a.md")));
        assert_eq!(scene.names(), ["a.md", "b.md", "notes/a.md"]);
    }
}
