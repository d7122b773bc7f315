//! Promises that hold on any ordinary day.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::SystemTime;

use mirror_core::Digest;

use crate::support::{Machine, World, same_trees};

#[test]
fn status_right_after_a_save_is_right() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("still.md", "still\n")]);

    // One size throughout: neither length nor a coarse clock gives it away.
    for save in 0..1000 {
        let (path, content) = (format!("{}.md", save % 7), format!("{save:04}\n"));
        laptop.writes(&path, &content);
        let told = laptop.status_of(&path);
        let expected = Digest::of(content.as_bytes()).to_string();
        assert_eq!(told["local"], expected, "save {save}: {told}");
    }
    let summary = &laptop.asks(&["status"])["summary"];
    assert_eq!(summary["in_sync"], 1);
    assert_eq!(summary["new_local"], 7);
}

#[test]
fn push_right_after_a_save_takes_what_was_saved() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[]);

    for save in 0..50 {
        laptop.writes("a.md", format!("{save:04}\n"));
        laptop.runs(&["push"]).exits(0);
    }
    same_trees(&laptop.tree(), &world.view());
    assert_eq!(laptop.status_of("a.md")["status"], "in_sync");
}

#[test]
fn narrowing_patterns_deletes_nothing_anywhere() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("b.txt", "b\n")]);
    let desktop = world.next_machine("desktop");

    desktop.runs(&["config", "set", "patterns", r#"["**/*.md"]"#]).exits(0);
    desktop.writes("a.md", "a, better\n");
    desktop.syncs();
    laptop.syncs();

    for machine in [&laptop, &desktop] {
        assert_eq!(machine.reads("a.md"), "a, better\n");
        assert_eq!(machine.reads("b.txt"), "b\n");
    }
    assert!(world.view().has("b.txt"));
}

#[test]
fn shared_narrower_patterns_delete_nothing_anywhere() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("b.txt", "b\n")]);
    let desktop = world.next_machine("desktop");

    laptop.runs(&["config", "set", "--shared", "patterns", r#"["**/*.md"]"#]).exits(0);
    laptop.syncs();
    desktop.syncs();
    laptop.removes("b.txt");
    laptop.syncs();
    desktop.syncs();

    assert_eq!(desktop.reads("b.txt"), "b\n");
    assert!(world.view().has("b.txt"));
}

#[test]
fn ignoring_a_file_deletes_nothing_anywhere() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("b.tmp", "b\n")]);
    let desktop = world.next_machine("desktop");

    laptop.writes(".mirrorignore", "*.tmp\n");
    laptop.syncs();
    desktop.syncs();
    laptop.removes("b.tmp");
    laptop.syncs();
    desktop.syncs();

    assert_eq!(desktop.reads(".mirrorignore"), "*.tmp\n");
    assert_eq!(desktop.reads("b.tmp"), "b\n");
    assert!(world.view().has("b.tmp"));
}

#[test]
fn modification_times_of_unchanged_files_stay() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("still.md", "still\n"), ("busy.md", "0\n")]);
    let desktop = world.next_machine("desktop");
    let before = [modified(&laptop, "still.md"), modified(&desktop, "still.md")];

    for round in 1..4 {
        laptop.writes("busy.md", format!("{round}\n"));
        laptop.syncs();
        desktop.syncs();
    }

    assert_eq!([modified(&laptop, "still.md"), modified(&desktop, "still.md")], before);
    assert_eq!(desktop.reads("busy.md"), "3\n");
}

fn modified(machine: &Machine, path: &str) -> SystemTime {
    let metadata = fs::metadata(machine.path(path)).expect("the file is there");
    metadata.modified().expect("a modification time")
}

#[test]
fn touch_is_no_change() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let before = laptop.head();

    let file = fs::File::options().write(true).open(laptop.path("a.md")).expect("the file");
    file.set_modified(SystemTime::UNIX_EPOCH).expect("a new time");
    laptop.runs(&["push"]).exits(0);

    assert_eq!(laptop.head(), before);
}

#[test]
fn link_inside_the_project_travels_as_a_link() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a/b.md", "b\n")]);
    symlink("a/b.md", laptop.path("link.md")).expect("a link");

    laptop.runs(&["push"]).exits(0);
    let desktop = world.next_machine("desktop");

    same_trees(&laptop.tree(), &desktop.tree());
    let target = fs::read_link(desktop.path("link.md")).expect("a link");
    assert_eq!(target.to_str(), Some("a/b.md"));
}

#[test]
fn link_out_of_the_project_is_skipped_and_named() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let outside = world.folder("outside");
    fs::write(outside.join("secret.md"), "a secret\n").expect("a file outside");
    symlink(outside.join("secret.md"), laptop.path("file.md")).expect("a link");
    symlink(&outside, laptop.path("folder")).expect("a link");

    laptop.runs(&["push"]).exits(0);

    let status = laptop.asks(&["status"]);
    for path in ["file.md", "folder"] {
        let told = serde_json::json!({"path": path, "reason": "symlink_outside"});
        let skipped = status["skipped"].as_array().expect("skipped files");
        assert!(skipped.contains(&told), "{path} in {status:#}");
    }
    assert_eq!(world.view().len(), 1);
}

#[test]
fn folder_that_became_a_link_deletes_nothing_anywhere() {
    let world = World::new();
    let files = [("a.md", "a\n"), ("notes/b.md", "b\n")];
    let laptop = world.first_machine("laptop", &files);
    laptop.runs(&["config", "set", "--shared", "patterns", r#"["**/*.md"]"#]).exits(0);
    let desktop = world.next_machine("desktop");
    let outside = world.folder("outside");

    fs::rename(laptop.path("notes"), outside.join("notes")).expect("the folder moves");
    symlink(outside.join("notes"), laptop.path("notes")).expect("a link");
    laptop.runs(&["sync"]).exits(0);
    desktop.syncs();

    assert_eq!(desktop.reads("notes/b.md"), "b\n");
    assert!(world.view().has("notes/b.md"));
    let told = serde_json::json!({"path": "notes", "reason": "symlink_outside"});
    let status = laptop.asks(&["status"]);
    assert!(status["skipped"].as_array().expect("skipped files").contains(&told), "{status:#}");

    fs::remove_file(laptop.path("notes")).expect("the link goes");
    fs::rename(outside.join("notes"), laptop.path("notes")).expect("the folder is back");
    laptop.writes("notes/b.md", "b, better\n");
    laptop.syncs();
    desktop.syncs();
    assert_eq!(desktop.reads("notes/b.md"), "b, better\n");
}

#[test]
fn pull_never_writes_through_a_link_out_of_the_project() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let desktop = world.next_machine("desktop");
    let outside = world.folder("outside");
    symlink(&outside, desktop.path("docs")).expect("a link");

    laptop.writes("docs/new.md", "new\n");
    laptop.writes("b.md", "b\n");
    laptop.runs(&["push"]).exits(0);
    let pulled = desktop.tries(&["pull"]);

    assert_ne!(pulled.code, Some(0), "one file can't be written: {pulled:#?}");
    assert_eq!(fs::read_dir(&outside).expect("the folder outside").count(), 0);
    assert_eq!(desktop.reads("b.md"), "b\n");
}

#[test]
fn executable_bit_travels() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("run.sh", "#!/bin/sh\n")]);
    let desktop = world.next_machine("desktop");

    let runnable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(laptop.path("run.sh"), runnable).expect("a mode");
    laptop.runs(&["push"]).exits(0);
    desktop.runs(&["pull"]).exits(0);

    same_trees(&laptop.tree(), &desktop.tree());
    let mode = fs::metadata(desktop.path("run.sh")).expect("the file").permissions().mode();
    assert_eq!(mode & 0o100, 0o100);
}

#[test]
fn ignoring_with_a_deletion_keeps_the_file_on_every_machine() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("b.md", "b\n")]);
    let desktop = world.next_machine("desktop");

    laptop.runs(&["delete", "b.md", "--keep-local"]).exits(0);
    desktop.runs(&["sync"]).exits(0);

    assert_eq!(laptop.reads("b.md"), "b\n");
    assert_eq!(desktop.reads("b.md"), "b\n");
    assert!(!world.view().has("b.md"));
    assert_eq!(laptop.asks(&["status"])["summary"]["new_local"], 0);
}
