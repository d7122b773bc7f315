//! Disks that are full or read-only: every file stays whole, the error says why,
//! and work goes on when there is room again.

use std::fs;

use serde_json::Value;

use super::errors::{init, nothing_was_made};
use crate::support::{Chance, Machine, Mount, Outcome, World, same_trees, skipped};

/// A laptop, and a desktop whose project folder is a disk of this size.
fn with_small_disk(kibibytes: u64) -> Option<(World, Machine, Machine, Mount)> {
    let world = World::new();
    let files = [("a.md", "a\n"), ("b.md", "b\n"), ("gone.md", "gone\n")];
    let laptop = world.first_machine("laptop", &files);
    let desktop = world.machine("desktop");
    fs::create_dir(desktop.root()).expect("a project folder");
    let mount = Mount::of_size(&desktop.root(), kibibytes)?;
    desktop.clones();
    Some((world, laptop, desktop, mount))
}

/// It failed in part or in whole, and said that this was why.
#[track_caller]
fn failed_for(outcome: &Outcome, class: &str) {
    let failed: Vec<Value> = match outcome.code {
        Some(1) => vec![outcome.error()],
        Some(4) => {
            let failed = outcome.result()["failed"].as_array().expect("failures").clone();
            failed.iter().map(|failed| failed["error"].clone()).collect()
        }
        _ => panic!("{outcome:#?}"),
    };
    assert!(!failed.is_empty(), "{outcome:#?}");
    for error in failed {
        assert_eq!(error["class"], class, "{outcome:#?}");
    }
}

#[test]
fn read_only_disk_leaves_every_file_whole() {
    let Some((world, laptop, desktop, mount)) = with_small_disk(1024) else {
        return;
    };
    let before = desktop.tree();
    laptop.writes("a.md", "a, better\n");
    laptop.writes("new/c.md", "c\n");
    laptop.removes("gone.md");
    laptop.runs(&["push"]).exits(0);

    mount.becomes_read_only();
    for command in ["pull", "sync"] {
        failed_for(&desktop.tries(&[command]), "permission");
        same_trees(&before, &desktop.tree());
    }

    mount.becomes_writable();
    desktop.syncs();
    same_trees(&desktop.tree(), &world.view());
}

#[test]
fn file_larger_than_the_free_space_leaves_every_file_whole() {
    let Some((world, laptop, desktop, _mount)) = with_small_disk(512) else {
        return;
    };
    desktop.writes("b.md", "an unpushed edit\n");
    laptop.writes("a.md", Chance::new().noise(1 << 20));
    laptop.removes("gone.md");
    laptop.runs(&["push"]).exits(0);

    for command in ["pull", "sync"] {
        failed_for(&desktop.tries(&[command]), "quota");
        assert_eq!(desktop.reads("a.md"), "a\n");
        assert_eq!(desktop.reads("b.md"), "an unpushed edit\n");
        assert_eq!(desktop.tree().len(), 2, "left-overs: {:?}", desktop.tree());
    }

    laptop.writes("a.md", "small again\n");
    laptop.syncs();
    desktop.syncs();
    same_trees(&desktop.tree(), &world.view());
    assert_eq!(desktop.reads("a.md"), "small again\n");
}

#[test]
fn full_disk_under_our_own_files_loses_no_edit() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("b.md", "b\n")]);
    let desktop = world.machine("desktop");
    let Some(_mount) = Mount::of_size(&desktop.home(), 4 * 1024) else {
        return;
    };
    desktop.clones();
    laptop.writes("a.md", "a, better\n");
    laptop.runs(&["push"]).exits(0);
    desktop.writes("b.md", "an unpushed edit\n");
    let filler = desktop.home().join("filler");
    // Whatever is left, to the last byte.
    fs::write(&filler, Chance::new().noise(8 << 20)).expect_err("it does not fit");

    let synced = desktop.tries(&["sync"]);

    assert_ne!(synced.code, Some(5), "the daemon is there: {synced:#?}");
    assert_eq!(desktop.reads("b.md"), "an unpushed edit\n", "{synced:#?}");
    assert!(["a\n", "a, better\n"].contains(&desktop.reads("a.md").as_str()), "{synced:#?}");
    fs::remove_file(filler).expect("there is room again");
    desktop.syncs();
    laptop.syncs();
    same_trees(&desktop.tree(), &laptop.tree());
    same_trees(&desktop.tree(), &world.view());
    assert_eq!(laptop.reads("b.md"), "an unpushed edit\n");
}

#[test]
fn read_only_backend_changes_nothing() {
    let world = World::new();
    let laptop = world.machine("laptop");
    laptop.writes("a.md", "a\n");
    let disk = world.folder("disk");
    let Some(mount) = Mount::of_size(&disk, 1024) else {
        return;
    };
    mount.becomes_read_only();

    let url = format!("folder:{}", disk.join("backend").display());
    laptop.fails(1, &init(&laptop.root(), &url));

    nothing_was_made(&world, &laptop);
}

#[test]
fn read_only_project_folder_is_named_by_pull() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("locked/a.md", "a\n")]);
    let desktop = world.next_machine("desktop");
    laptop.writes("locked/a.md", "a, better\n");
    laptop.runs(&["push"]).exits(0);
    let locked = desktop.path("locked");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).expect("a mode");
    if fs::File::create(locked.join("probe")).is_ok() {
        fs::remove_file(locked.join("probe")).expect("the probe goes away");
        skipped("root may write anywhere");
        return;
    }

    let pulled = desktop.tries(&["pull"]).exits(4).result();

    assert_eq!(pulled["failed"][0]["path"], "locked/a.md");
    assert_eq!(pulled["failed"][0]["error"]["class"], "permission");
    assert_eq!(desktop.reads("locked/a.md"), "a\n");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o755)).expect("a mode");
    desktop.runs(&["pull"]).exits(0);
    assert_eq!(desktop.reads("locked/a.md"), "a, better\n");
}

#[test]
fn full_backend_takes_no_part_of_a_push() {
    let world = World::new();
    let disk = world.folder("disk");
    let Some(_mount) = Mount::of_size(&disk, 512) else {
        return;
    };
    let backend = disk.join("backend");
    let url = format!("folder:{}", backend.display());
    let laptop = world.machine("laptop");
    laptop.writes("a.md", "a\n");
    laptop.runs(&[&init(&laptop.root(), &url)[..], &["--pattern", "**/*"]].concat()).exits(0);
    laptop.runs(&["push"]).exits(0);
    let head = laptop.head();

    laptop.writes("large", Chance::new().noise(1 << 20));
    laptop.writes("a.md", "a, better\n");
    let error = laptop.fails(1, &["push"]);

    assert_eq!(error["class"], "quota");
    assert_eq!(laptop.head(), head);
    assert_eq!(fs::read_to_string(backend.join("a.md")).expect("the view"), "a\n");
    laptop.removes("large");
    laptop.runs(&["push"]).exits(0);
    assert_eq!(laptop.head(), head + 1);
}

#[test]
fn full_disk_leaves_every_pulled_file_whole() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let desktop = world.machine("desktop");
    fs::create_dir(desktop.root()).expect("a project folder");
    let Some(_mount) = Mount::of_size(&desktop.root(), 512) else {
        return;
    };
    desktop.clones();

    laptop.writes("large", Chance::new().noise(1 << 20));
    laptop.writes("a.md", "a, better\n");
    laptop.runs(&["push"]).exits(0);
    let pulled = desktop.tries(&["pull"]);

    assert!(matches!(pulled.code, Some(1 | 4)), "{pulled:#?}");
    assert!(!desktop.tree().has("large"));
    assert!(["a\n", "a, better\n"].contains(&desktop.reads("a.md").as_str()));
    assert_eq!(desktop.tree().len(), 1, "left-overs: {:?}", desktop.tree());
}

/// A laptop with a disk of its own for what the daemon keeps of one kind.
fn with_small_home(kind: &str, kibibytes: u64) -> Option<(World, Machine, Mount)> {
    let world = World::new();
    let laptop = world.machine("laptop");
    let folder = laptop.home().join(kind);
    fs::create_dir_all(&folder).expect("a folder");
    let mount = Mount::of_size(&folder, kibibytes)?;
    for number in 0..40 {
        laptop.writes(format!("{number}.md"), "one\n");
    }
    laptop.inits();
    laptop.runs(&["config", "set", "poll_interval", "600"]).exits(0);
    laptop.runs(&["push"]).exits(0);
    Some((world, laptop, mount))
}

/// The daemon's own disk is full, then has room again: no round and no new start
/// is needed.
#[track_caller]
fn goes_on_after_a_full_disk(kind: &str) {
    let Some((world, laptop, mount)) = with_small_home(kind, 8 * 1024) else { return };
    let fill = laptop.home().join(kind).join("fill");
    let mut filled = fs::File::create(&fill).expect("a file");
    drop(std::io::copy(&mut std::io::repeat(7), &mut filled));
    drop(filled);
    for round in 0..6 {
        for number in 0..40 {
            laptop.writes(format!("{number}.md"), format!("{}\n", "more ".repeat(round + 2)));
        }
        let pushed = laptop.tries(&["push"]);
        if pushed.code != Some(0) {
            failed_for(&pushed, "quota");
            break;
        }
    }

    fs::remove_file(&fill).expect("room again");

    laptop.runs(&["push"]).exits(0);
    same_trees(&laptop.tree(), &world.view());
    drop(laptop);
    drop(mount);
}

#[test]
fn daemon_goes_on_after_the_disk_of_its_state_was_full() {
    goes_on_after_a_full_disk("state");
}

#[test]
fn daemon_goes_on_after_the_disk_of_its_data_was_full() {
    goes_on_after_a_full_disk("data");
}

#[test]
fn daemon_goes_on_after_the_disk_of_its_cache_was_full() {
    goes_on_after_a_full_disk("cache");
}
