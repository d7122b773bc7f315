//! The times of files in the view: what they prove of an edit, and what not.

use std::time::{SystemTime, UNIX_EPOCH};

use super::outside_edits::*;
use super::*;

/// So long after 1970 by the service, which counts a second for each change.
fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Puts a file there that has this time, whenever it was put there.
async fn plants_dated(world: &World, path: &str, content: &'static str, time: SystemTime) {
    let path = RemotePath::new(path).unwrap();
    world.files.dated(time).write(&path, content.into(), Expect::Anything).await.unwrap();
}

/// Two machines on a service that tells versions apart by size and second.
async fn agreed_by_time() -> (World, Machine, Machine) {
    let (world, laptop, desktop) = agreed(MemoryProfile::RENAME).await;
    for machine in [&laptop, &desktop] {
        machine.backend.tell_little();
    }
    (world, laptop, desktop)
}

#[tokio::test]
async fn edit_of_the_same_second_and_size_is_found_beside_a_file_of_the_future() {
    let (world, laptop, _desktop) = agreed_by_time().await;
    plants_dated(&world, "b.md", FIFTH, at(9_000_000)).await;
    plants_dated(&world, "a.md", FIFTH, at(5_000_000)).await;
    laptop.syncs().await;
    laptop.syncs().await;

    plants_dated(&world, "a.md", FIRST, at(5_000_000)).await;
    laptop.syncs().await;

    assert_eq!(FIRST.len(), FIFTH.len());
    assert_eq!(laptop.reads("a.md").as_deref(), Some(FIRST));
}

#[tokio::test]
async fn file_of_a_time_that_is_past_is_not_read_again() {
    let (world, laptop, _desktop) = agreed_by_time().await;
    plants_dated(&world, "a.md", FIFTH, at(1)).await;
    laptop.syncs().await;
    laptop.syncs().await;
    laptop.backend.begin_story(None);

    laptop.syncs().await;

    let reads = laptop.backend.ended().into_iter();
    let reads: Vec<_> = reads.filter(|call| call.verb == "read" && call.path == "a.md").collect();
    assert_eq!(reads, []);
}

#[tokio::test]
async fn aside_of_another_machine_is_not_old_beside_a_file_of_the_future() {
    let (world, laptop, _desktop) = agreed(MemoryProfile::RENAME).await;
    let aside = format!("_mirror/aside/{}/{}/new.md", world.outside.ulid(), world.outside.ulid());
    world.plant(&aside, "put there by a person");
    plants_dated(&world, "b.md", FIFTH, at(1_790_000_000 + 30 * 24 * 3_600)).await;

    laptop.syncs().await;

    assert_eq!(world.names("_mirror/aside"), [aside].into());
}

/// Writes more of a file while the look at it waits.
fn goes_on(world: &World, path: &'static str, content: &'static str) {
    let files = world.files.clone();
    world.clock.meanwhile(async move {
        let path = RemotePath::new(path).unwrap();
        files.write(&path, content.into(), Expect::Anything).await.unwrap();
    });
}

#[tokio::test]
async fn upload_under_way_is_not_taken_over_half_written() {
    for profile in [MemoryProfile::RENAME, MemoryProfile::TORN] {
        for path in ["a.md", "new.md"] {
            let (world, laptop, desktop) = agreed(profile).await;
            let before = world.times_committed(path);
            world.plant(path, format!("{FIVE}six and a ha"));
            goes_on(&world, path, "one\ntwo\nthree\nfour\nfive\nsix and a half\n, and ");

            let report = laptop.syncs().await;

            assert_eq!(world.times_committed(path), before, "{profile:?}");
            let kinds: Vec<_> = report.notices.iter().map(|notice| notice.kind).collect();
            assert_eq!(kinds, [NoticeKind::ViewUnsettled]);
            let whole = format!("{FIVE}six and a half\n, and seven\n");
            world.plant(path, whole.clone());
            laptop.project().poll().await.unwrap();
            assert_eq!(world.times_committed(path).len(), before.len() + 1);
            check_quiet(&world, [&laptop, &desktop], path).await;
            assert_eq!(laptop.reads(path), Some(whole));
        }
    }
}

#[tokio::test]
async fn edit_of_a_while_ago_is_taken_over_without_a_wait() {
    let (world, laptop, _desktop) = agreed(MemoryProfile::RENAME).await;
    plants_dated(&world, "a.md", FIRST, at(1)).await;
    let before = world.outside.clock.now();

    laptop.syncs().await;

    assert_eq!(laptop.reads("a.md").as_deref(), Some(FIRST));
    assert_eq!(world.outside.clock.now(), before);
}

/// The laptop shows a new version where others stood, of which one was empty.
async fn shows_after(versions: &[&str]) -> (World, Machine, Machine) {
    let (world, laptop, desktop) = agreed(MemoryProfile::RENAME).await;
    for version in versions {
        laptop.writes("a.md", version);
        laptop.syncs().await;
    }
    check_quiet(&world, [&laptop, &desktop], "").await;
    laptop.writes("a.md", BOTH);
    (world, laptop, desktop)
}

/// A program opens the file of the view and empties it, then writes into it,
/// while a new version takes its place.
#[tokio::test]
async fn upload_that_begins_as_its_file_is_moved_aside_is_not_lost() {
    for versions in [["", FIFTH], [FIFTH, ""]] {
        let (world, laptop, _desktop) = shows_after(&versions).await;
        let files = world.files.clone();
        laptop.backend.before(|verb, path| verb == "rename" && path == "a.md", async move {
            let path = RemotePath::new("a.md").unwrap();
            files.write(&path, "".into(), Expect::Anything).await.unwrap();
        });
        laptop.pushes().await;
        let asides = world.names("_mirror/aside");
        assert_eq!(asides.len(), 1, "its writer has it open still");

        world.plant(asides.first().unwrap(), FIRST);
        laptop.syncs().await;

        let in_log =
            world.times_committed("a.md").contains_key(&Some(Digest::of(FIRST.as_bytes())));
        let waits = !laptop.project().conflicts().await.unwrap().is_empty();
        assert!(in_log || waits, "{versions:?}");
    }
}

#[tokio::test]
async fn empty_file_makes_way_without_a_word_and_leaves_nothing_behind() {
    let (world, laptop, desktop) = shows_after(&[""]).await;

    let report = laptop.syncs().await;

    assert_eq!(report.notices, []);
    assert_eq!(world.text("a.md").as_deref(), Some(BOTH));
    check_quiet(&world, [&laptop, &desktop], "").await;
}
