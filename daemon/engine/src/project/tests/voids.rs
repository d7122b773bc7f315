//! Entries that change nothing (L6): skipped by all, named by `log`, and
//! pushed on above.

use mirror_core::commit::Change;
use mirror_core::{Entry, Kind};

use super::*;

fn file(content: &[u8]) -> Entry {
    Entry {
        kind: Kind::File,
        sha256: Digest::of(content),
        size: content.len() as u64,
        exec: false,
        private: false,
        mtime: None,
        chunks: None,
    }
}

fn change(path: &str, to: Option<Entry>) -> Change {
    Change { path: rel(path), from: None, to, renamed_from: None }
}

/// Plants an entry above a good one; it changes nothing for anyone.
async fn check_void(reason: &str, plant: fn(&World)) {
    let world = World::new().await;
    let mut laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    laptop.writes("a.md", "milk");
    converge(&laptop, &desktop).await;
    assert_eq!(world.head(), 2);
    plant(&world);
    assert_eq!(world.head(), 3);

    laptop.writes("a.md", "bread");
    let report = laptop.pushes().await;

    assert_eq!(report.commit.map(|(seq, _)| seq), Some(4), "{reason}");
    converge(&laptop, &desktop).await;
    assert_eq!(desktop.files(), [("a.md".to_owned(), b"bread".to_vec())].into(), "{reason}");
    let clone = world.machine("clone").await;
    clone.pulls().await;
    assert_eq!(clone.files(), laptop.files(), "{reason}");
    // Also after the next start, from this machine's own copy.
    laptop.open().await.unwrap();
    for machine in [&laptop, &desktop, &clone] {
        let log = machine.log().await;
        let voids: Vec<_> =
            log.iter().filter_map(|commit| Some((commit.seq, commit.void.clone()?))).collect();
        let [(3, told)] = &voids[..] else { panic!("{reason}: {voids:?}") };
        assert!(told.contains(reason), "{reason}: {told}");
    }
}

#[tokio::test]
async fn entry_that_can_not_be_read_is_void() {
    check_void("cannot be read", |world| world.plant(&entry_path(3), "{\"format\":1,")).await;
}

#[tokio::test]
async fn entry_that_is_too_large_or_too_deep_is_void() {
    let large = |world: &World| world.plant(&entry_path(3), vec![b' '; (64 << 20) + 1]);
    check_void("more than an entry may have", large).await;
    let deep = |world: &World| world.plant(&entry_path(3), "[".repeat(33) + &"]".repeat(33));
    check_void("nest", deep).await;
}

#[tokio::test]
async fn entry_that_is_empty_is_void() {
    check_void("cannot be read", |world| world.plant(&entry_path(3), "")).await;
}

#[tokio::test]
async fn entry_with_another_parent_is_void_while_our_head_stands() {
    check_void("does not follow", |world| {
        let mut commit = world.draft();
        commit.parent = Some(Digest::of(b"elsewhere"));
        commit.changes = vec![Change { from: Some(Digest::of(b"milk")), ..change("a.md", None) }];
        world.append(&commit);
    })
    .await;
}

#[tokio::test]
async fn entry_with_a_hostile_path_is_void() {
    check_void("cannot be read", |world| {
        let mut commit = world.draft();
        commit.changes = vec![change("hostile", Some(file(b"milk")))];
        let text = String::from_utf8(commit.to_bytes()).unwrap();
        world.plant(&entry_path(3), text.replace("hostile", "../outside.md"));
    })
    .await;
    check_void("cannot be read", |world| {
        let mut commit = world.draft();
        commit.changes = vec![change("hostile", Some(file(b"milk")))];
        let text = String::from_utf8(commit.to_bytes()).unwrap();
        world.plant(&entry_path(3), text.replace("hostile", ".git/hooks/post-commit"));
    })
    .await;
}

#[tokio::test]
async fn entry_whose_content_no_pack_holds_is_void() {
    check_void("no pack holds it", |world| {
        let mut commit = world.draft();
        commit.changes = vec![change("b.md", Some(file(b"nowhere")))];
        world.append(&commit);
    })
    .await;
}

#[tokio::test]
async fn entry_that_replaces_another_version_is_void() {
    check_void("does not replace the version at the head", |world| {
        let mut commit = world.draft();
        commit.changes = vec![change("a.md", Some(file(b"milk")))];
        world.append(&commit);
    })
    .await;
}

#[tokio::test]
async fn void_entry_is_still_named_after_a_checkpoint() {
    let world = World::new().await;
    let mut laptop = world.machine("laptop").await;
    let mut commit = world.draft();
    commit.changes = vec![change("b.md", Some(file(b"nowhere")))];
    world.append(&commit);
    while world.head() < 127 {
        world.append(&world.draft());
    }
    for number in 128..=129 {
        laptop.writes("a.md", format!("{number}"));
        laptop.pushes().await;
    }
    laptop.open().await.unwrap();
    let clone = world.machine("clone").await;

    let (log, cloned) = (laptop.log().await, clone.log().await);

    assert!(log[1].void.as_ref().is_some_and(|void| void.contains("no pack holds it")));
    assert!(cloned[1].void.is_some(), "{:?}", cloned[1]);
    let voids = |log: &[CommitSummary]| log.iter().filter(|commit| commit.void.is_some()).count();
    assert_eq!((voids(&log), voids(&cloned)), (1, 1));
}
