//! The log on a backend, read by its format alone.

use std::fs;

use mirror_core::Digest;
use serde_json::Value;

use super::World;

/// Checks every entry and every pack that it names, byte by byte.
#[track_caller]
pub(crate) fn whole_log(world: &World) {
    let mut parent = Value::Null;
    for seq in 1..=world.head() {
        let bytes = bytes_of(world, seq);
        let entry = entry_in(&bytes, seq);
        assert_eq!((&entry["seq"], &entry["parent"]), (&seq.into(), &parent), "entry {seq}");
        for pack in entry["packs"].as_array().into_iter().flatten() {
            has_pack(world, pack);
        }
        parent = Digest::of(&bytes).to_string().into();
    }
}

/// One entry of the log, which must be there.
#[track_caller]
pub(crate) fn logged(world: &World, seq: u64) -> Value {
    entry_in(&bytes_of(world, seq), seq)
}

#[track_caller]
fn entry_in(bytes: &[u8], seq: u64) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("entry {seq} is torn: {error}"))
}

/// An entry is a file, or a folder with a file in it.
#[track_caller]
fn bytes_of(world: &World, seq: u64) -> Vec<u8> {
    let entry = world.entry(seq);
    let file = if entry.is_dir() { entry.join("body") } else { entry };
    fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[track_caller]
fn has_pack(world: &World, pack: &Value) {
    let name = pack["name"].as_str().expect("a pack has a name");
    let place = format!("_mirror/packs/{}/{name}.zip", &name[name.len() - 2..]);
    let bytes = fs::read(world.backend().join(&place));
    let bytes = bytes.unwrap_or_else(|error| panic!("{place}: {error}"));
    assert_eq!(pack["size"], bytes.len(), "{place}");
    assert_eq!(pack["sha256"], Digest::of(&bytes).to_string(), "{place}");
}
