//! Checkpoints (L8): a cache that may be trusted only when it is vouched for.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use mirror_core::commit::checkpoint_name;

use super::*;

fn checkpoint_path() -> String {
    format!("_mirror/{}", checkpoint_name(128))
}

/// 140 commits, of which one after the 128th vouches for the checkpoint.
async fn story() -> (World, Machine) {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("first.md", "first");
    laptop.pushes().await;
    while world.head() < 127 {
        let mut commit = world.draft();
        commit.message = Some("quiet".to_owned());
        world.append(&commit);
    }
    for number in 128..=140 {
        laptop.writes("a.md", format!("version {number}"));
        laptop.pushes().await;
    }
    (world, laptop)
}

/// Opens the project on a new machine and gives the entries that it read.
async fn clone_of(world: &World) -> (Machine, BTreeSet<String>) {
    let mut clone = Machine::new(world, "clone");
    clone.open().await.unwrap();
    let reads = clone.backend.ended().into_iter().filter(|call| call.verb == "read");
    let entries =
        reads.map(|call| call.path).filter(|path| path.starts_with("_mirror/log/")).collect();
    clone.pulls().await;
    (clone, entries)
}

async fn check_same(clone: &Machine, laptop: &Machine) {
    assert_eq!(clone.files(), laptop.files());
    assert_eq!(clone.unsettled().await, []);
    assert_eq!(clone.log().await, laptop.log().await);
}

#[tokio::test]
async fn clone_starts_from_a_vouched_checkpoint() {
    let (world, laptop) = story().await;
    assert!(world.content(&checkpoint_path()).is_some());
    let vouching = (129..=140).find(|seq| world.commit(*seq).checkpoint.is_some());
    assert_eq!(vouching, Some(129));

    let (clone, read) = clone_of(&world).await;

    assert!(read.len() <= 20, "{read:?}");
    check_same(&clone, &laptop).await;
}

#[tokio::test]
async fn history_from_a_checkpoint_goes_on_like_any_other() {
    let (world, laptop) = story().await;
    let (clone, _) = clone_of(&world).await;
    clone.removes("first.md");
    clone.writes("a.md", "from the clone");
    converge(&clone, &laptop).await;
    assert_eq!(laptop.reads("a.md").as_deref(), Some("from the clone"));
    assert_eq!(laptop.reads("first.md"), None);
}

/// Changes the checkpoint's JSON; nobody vouches for the outcome.
fn rewrite(world: &World, from: &str, to: &str) {
    let mut json = String::new();
    let packed = world.content(&checkpoint_path()).unwrap();
    GzDecoder::new(packed.as_ref()).read_to_string(&mut json).unwrap();
    assert!(json.contains(from));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(json.replace(from, to).as_bytes()).unwrap();
    world.plant(&checkpoint_path(), encoder.finish().unwrap());
}

async fn check_not_used(world: &World, laptop: &Machine) {
    let (clone, read) = clone_of(world).await;
    assert!(read.len() as u64 >= world.head(), "{} entries were read", read.len());
    check_same(&clone, laptop).await;
}

#[tokio::test]
async fn lying_checkpoint_is_not_used() {
    let (world, laptop) = story().await;
    rewrite(&world, "first.md", "other.md");
    check_not_used(&world, &laptop).await;
}

#[tokio::test]
async fn damaged_checkpoint_is_not_used() {
    for damage in [0, 5, 40] {
        let (world, laptop) = story().await;
        let mut bytes = world.content(&checkpoint_path()).unwrap().to_vec();
        bytes.truncate(bytes.len() * damage / 50);
        world.plant(&checkpoint_path(), bytes);
        check_not_used(&world, &laptop).await;
    }
}

#[tokio::test]
async fn checkpoint_that_nobody_vouches_for_is_not_used() {
    let (world, _laptop) = story().await;
    let bytes = world.content(&checkpoint_path()).unwrap();
    for seq in 129..=140 {
        world.lose(&entry_path(seq));
    }
    world.plant(&checkpoint_path(), bytes);
    let (_, read) = clone_of(&world).await;
    assert!(read.len() >= 128, "{} entries were read", read.len());
}

#[tokio::test]
async fn checkpoint_of_a_commit_that_was_replaced_is_not_used() {
    let (world, laptop) = story().await;
    let mut other = world.commit(128);
    other.message = Some("replaced".to_owned());
    world.append(&other);
    let (_, read) = clone_of(&world).await;
    assert!(read.len() >= 128, "{} entries were read", read.len());
    laptop.tries_sync().await.unwrap();
}

#[tokio::test]
async fn machine_that_starts_again_reads_no_old_entry_twice() {
    let (_world, mut laptop) = story().await;
    laptop.backend.begin_story(None);
    laptop.open().await.unwrap();
    let calls = laptop.backend.ended();
    assert!(calls.len() <= 5, "{calls:?}");
}

#[tokio::test]
async fn checkpoint_made_before_a_restart_is_vouched_for_after_it() {
    let world = World::new().await;
    let mut laptop = world.machine("laptop").await;
    while world.head() < 127 {
        world.append(&world.draft());
    }
    laptop.writes("a.md", "made at 128");
    laptop.pushes().await;
    assert!(world.content(&checkpoint_path()).is_some());
    laptop.open().await.unwrap();
    laptop.writes("a.md", "after the restart");
    laptop.pushes().await;

    assert_eq!(world.commit(129).checkpoint.map(|checkpoint| checkpoint.seq), Some(128));
    let (clone, read) = clone_of(&world).await;
    assert!(read.len() <= 5, "{read:?}");
    check_same(&clone, &laptop).await;
}

#[tokio::test]
async fn log_that_outgrows_its_files_has_a_checkpoint_sooner() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    for number in 0..6 {
        laptop.writes("a.md", number.to_string());
        let message = Some("a long story ".repeat(100_000));
        let (scope, force_local, no_wait) = (Scope::default(), false, false);
        laptop.runs(Job::Push { scope, message, force_local, no_wait }).await.unwrap();
    }
    let made: Vec<u64> = (1..=world.head())
        .filter(|seq| world.content(&format!("_mirror/{}", checkpoint_name(*seq))).is_some())
        .collect();
    assert_eq!(made, [5], "each entry has 1.3 MB");
    assert_eq!(world.commit(6).checkpoint.map(|vouched| vouched.seq), Some(5));

    let (clone, read) = clone_of(&world).await;

    assert!(!read.contains("_mirror/log/0000000/0000000003.json"), "{read:?}");
    check_same(&clone, &laptop).await;
}
