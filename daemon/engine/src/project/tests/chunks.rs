//! Files stored in chunks (P5): read back byte for byte, or named.

use mirror_core::commit::{Change, Method, Pack, PackedContent, pack_name};
use mirror_core::{Chunk, Entry, Kind};

use super::*;

const PARTS: [&[u8]; 3] = [b"first part, ", b"second part, ", b"third"];

fn chunks() -> Vec<Chunk> {
    let chunk = |part: &[u8]| Chunk { sha256: Digest::of(part), size: part.len() as u64 };
    PARTS.into_iter().map(chunk).collect()
}

/// A pack of `contents`, each under the digest it is said to have.
fn plant_pack(world: &World, contents: &[(Digest, &[u8])]) -> Pack {
    let (mut bytes, mut packed) = (b"any bytes before".to_vec(), Vec::new());
    for (sha256, content) in contents {
        let size = content.len() as u64;
        packed.push(PackedContent {
            sha256: *sha256,
            offset: bytes.len() as u64,
            stored_size: size,
            size,
            method: Method::Stored,
        });
        bytes.extend_from_slice(content);
    }
    let name = world.outside.ulid();
    let (sha256, size) = (Digest::of(&bytes), bytes.len() as u64);
    world.plant(&format!("_mirror/{}", pack_name(name)), bytes);
    Pack { name, sha256, size, header: None, contents: packed }
}

/// Commits a file that is the parts together, beside one that is in order.
fn append_file(world: &World, chunks: Vec<Chunk>, contents: &[(Digest, &[u8])]) {
    let whole = PARTS.concat();
    let file = |sha256, size: usize, chunks| Entry {
        kind: Kind::File,
        sha256,
        size: size as u64,
        exec: false,
        private: false,
        mtime: None,
        chunks,
    };
    let change =
        |path, to| Change { path: rel(path), from: None, to: Some(to), renamed_from: None };
    let mut contents = contents.to_vec();
    contents.push((Digest::of(b"in order"), b"in order"));
    let mut commit = world.draft();
    commit.packs = vec![plant_pack(world, &contents)];
    commit.changes = vec![
        change("chunked.bin", file(Digest::of(&whole), whole.len(), Some(chunks))),
        change("plain.md", file(Digest::of(b"in order"), 8, None)),
    ];
    world.append(&commit);
}

fn parts() -> Vec<(Digest, &'static [u8])> {
    PARTS.into_iter().map(|part| (Digest::of(part), part)).collect()
}

async fn check_whole(world: &World) {
    let laptop = world.machine("laptop").await;
    assert_eq!(failed(&laptop.pulls().await), [""; 0]);
    assert_eq!(laptop.reads("chunked.bin").unwrap().as_bytes(), PARTS.concat());
    assert_eq!(laptop.unsettled().await, []);
}

async fn check_refused(world: &World, reason: &str) {
    let laptop = world.machine("laptop").await;
    let report = laptop.pulls().await;
    assert_eq!(failed(&report), ["chunked.bin"]);
    assert!(report.failed[0].message.contains(reason), "{:?}", report.failed);
    assert_eq!(laptop.files(), [("plain.md".to_owned(), b"in order".to_vec())].into());
}

#[tokio::test]
async fn chunks_named_in_the_commit_are_put_together() {
    let world = World::new().await;
    append_file(&world, chunks(), &parts());
    check_whole(&world).await;
}

#[tokio::test]
async fn equal_chunks_are_stored_once() {
    let world = World::new().await;
    let whole = b"again again again ";
    let chunk = Chunk { sha256: Digest::of(b"again "), size: 6 };
    let mut commit = world.draft();
    commit.packs = vec![plant_pack(&world, &[(chunk.sha256, b"again ")])];
    let to = Entry {
        kind: Kind::File,
        sha256: Digest::of(whole),
        size: 18,
        exec: true,
        private: false,
        mtime: None,
        chunks: Some(vec![chunk; 3]),
    };
    commit.changes =
        vec![Change { path: rel("a.md"), from: None, to: Some(to), renamed_from: None }];
    world.append(&commit);
    let laptop = world.machine("laptop").await;
    laptop.pulls().await;
    assert_eq!(laptop.reads("a.md").unwrap().as_bytes(), whole);
    // An edit elsewhere and back is known by its digest, chunks or not.
    laptop.writes("b.md", whole);
    laptop.pushes().await;
    let desktop = world.machine("desktop").await;
    converge(&laptop, &desktop).await;
}

#[tokio::test]
async fn chunk_that_is_not_what_it_says_is_refused() {
    let world = World::new().await;
    let mut contents = parts();
    contents[1].1 = b"SECOND part, ";
    append_file(&world, chunks(), &contents);
    check_refused(&world, "damaged").await;
}

#[tokio::test]
async fn chunks_that_make_another_file_are_refused() {
    let world = World::new().await;
    let mut swapped = chunks();
    swapped.swap(0, 1);
    append_file(&world, swapped, &parts());
    check_refused(&world, "not those that were stored").await;
}

#[tokio::test]
async fn chunks_in_the_commit_that_do_not_add_up_make_it_void() {
    let world = World::new().await;
    append_file(&world, chunks()[..2].to_vec(), &parts());
    let laptop = world.machine("laptop").await;
    assert_eq!(laptop.pulls().await.files, []);
    let void = laptop.log().await.pop().unwrap().void;
    assert!(void.is_some_and(|void| void.contains("do not add up")));
}
