//! The ignore file's rules hold, wherever they stand; where they can't be read,
//! nothing new is sent.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

async fn story() -> (World, Machine) {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "old");
    laptop.pushes().await;
    (world, laptop)
}

type Maker = fn(&Machine);

/// What no text of rules is, made at a place.
fn unusable() -> Vec<(&'static str, Maker)> {
    vec![
        ("a folder", |laptop| laptop.writes(".mirrorignore/x", "secret*")),
        ("an empty folder", |laptop| fs::create_dir(laptop.root(".mirrorignore")).unwrap()),
        ("UTF-16", |laptop| laptop.writes(".mirrorignore", b"\xff\xfes\0e\0c\0r\0e\0t\0")),
        ("no UTF-8", |laptop| laptop.writes(".mirrorignore", b"secret*\n\xff\n")),
        ("too large", |laptop| laptop.writes(".mirrorignore", vec![b'#'; (4 << 20) + 1])),
        ("too many rules", |laptop| laptop.writes(".mirrorignore", "a\n".repeat(100_001))),
        ("a pipe", |laptop| {
            drop(std::os::unix::net::UnixListener::bind(laptop.root(".mirrorignore")).unwrap());
        }),
        ("a link out", |laptop| symlink("../out", laptop.root(".mirrorignore")).unwrap()),
        ("a link round", |laptop| symlink(".mirrorignore", laptop.root(".mirrorignore")).unwrap()),
        ("a link to nothing", |laptop| symlink("gone", laptop.root(".mirrorignore")).unwrap()),
        ("a link to a folder", |laptop| {
            fs::create_dir(laptop.root("folder")).unwrap();
            symlink("folder", laptop.root(".mirrorignore")).unwrap();
        }),
    ]
}

#[tokio::test]
async fn what_no_rules_can_be_read_from_keeps_new_files_here() {
    for (what, make) in unusable() {
        let (world, laptop) = story().await;
        make(&laptop);
        laptop.writes("secret.md", "secret");
        laptop.writes("a.md", "new");

        for report in [laptop.pushes().await, laptop.syncs().await] {
            let said = failed(&report).contains(&".mirrorignore");
            assert!(said, "{what}: {report:?}");
            assert_eq!(world.text("secret.md"), None, "{what}");
        }

        assert_eq!(world.text("a.md").as_deref(), Some("new"), "{what}");
        let skipped = laptop.project().status(false).await.unwrap().skipped;
        let reason = skipped.iter().find(|skip| skip.path == ".mirrorignore").unwrap().reason;
        assert_eq!(reason, SkipReason::RulesUnusable, "{what}");
    }
}

#[tokio::test]
async fn rules_that_can_not_be_read_any_more_hold_as_they_were() {
    let (world, laptop) = story().await;
    laptop.writes(".mirrorignore", "a.md\n");
    laptop.writes("b.md", "old");
    laptop.pushes().await;
    laptop.removes("a.md");
    laptop.removes(".mirrorignore");
    fs::create_dir(laptop.root(".mirrorignore")).unwrap();

    laptop.syncs().await;
    assert_eq!(laptop.reads("a.md"), None, "it stays ignored");
    assert_eq!(world.text(".mirrorignore").as_deref(), Some("a.md\n"), "for everyone");

    fs::remove_dir(laptop.root(".mirrorignore")).unwrap();
    laptop.writes(".mirrorignore", "*.txt\n");
    laptop.writes("new.md", "new");
    let report = laptop.syncs().await;
    assert_eq!(failed(&report), [""; 0]);
    assert_eq!(world.text("new.md").as_deref(), Some("new"));
}

#[tokio::test]
async fn renamed_file_stays_what_it_was_while_rules_can_not_be_read() {
    let (world, laptop) = story().await;
    fs::create_dir(laptop.root(".mirrorignore")).unwrap();
    fs::rename(laptop.root("a.md"), laptop.root("b.md")).unwrap();
    laptop.syncs().await;
    assert_eq!(world.text("a.md").as_deref(), Some("old"));
    assert_eq!(world.text("b.md"), None);
}

#[tokio::test]
async fn link_to_rules_in_the_project_is_followed_here_and_elsewhere() {
    for target in [".gitignore", "rules/list", "second", "ROOT/.gitignore"] {
        let (world, laptop) = story().await;
        let target =
            target.replace("ROOT", laptop.root("").to_str().unwrap().trim_end_matches('/'));
        for file in [".gitignore", "rules/list"] {
            laptop.writes(file, "\u{feff}secret*\r\n");
        }
        symlink("rules/list", laptop.root("second")).unwrap();
        symlink(&target, laptop.root(".mirrorignore")).unwrap();
        laptop.writes("secret.md", "secret");
        laptop.writes("new.md", "new");

        let report = laptop.syncs().await;
        assert_eq!(failed(&report), [""; 0], "{target}");
        assert_eq!(world.text("secret.md"), None, "{target}");
        assert_eq!(world.text("new.md").as_deref(), Some("new"), "{target}");

        world.plant("secret-outside.md", "secret");
        laptop.syncs().await;
        assert_eq!(laptop.reads("secret-outside.md"), None, "{target}");
        if target.starts_with('/') {
            continue;
        }
        let desktop = world.machine("desktop").await;
        desktop.writes("secret-there.md", "secret");
        desktop.syncs().await;
        assert_eq!(world.text("secret-there.md"), None, "{target}");
        assert!(desktop.root(".mirrorignore").is_symlink());
    }
}

#[tokio::test]
async fn what_the_link_leads_to_is_mirrored_whatever_the_patterns() {
    let world = World::new().await;
    let mut laptop = world.machine("laptop").await;
    laptop.narrowing = Some(Patterns::default());
    laptop.open().await.unwrap();
    laptop.writes("rules.txt", "secret*\n");
    symlink("rules.txt", laptop.root(".mirrorignore")).unwrap();
    laptop.pushes().await;
    assert_eq!(world.text("rules.txt").as_deref(), Some("secret*\n"));
}

#[tokio::test]
async fn kept_file_is_added_to_the_rules_that_the_link_leads_to() {
    let (world, laptop) = story().await;
    laptop.writes("rules", "*.log\n");
    symlink("rules", laptop.root(".mirrorignore")).unwrap();
    laptop.pushes().await;
    let scope = Scope { names: vec!["a.md".to_owned()] };
    laptop.runs(Job::Delete { scope, keep_local: true, message: None }).await.unwrap();
    assert_eq!(laptop.reads("rules").as_deref(), Some("*.log\n/a.md\n"));
    assert_eq!(world.text("rules").as_deref(), Some("*.log\n/a.md\n"));
    assert!(laptop.root(".mirrorignore").is_symlink());
}

#[tokio::test]
async fn unreadable_rules_keep_new_files_here() {
    let (world, laptop) = story().await;
    laptop.writes(".mirrorignore", "secret*\n");
    let closed = fs::Permissions::from_mode(0o000);
    fs::set_permissions(laptop.root(".mirrorignore"), closed).unwrap();
    laptop.writes("secret.md", "secret");
    // Root reads it all the same, and then its rules hold.
    laptop.syncs().await;
    assert_eq!(world.text("secret.md"), None);
}

#[tokio::test]
async fn files_that_are_not_taken_are_counted() {
    let (_world, laptop) = story().await;
    symlink("/etc/hosts", laptop.root("out.md")).unwrap();
    laptop.writes("back\\slash.md", "x");
    assert_eq!(laptop.pushes().await.skipped_count, 2);
    assert_eq!(laptop.pulls().await.skipped_count, 2);
    assert_eq!(laptop.syncs().await.skipped_count, 2);
}
