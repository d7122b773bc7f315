//! Other file systems inside a project: they come and go without a word, and
//! nothing is deleted by that.

use std::fs;

use serde_json::Value;

use crate::support::{Machine, Mount, World, same_trees};

/// A project with a folder `vol`, in which `disk` is mounted.
struct Story {
    world: World,
    laptop: Machine,
    desktop: Machine,
    mount: Option<Mount>,
}

impl Story {
    /// `None` where the tester may not mount.
    fn new() -> Option<Self> {
        let world = World::new();
        let laptop = world.machine("laptop");
        laptop.writes("a.md", "a\n");
        fs::create_dir_all(laptop.path("vol")).expect("a folder can be made");
        let disk = world.folder("disk");
        for number in 0..3 {
            fs::write(disk.join(format!("{number}.md")), format!("{number}\n")).expect("a file");
        }
        let mount = Mount::binding(&disk, &laptop.path("vol"))?;
        laptop.inits();
        laptop.runs(&["push"]).exits(0);
        let desktop = world.next_machine("desktop");
        assert_eq!(desktop.tree().len(), 4);
        Some(Self { world, laptop, desktop, mount: Some(mount) })
    }

    /// The place is named, and nothing of it is changed for anyone.
    #[track_caller]
    fn nothing_is_deleted(&self) {
        let view = self.world.view();
        for command in ["push", "sync", "pull"] {
            let told = self.laptop.tries(&[command, "--allow-deletes"]).exits(4).result();
            let failed = told["failed"].as_array().expect("failures");
            assert!(failed.iter().any(|failed| failed["path"] == "vol"), "{command}: {told}");
        }
        same_trees(&view, &self.world.view());
        let status = self.laptop.asks(&["status"]);
        assert!(is_skipped(&status, "vol"), "{status}");
        self.desktop.syncs();
        assert_eq!(self.desktop.tree().len(), 4);
    }
}

fn is_skipped(status: &Value, path: &str) -> bool {
    let skipped = status["skipped"].as_array().expect("skipped");
    skipped.iter().any(|skip| skip["path"] == path && skip["reason"] == "not_mounted")
}

#[test]
fn disk_that_goes_away_inside_a_project_takes_no_file_along() {
    let Some(mut story) = Story::new() else { return };
    drop(story.mount.take());
    // Not what was mounted there: nobody's edit.
    story.laptop.writes("vol/0.md", "hidden until now\n");

    story.nothing_is_deleted();

    story.desktop.writes("vol/1.md", "edited\n");
    story.desktop.syncs();
    let disk = story.world.path("disk");
    story.mount = Mount::binding(&disk, &story.laptop.path("vol"));
    fs::remove_file(disk.join("2.md")).expect("it is there");
    story.laptop.syncs();
    assert_eq!(story.laptop.reads("vol/1.md"), "edited\n");
    let view = story.world.view();
    assert!(!view.has("vol/2.md") && view.has("vol/0.md"));
}

#[test]
fn other_disk_in_the_place_of_one_inside_a_project_deletes_nothing() {
    let Some(mut story) = Story::new() else { return };
    drop(story.mount.take());
    let other = story.world.folder("other");
    fs::write(other.join("0.md"), "of another disk\n").expect("a file");
    story.mount = Mount::binding(&other, &story.laptop.path("vol"));

    story.nothing_is_deleted();
}

#[test]
fn disk_that_hides_files_of_a_project_deletes_none() {
    let Some(mut story) = Story::new() else { return };
    let empty = story.world.folder("empty");
    drop(story.mount.take());
    for number in 0..3 {
        story.laptop.writes(format!("vol/{number}.md"), format!("{number}\n"));
    }
    // All of it stands there as it was: the disk is not missed.
    story.laptop.syncs();
    story.mount = Mount::binding(&empty, &story.laptop.path("vol"));

    story.nothing_is_deleted();
}

#[test]
fn files_of_a_disk_that_is_gone_can_be_deleted_by_name() {
    let Some(mut story) = Story::new() else { return };
    drop(story.mount.take());

    story.laptop.runs(&["delete", "vol/0.md", "vol/1.md", "vol/2.md"]).exits(0);

    story.desktop.syncs();
    assert_eq!(story.desktop.tree().len(), 1);
}

#[test]
fn single_file_that_is_mounted_is_followed_and_missed_like_a_folder() {
    let world = World::new();
    let laptop = world.machine("laptop");
    laptop.writes("hosts.md", "");
    let source = world.path("source.md");
    fs::write(&source, "one\n").expect("a file");
    let Some(mount) = Mount::binding(&source, &laptop.path("hosts.md")) else { return };
    laptop.inits();
    laptop.runs(&["push"]).exits(0);
    let shown = || fs::read_to_string(world.backend().join("hosts.md")).expect("it is shown");

    fs::write(&source, "two\n").expect("a file");
    laptop.runs(&["push"]).exits(0);
    assert_eq!(shown(), "two\n");

    drop(mount);
    laptop.runs(&["push"]).exits(4);
    assert_eq!(shown(), "two\n");
}
