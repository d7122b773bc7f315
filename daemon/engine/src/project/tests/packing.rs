//! How contents become packs: bounded, streamed, and never half of an edit.

use super::meddling_tree::Step;
use super::*;

const MIB: usize = 1 << 20;

/// Bytes that no compression shrinks, the same for each seed.
fn noise(mut seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&(seed ^ (seed >> 29)).to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// The calls of a push up to its commit's.
fn calls_until(machine: &Machine, seq: u64) -> usize {
    let calls = machine.backend.ended();
    let is_commit = |call: &faulty::Call| call.verb == "write" && call.path == entry_path(seq);
    calls.iter().position(is_commit).unwrap() + 1
}

#[tokio::test]
async fn large_file_goes_through_a_pack_of_its_own() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    let large = noise(1, 70 * MIB);
    laptop.writes("large.bin", &large);
    laptop.writes("small.md", "milk");
    laptop.backend.begin_story(None);

    laptop.pushes().await;

    let packs = world.commit(2).packs;
    let sizes: Vec<usize> = packs.iter().map(|pack| pack.contents.len()).collect();
    assert_eq!(sizes, [1, 1]);
    assert_eq!(calls_until(&laptop, 2), 5);
    desktop.pulls().await;
    assert!(fs::read(desktop.root("large.bin")).unwrap() == large, "byte for byte");
    assert_eq!(desktop.unsettled().await, []);
}

#[tokio::test]
async fn further_pack_costs_one_more_call() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    for number in 0..10_u8 {
        laptop.writes(&format!("{number}.bin"), noise(u64::from(number), 4 * MIB));
    }
    laptop.backend.begin_story(None);

    laptop.pushes().await;

    let packs = world.commit(2).packs;
    assert_eq!(packs.iter().map(|pack| pack.contents.len()).collect::<Vec<_>>(), [8, 2]);
    assert_eq!(calls_until(&laptop, 2), 5);
    desktop.pulls().await;
    assert!(desktop.files() == laptop.files());
}

#[tokio::test]
async fn content_that_the_log_knows_is_not_packed_again() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "same");
    laptop.writes("b.md", "same");
    laptop.pushes().await;
    assert_eq!(world.commit(2).packs[0].contents.len(), 1);
    laptop.writes("c.md", "same");
    laptop.pushes().await;
    assert_eq!(world.commit(3).packs, []);
}

#[tokio::test]
async fn file_that_never_stands_still_is_named_and_the_rest_is_committed() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("busy.log", "0");
    laptop.writes("a.md", "milk");
    let busy = laptop.root("busy.log");
    let mut number = 0;
    laptop.tree.haunt(move |step, path| {
        if step == Step::Open && path.as_str() == "busy.log" {
            number += 1;
            fs::write(&busy, format!("{number}")).unwrap();
        }
    });

    let report = laptop.pushes().await;

    assert_eq!(failed(&report), ["busy.log"]);
    let changed: Vec<_> = world.commit(2).changes.into_iter().map(|change| change.path).collect();
    assert_eq!(changed, [rel("a.md")]);
    laptop.tree.haunt(|_, _| {});
    assert_eq!(laptop.pushes().await.commit.map(|(seq, _)| seq), Some(3));
}

/// Lets something happen to a file once, when it is opened to be packed.
fn when_packed(machine: &Machine, name: &'static str, act: fn(PathBuf)) {
    let file = machine.root(name);
    let mut opened = 0;
    machine.tree.haunt(move |step, path| {
        if step == Step::Open && path.as_str() == name {
            opened += 1;
            if opened == 2 {
                act(file.clone());
            }
        }
    });
}

#[tokio::test]
async fn file_saved_once_while_it_is_packed_is_committed_as_saved() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "milk");
    laptop.writes("b.md", "tea");
    when_packed(&laptop, "a.md", |file| fs::write(file, "bread").unwrap());

    let report = laptop.pushes().await;

    assert_eq!(failed(&report), [""; 0]);
    assert_eq!(world.head(), 2);
    let desktop = world.machine("desktop").await;
    desktop.pulls().await;
    assert_eq!(desktop.reads("a.md").as_deref(), Some("bread"));
    assert_eq!(desktop.files(), laptop.files());
}

#[tokio::test]
async fn file_that_vanishes_while_it_is_packed_does_not_hold_up_the_rest() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "milk");
    laptop.writes("b.md", "tea");
    when_packed(&laptop, "a.md", |file| fs::remove_file(file).unwrap());
    laptop.pushes().await;
    let changed: Vec<_> = world.commit(2).changes.into_iter().map(|change| change.path).collect();
    assert_eq!(changed, [rel("b.md")]);
}
