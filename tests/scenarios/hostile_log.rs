//! What someone with write access to the backend might put into the log.

use std::fs;

use mirror_core::Digest;
use serde_json::{Value, json};

use crate::support::{World, same_trees};

const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const PACK: &str = "01J0000000000000000000007Q";

/// A commit that would count if it changed nothing.
fn commit(seq: u64, parent: Digest) -> Value {
    json!({
        "format": 1, "seq": seq, "id": format!("01J{seq:023}"), "parent": parent.to_string(),
        "time": "2026-01-01T00:00:00Z", "user": "mallory", "machine": "elsewhere",
        "machine_id": "01J00000000000000000000001", "action": "push",
        "tag": null, "message": null, "changes": [], "resolved": [], "packs": [],
    })
}

fn empty_file(path: &str) -> Value {
    let to = json!({"kind": "file", "sha256": DIGEST, "size": 0, "exec": false, "mtime": null});
    json!({"path": path, "from": null, "to": to})
}

/// A pack that holds the empty content, as far as anyone is told.
fn pack() -> Value {
    let content =
        json!({"sha256": DIGEST, "offset": 100, "stored_size": 0, "size": 0, "method": "stored"});
    json!({"name": PACK, "sha256": DIGEST, "size": 200, "contents": [content]})
}

/// The commit with a file at `path`, complete but for what is wrong with it.
fn with_file(mut commit: Value, path: &str) -> Value {
    commit["changes"] = json!([empty_file(path)]);
    commit["packs"] = json!([pack()]);
    commit
}

/// Every way to be wrong, each with its name.
fn hostile(good: &Value) -> Vec<(&'static str, Vec<u8>)> {
    let altered = |change: &dyn Fn(&mut Value)| {
        let mut entry = with_file(good.clone(), "planted.md");
        change(&mut entry);
        entry.to_string().into_bytes()
    };
    let at = |path: &str| with_file(good.clone(), path).to_string().into_bytes();
    vec![
        ("a path that leads up", at("../planted.md")),
        ("a path that leads up inside", at("a/../../planted.md")),
        ("an absolute path", at("/tmp/planted.md")),
        ("a drive letter", at("C:/planted.md")),
        ("a control character", at("planted\u{1b}[31m.md")),
        ("a path into .git", at("sub/.GIT/hooks/post-checkout")),
        ("a path into _mirror", at("_mirror/planted")),
        ("a twin", at("A.MD")),
        ("a file where a folder stands", at("folder")),
        ("another place", altered(&|entry| entry["seq"] = json!(1))),
        ("a content in no pack", altered(&|entry| entry["packs"] = json!([]))),
        (
            "an absurd size",
            altered(&|entry| entry["changes"][0]["to"]["size"] = json!(1_u64 << 60)),
        ),
        (
            "another size in the pack",
            altered(&|entry| entry["changes"][0]["to"]["size"] = json!(7)),
        ),
        (
            "a reach beyond the pack",
            altered(&|entry| {
                entry["packs"][0]["contents"][0]["offset"] = json!(u64::MAX);
            }),
        ),
        (
            "an inflation bomb",
            altered(&|entry| {
                entry["packs"][0]["contents"][0] = json!({
                    "sha256": DIGEST, "offset": 0, "stored_size": 9, "size": 1_u64 << 40, "method": "deflated"
                });
            }),
        ),
        ("another base", altered(&|entry| entry["changes"][0]["from"] = json!(DIGEST))),
        (
            "deep nesting",
            altered(&|entry| {
                entry["deep"] = (0..64).fold(json!(0), |inner, _| json!([inner]));
            }),
        ),
        ("no JSON", b"\xff\x00not JSON".to_vec()),
        ("nothing", Vec::new()),
    ]
}

#[test]
fn hostile_entries_change_nothing_and_are_told() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n"), ("folder/b.md", "b\n")]);
    let desktop = world.next_machine("desktop");
    let tree = desktop.tree();

    let mut head = laptop.head();
    for (what, _) in hostile(&json!({})) {
        let before = fs::read(world.entry(head)).expect("the newest entry");
        let good = commit(head + 1, Digest::of(&before));
        let mut entries = hostile(&good).into_iter();
        let (_, bytes) = entries.find(|(other, _)| *other == what).expect("the same list");
        head += 1;
        world.plants_entry(head, bytes);

        desktop.runs(&["pull"]).exits(0);

        let newest = desktop.asks(&["log", "--limit", "1"])["entries"][0].clone();
        assert_eq!(newest["seq"], head, "{what}: {newest}");
        assert!(newest["void"].is_string(), "{what} is not void: {newest}");
        same_trees(&tree, &desktop.tree());
        same_trees(&tree, &world.view());
    }

    laptop.writes("a.md", "a, better\n");
    assert_eq!(laptop.asks(&["push"])["commit"], head + 1);
    let third = world.next_machine("third");
    same_trees(&laptop.tree(), &third.tree());
}

#[test]
fn content_that_is_not_what_it_claims_is_not_written() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let head = laptop.head();
    let before = fs::read(world.entry(head)).expect("the newest entry");
    let entry = with_file(commit(head + 1, Digest::of(&before)), "planted.md");
    world.plants_entry(head + 1, entry.to_string());

    let pulled = laptop.tries(&["pull"]);

    assert_ne!(pulled.code, Some(0), "there is no such pack: {pulled:#?}");
    assert!(!laptop.tree().has("planted.md"));
    assert_eq!(laptop.reads("a.md"), "a\n");
}

#[test]
fn log_that_was_rewritten_stops_the_project() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let path = world.entry(laptop.head());
    let mut entry: Value =
        serde_json::from_slice(&fs::read(&path).expect("an entry")).expect("JSON");
    entry["message"] = json!("this is not what was written here");
    fs::write(&path, entry.to_string()).expect("the backend can be written to");
    let (tree, before) = (laptop.tree(), world.everything());

    laptop.writes("b.md", "b\n");
    let error = laptop.fails(1, &["push"]);

    assert_eq!(error["class"], "stopped", "{error}");
    // The pack goes up beside the look at the head (L3); no commit names it.
    let packs = "_mirror/packs";
    same_trees(&before.without(packs), &world.everything().without(packs));
    same_trees(&tree, &laptop.tree().without("b.md"));
    assert_eq!(laptop.asks(&["status", "--offline"])["state"], "stopped");
}

#[test]
fn entry_of_a_later_format_stops_the_project() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let entry = json!({"format": 99, "seq": laptop.head() + 1});
    world.plants_entry(laptop.head() + 1, entry.to_string());
    let before = world.everything();

    laptop.writes("b.md", "b\n");
    for command in ["push", "pull"] {
        let error = laptop.fails(1, &[command]);
        assert_eq!(error["class"], "stopped", "{error}");
        assert!(error["message"].to_string().contains("99"), "{error}");
    }

    same_trees(&before, &world.everything());
}

#[test]
fn another_project_at_the_same_place_stops_the_first() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    fs::remove_dir_all(world.backend()).expect("the backend goes away");
    let stranger = world.first_machine("stranger", &[("other.md", "other\n")]);
    let before = world.everything();

    for command in ["push", "pull", "sync"] {
        let error = laptop.fails(1, &[command]);
        assert_eq!(error["class"], "stopped", "{command}: {error}");
    }

    assert_eq!(laptop.reads("a.md"), "a\n");
    assert_eq!(laptop.tree().len(), 1);
    same_trees(&before, &world.everything());
    assert_eq!(stranger.reads("other.md"), "other\n");
}
