//! What is damaged on the backend is not known (P8).

use mirror_core::commit::{Action, Change, Method, Pack, PackedContent, pack_name};
use mirror_core::{Chunk, Entry, Kind, Timestamp, Ulid};
use mirror_storage::FaultClass;

use super::*;
use crate::view::machines::{DamagedContent, MachineFile};

fn place_of(world: &World, content: &[u8]) -> (String, u64) {
    let packs = (1..=world.head()).rev().flat_map(|seq| world.commit(seq).packs);
    let mut placed = packs.flat_map(|pack| {
        pack.contents.into_iter().map(move |packed| (pack.name, packed.sha256, packed.offset))
    });
    let (name, _, offset) =
        placed.find(|(_, sha256, _)| *sha256 == Digest::of(content)).expect("it is in a pack");
    (format!("_mirror/{}", pack_name(name)), offset)
}

/// Damages a content where it was given last.
fn rot(world: &World, content: &[u8]) {
    let (pack, offset) = place_of(world, content);
    let mut bytes = world.content(&pack).unwrap().to_vec();
    bytes[usize::try_from(offset).unwrap()] ^= 1;
    world.plant(&pack, bytes);
}

fn times_given(world: &World, content: &[u8]) -> usize {
    let packs = (1..=world.head()).flat_map(|seq| world.commit(seq).packs);
    let contents = packs.flat_map(|pack| pack.contents);
    contents.filter(|packed| packed.sha256 == Digest::of(content)).count()
}

fn pack_reads(machine: &Machine) -> usize {
    let calls = machine.backend.ended();
    let is_read =
        |call: &&faulty::Call| call.verb == "read" && call.path.starts_with("_mirror/packs");
    calls.iter().filter(is_read).count()
}

#[tokio::test]
async fn damaged_content_is_given_again_by_the_next_push_of_it() {
    for damage in
        [rot as fn(&World, &[u8]), |world, content| world.lose(&place_of(world, content).0)]
    {
        let world = World::new().await;
        let laptop = world.machine("laptop").await;
        laptop.writes("a.md", "precious");
        laptop.pushes().await;
        damage(&world, b"precious");

        laptop.writes("copy.md", "precious");
        laptop.pushes().await;

        world.lose("a.md");
        world.lose("copy.md");
        let desktop = world.machine("desktop").await;
        assert_eq!(failed(&desktop.pulls().await), [""; 0]);
        assert_eq!(desktop.files(), laptop.files());
        assert_eq!(times_given(&world, b"precious"), 2);
    }
}

#[tokio::test]
async fn whole_content_is_named_and_not_given_again() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "precious");
    laptop.pushes().await;
    laptop.writes("copy.md", "precious");
    laptop.pushes().await;
    laptop.removes("a.md");
    laptop.pushes().await;
    assert_eq!(times_given(&world, b"precious"), 1);
}

#[tokio::test]
async fn damage_that_one_machine_finds_is_mended_by_another_unasked() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "precious");
    laptop.pushes().await;
    rot(&world, b"precious");
    world.lose("a.md");
    let desktop = world.machine("desktop").await;
    assert_eq!(failed(&desktop.pulls().await), ["a.md"]);
    desktop.project().poll().await.unwrap();

    let report = laptop.syncs().await;

    let kinds: Vec<NoticeKind> = report.notices.iter().map(|notice| notice.kind).collect();
    assert_eq!(kinds, [NoticeKind::ContentGivenAgain]);
    let commit = world.commit(world.head());
    assert_eq!((commit.action, commit.changes.len()), (Action::Repair, 0));
    world.lose("a.md");
    assert_eq!(failed(&desktop.pulls().await), [""; 0]);
    assert_eq!(desktop.files(), laptop.files());
    // Once is enough.
    let head = world.head();
    for machine in [&laptop, &desktop, &laptop] {
        machine.project().poll().await.unwrap();
        machine.syncs().await;
    }
    assert_eq!(world.head(), head);
}

#[tokio::test]
async fn plain_file_in_the_view_stands_in_for_a_damaged_pack_and_mends_it() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "precious");
    laptop.pushes().await;
    rot(&world, b"precious");

    let desktop = world.machine("desktop").await;
    assert_eq!(failed(&desktop.pulls().await), [""; 0]);
    assert_eq!(desktop.reads("a.md").as_deref(), Some("precious"));
    desktop.project().poll().await.unwrap();

    assert_eq!(times_given(&world, b"precious"), 2);
}

#[tokio::test]
async fn older_place_is_read_where_the_newest_is_damaged() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "precious");
    laptop.pushes().await;
    let (first, _) = place_of(&world, b"precious");
    let whole = world.content(&first).unwrap();
    rot(&world, b"precious");
    laptop.writes("copy.md", "precious");
    laptop.pushes().await;
    world.plant(&first, whole);
    rot(&world, b"precious");
    world.lose("a.md");
    world.lose("copy.md");

    let desktop = world.machine("desktop").await;

    assert_eq!(failed(&desktop.pulls().await), [""; 0]);
    assert_eq!(desktop.files(), laptop.files());
}

#[tokio::test]
async fn damaged_content_is_not_read_again_by_every_job() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "precious");
    laptop.pushes().await;
    rot(&world, b"precious");
    world.lose("a.md");
    let mut desktop = world.machine("desktop").await;
    assert_eq!(failed(&desktop.pulls().await), ["a.md"]);

    // Also after a restart.
    desktop.open().await.unwrap();
    desktop.backend.begin_story(None);
    let report = desktop.pulls().await;

    assert_eq!(failed(&report), ["a.md"], "it is still named");
    assert_eq!(pack_reads(&desktop), 0);
    world.advance(Duration::from_secs(90));
    desktop.pulls().await;
    assert_ne!(pack_reads(&desktop), 0, "and looked at again now and then");
}

/// A file of two chunks that are as they should be and give something else.
fn append_impossible(world: &World) {
    let parts: [&[u8]; 2] = [b"first part, ", b"second part"];
    let name = Ulid::from_parts(1, 7);
    let content = |offset: usize, part: &[u8]| PackedContent {
        sha256: Digest::of(part),
        offset: offset as u64,
        stored_size: part.len() as u64,
        size: part.len() as u64,
        method: Method::Stored,
    };
    let bytes = parts.concat();
    let contents = vec![content(0, parts[0]), content(parts[0].len(), parts[1])];
    let mut commit = world.draft();
    let (sha256, size) = (Digest::of(&bytes), bytes.len() as u64);
    commit.packs = vec![Pack { name, sha256, size, header: None, contents }];
    let chunk = |part: &[u8]| Chunk { sha256: Digest::of(part), size: part.len() as u64 };
    let to = Entry {
        kind: Kind::File,
        sha256: Digest::of(b"something else"),
        size,
        exec: false,
        private: false,
        mtime: None,
        chunks: Some(parts.map(chunk).to_vec()),
    };
    commit.changes =
        vec![Change { path: rel("big.bin"), from: None, to: Some(to), renamed_from: None }];
    world.plant(&format!("_mirror/{}", pack_name(name)), bytes);
    world.append(&commit);
}

#[tokio::test]
async fn content_that_cannot_be_right_is_not_put_together_by_every_job() {
    let world = World::new().await;
    append_impossible(&world);
    let mut laptop = world.machine("laptop").await;
    assert_eq!(failed(&laptop.pulls().await), ["big.bin"]);

    // With nothing of it left in the cache.
    laptop.loses_folder("cache");
    laptop.open().await.unwrap();
    laptop.backend.begin_story(None);

    assert_eq!(failed(&laptop.pulls().await), ["big.bin"]);
    assert_eq!(pack_reads(&laptop), 0);
}

/// What a machine tells the others that it found damaged.
fn told_damaged(world: &World, machine: &Machine) -> BTreeSet<Digest> {
    let name = format!("_mirror/machines/{}.json", machine.author.machine_id);
    let file: MachineFile = serde_json::from_slice(&world.content(&name).unwrap()).unwrap();
    file.damaged.iter().map(|damaged| damaged.sha256).collect()
}

#[tokio::test]
async fn fault_of_this_machines_own_disk_is_no_damage_of_the_backend() {
    let world = World::new().await;
    let (laptop, desktop) = (world.machine("laptop").await, world.machine("desktop").await);
    // Too large to be unpacked in memory.
    laptop.writes("big.bin", vec![7; 9 << 20]);
    laptop.pushes().await;
    world.lose("big.bin");
    // Where it goes from the pack, and where it is unpacked, which takes more room.
    for every in [1, 2] {
        desktop.room.breaks_every(every);
        let report = desktop.pulls().await;
        desktop.room.is_made();
        assert_eq!(failed(&report), ["big.bin"], "{every}");
        let fault = &report.failed[0];
        assert_eq!(fault.class, FaultClass::Internal, "{fault:?}");
    }
    assert_eq!(failed(&desktop.pulls().await), [""; 0]);
    assert_eq!(desktop.files(), laptop.files());
}

/// A pack of which the backend has next to nothing, with one content.
fn lost_pack(number: u128, size: u64) -> Pack {
    let sha256 = Digest::of(&number.to_be_bytes());
    let method = Method::Stored;
    let content = PackedContent { sha256, offset: 0, stored_size: size, size, method };
    Pack { name: Ulid(number), sha256, size, header: None, contents: vec![content] }
}

/// What another machine says it found damaged is looked at in full, however much it
/// is: what was not read yet is not taken for whole.
#[tokio::test]
async fn all_that_others_found_damaged_is_looked_at_in_the_end() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    // Each is more than is read at once, the last by itself.
    let packs = [lost_pack(1, 40 << 20), lost_pack(2, 41 << 20), lost_pack(3, 100 << 20)];
    let mut commit = world.draft();
    commit.packs = packs.to_vec();
    world.append(&commit);
    let damaged = packs.iter().map(|pack| {
        world.plant(&format!("_mirror/{}", pack_name(pack.name)), "cut off");
        DamagedContent { sha256: pack.contents[0].sha256, pack: pack.name, offset: 0 }
    });
    let expected: BTreeSet<Digest> = packs.iter().map(|pack| pack.contents[0].sha256).collect();
    let mut said = MachineFile::new("desktop".to_owned(), Timestamp(0), Digest::of(b"/"), 1);
    said.damaged = damaged.collect();
    let file = format!("_mirror/machines/{}.json", world.outside.ulid());
    world.plant(&file, serde_json::to_vec(&said).unwrap());

    for _ in 0..6 {
        laptop.syncs().await;
        world.advance(Duration::from_mins(10));
        laptop.project().poll().await.unwrap();
    }

    assert_eq!(told_damaged(&world, &laptop), expected);
}
