//! Every kind of file and of change, across two machines.

use std::os::unix::fs::{PermissionsExt, symlink};

use mirror_core::commit::{Change, Method, Pack, PackedContent, pack_name};
use mirror_core::{Entry, Kind, Ulid};

use super::*;

async fn pair() -> (World, Machine, Machine) {
    let world = World::on(MemoryProfile::RENAME).await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    (world, laptop, desktop)
}

#[tokio::test]
async fn empty_project_is_in_step_on_every_machine() {
    let (world, laptop, desktop) = pair().await;
    converge(&laptop, &desktop).await;
    assert_eq!(world.head(), 1);
    assert!(world.names("").is_empty());
}

#[tokio::test]
async fn empty_file_travels() {
    let (world, laptop, desktop) = pair().await;
    laptop.writes("empty.md", "");
    converge(&laptop, &desktop).await;
    assert_eq!(desktop.reads("empty.md").as_deref(), Some(""));
    assert_eq!(world.text("empty.md").as_deref(), Some(""));
    laptop.writes("empty.md", "no more");
    desktop.pulls().await;
    converge(&laptop, &desktop).await;
    desktop.writes("empty.md", "");
    converge(&desktop, &laptop).await;
    assert_eq!(laptop.reads("empty.md").as_deref(), Some(""));
}

#[tokio::test]
async fn link_that_may_not_stand_here_is_said_once_and_fails_no_later_job() {
    let (world, laptop, desktop) = pair().await;
    let target = b"../../outside";
    let content = PackedContent {
        sha256: Digest::of(target),
        offset: 0,
        stored_size: target.len() as u64,
        size: target.len() as u64,
        method: Method::Stored,
    };
    let pack = Pack {
        name: Ulid::from_parts(1, 7),
        sha256: Digest::of(target),
        size: target.len() as u64,
        header: None,
        contents: vec![content],
    };
    world.plant(&format!("_mirror/{}", pack_name(pack.name)), target.to_vec());
    let to = Entry {
        kind: Kind::Link,
        sha256: content.sha256,
        size: content.size,
        exec: false,
        private: false,
        mtime: None,
        chunks: None,
    };
    let mut commit = world.draft();
    commit.packs = vec![pack];
    commit.changes =
        vec![Change { path: rel("out.md"), from: None, to: Some(to), renamed_from: None }];
    world.append(&commit);
    laptop.writes("a.md", "milk");
    let kinds = |report: &Report| -> Vec<NoticeKind> {
        report.notices.iter().map(|notice| notice.kind).collect()
    };

    let first = laptop.syncs().await;

    assert_eq!((failed(&first), kinds(&first)), (vec![], vec![NoticeKind::LinkLeftOut]));
    for _ in 0..3 {
        let next = laptop.syncs().await;
        assert_eq!((failed(&next), kinds(&next)), (vec![], vec![]));
    }
    let status = laptop.project().status(false).await.unwrap();
    let skipped = Skipped { path: "out.md".to_owned(), reason: SkipReason::SymlinkOutside };
    assert_eq!(status.skipped, [skipped]);
    desktop.syncs().await;
    assert_eq!(desktop.reads("a.md").as_deref(), Some("milk"), "the rest goes on");
}

#[tokio::test]
async fn link_travels_as_a_link_and_stays_out_of_the_view() {
    let (world, laptop, desktop) = pair().await;
    laptop.writes("notes/a.md", "milk");
    symlink("notes/a.md", laptop.root("link.md")).unwrap();
    converge(&laptop, &desktop).await;
    let target = fs::read_link(desktop.root("link.md")).unwrap();
    assert_eq!(target.to_str(), Some("notes/a.md"));
    assert_eq!(world.names(""), ["notes/a.md".to_owned()].into());

    // It becomes a file, and a link again.
    desktop.removes("link.md");
    desktop.writes("link.md", "a file now");
    converge(&desktop, &laptop).await;
    assert!(fs::symlink_metadata(laptop.root("link.md")).unwrap().is_file());
    assert_eq!(world.text("link.md").as_deref(), Some("a file now"));
    laptop.removes("link.md");
    symlink("notes/a.md", laptop.root("link.md")).unwrap();
    converge(&laptop, &desktop).await;
    assert!(fs::symlink_metadata(desktop.root("link.md")).unwrap().is_symlink());
    assert_eq!(world.text("link.md"), None);
}

#[tokio::test]
async fn link_out_of_the_project_is_never_followed() {
    let (world, laptop, desktop) = pair().await;
    fs::write(laptop.home.path().join("secret"), "secret").unwrap();
    symlink("../secret", laptop.root("out.md")).unwrap();
    laptop.writes("a.md", "milk");
    converge_all_but(&laptop, &desktop, "out.md").await;
    assert_eq!(desktop.files().len(), 1);
    assert_eq!(world.names(""), ["a.md".to_owned()].into());
    let status = laptop.project().status(false).await.unwrap();
    assert_eq!(status.skipped.len(), 1);
}

async fn converge_all_but(one: &Machine, other: &Machine, skipped: &str) {
    one.syncs().await;
    other.syncs().await;
    let mut files = one.files();
    files.remove(skipped);
    assert_eq!(files, other.files());
}

#[tokio::test]
async fn executable_bit_travels_alone() {
    let (world, laptop, desktop) = pair().await;
    laptop.writes("run.sh", "echo");
    converge(&laptop, &desktop).await;
    let mode = |machine: &Machine| {
        fs::metadata(machine.root("run.sh")).unwrap().permissions().mode() & 0o111
    };
    fs::set_permissions(laptop.root("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    converge(&laptop, &desktop).await;
    assert_ne!(mode(&desktop), 0);
    assert!(world.commit(3).packs.is_empty(), "the content is there already");
    fs::set_permissions(desktop.root("run.sh"), fs::Permissions::from_mode(0o644)).unwrap();
    converge(&desktop, &laptop).await;
    assert_eq!(mode(&laptop), 0);
}

#[tokio::test]
async fn rename_in_case_only_travels_and_leaves_one_file() {
    let (world, laptop, desktop) = pair().await;
    laptop.writes("a.md", "milk");
    converge(&laptop, &desktop).await;
    fs::rename(laptop.root("a.md"), laptop.root("A.md")).unwrap();

    let report = laptop.pushes().await;

    assert_eq!(report.conflicts, []);
    desktop.pulls().await;
    assert_eq!(desktop.files(), [("A.md".to_owned(), b"milk".to_vec())].into());
    converge(&laptop, &desktop).await;
    assert_eq!(world.head(), 3);
    assert_eq!(world.names(""), ["A.md".to_owned()].into());
}

#[tokio::test]
async fn rename_is_one_commit_that_uploads_nothing() {
    let (world, laptop, desktop) = pair().await;
    laptop.writes("a.md", "milk and more");
    converge(&laptop, &desktop).await;
    fs::create_dir(laptop.root("deep")).unwrap();
    fs::rename(laptop.root("a.md"), laptop.root("deep/b.md")).unwrap();
    let request = JobRequest { job: push_of(&[]), dry_run: true, consent: false };
    let (events, _unheard) = mpsc::channel(64);
    let planned = laptop.project().run(request, events, Cancel::new()).await.unwrap();
    let report = laptop.pushes().await;
    // One file, and not a deletion beside it.
    for report in [planned, report] {
        let told: Vec<_> = report.files.iter().map(|one| (one.path.as_str(), one.action)).collect();
        assert_eq!(told, [("deep/b.md", FileAction::Renamed)]);
    }
    assert!(world.commit(3).packs.is_empty());
    converge(&laptop, &desktop).await;
    assert_eq!(desktop.files().len(), 1);
}

#[tokio::test]
async fn file_that_becomes_a_folder_and_back_travels() {
    let (world, laptop, desktop) = pair().await;
    laptop.writes("notes", "a file");
    converge(&laptop, &desktop).await;
    laptop.removes("notes");
    laptop.writes("notes/a.md", "in a folder");
    let report = laptop.pushes().await;
    assert!(!report.view_pending, "{report:?}");
    converge(&laptop, &desktop).await;
    assert_eq!(desktop.reads("notes/a.md").as_deref(), Some("in a folder"));
    assert_eq!(world.names(""), ["notes/a.md".to_owned()].into());

    fs::remove_dir_all(desktop.root("notes")).unwrap();
    desktop.writes("notes", "a file again");
    let report = desktop.pushes().await;
    assert!(!report.view_pending, "{report:?}");
    converge(&desktop, &laptop).await;
    assert_eq!(laptop.reads("notes").as_deref(), Some("a file again"));
    assert_eq!(world.names(""), ["notes".to_owned()].into());
}

#[tokio::test]
async fn folder_with_an_edit_in_it_does_not_give_way_to_a_file() {
    let (_world, laptop, desktop) = pair().await;
    laptop.writes("notes/a.md", "old");
    converge(&laptop, &desktop).await;
    fs::remove_dir_all(laptop.root("notes")).unwrap();
    laptop.writes("notes", "a file");
    laptop.pushes().await;
    desktop.writes("notes/a.md", "edited here");
    let report = desktop.pulls().await;
    assert_eq!(desktop.reads("notes/a.md").as_deref(), Some("edited here"));
    assert!(!(report.failed.is_empty() && report.conflicts.is_empty()), "it is told");
}

#[tokio::test]
async fn every_allowed_name_comes_back_unchanged() {
    let (world, laptop, desktop) = pair().await;
    let names =
        ["ü.md", "a b/c d.md", "日本語/メモ.md", "-rf", "%41?.md", "emoji 🥛.md", "a&b;c.md"];
    for (number, name) in names.iter().enumerate() {
        laptop.writes(name, [u8::try_from(number).unwrap(), 0, 255]);
    }
    converge(&laptop, &desktop).await;
    assert_eq!(desktop.files().len(), names.len());
    assert_eq!(world.names("").len(), names.len());
}
