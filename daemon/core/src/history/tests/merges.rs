//! What went into a merge is known content of its path (M2).

use super::*;

/// A log where `x` became `z` by a merge with `w`, which was never pushed.
fn merged() -> Log {
    let mut log = Log::of(&["a=x b=x"]);
    let mut merge = log.merge("a=z", vec![input("w"), input("x")]);
    merge.packs.push(pack(99, &["w"]));
    log.counts(merge);
    log
}

#[track_caller]
fn knows(log: &Log, name: &str, texts: &[&str]) {
    let known = log.history.known_of(&path(name));
    assert_eq!(known, texts.iter().map(|text| digest(text)).collect(), "{name}");
}

#[test]
fn what_went_into_a_merge_is_known_of_its_path_alone() {
    let log = merged();
    knows(&log, "a", &["w", "x", "z"]);
    knows(&log, "b", &["x"]);
    knows(&log, "never", &[]);
    assert!(log.history.inputs_of(&path("a")).eq(sorted([digest("w"), digest("x")])));
}

#[test]
fn merge_adds_to_what_is_known() {
    let mut log = merged();
    let mut again = log.merge("a=q", vec![input("v"), input("z")]);
    again.packs.push(pack(98, &["v"]));
    log.counts(again);
    knows(&log, "a", &["q", "v", "w", "x", "z"]);
}

#[test]
fn void_merge_makes_nothing_known() {
    let mut log = Log::of(&["a=x"]);
    let merge = Commit { parent: None, ..log.merge("a=z", vec![input("x")]) };
    log.voids(merge, "does not follow");
    assert_eq!(log.history.inputs_of(&path("a")).count(), 0);
    knows(&log, "a", &["x"]);
}

#[test]
fn merge_is_remembered_when_its_snapshot_is_forgotten_and_its_path_deleted() {
    let mut log = merged();
    let push = log.push("a=-");
    log.counts(push);
    let forget = log.forget(&[2, 3]);
    log.counts(forget);
    knows(&log, "a", &["w", "x"]);
}

#[test]
fn checkpoint_tells_what_went_into_merges_and_leaves_it_out_when_there_was_none() {
    let log = merged();
    let bytes = checkpoint::to_bytes(&log.history);
    assert_same(&checkpoint::from_bytes(&bytes).unwrap(), &log.history);
    let [first, second] = sorted([digest("w"), digest("x")]);
    let end = format!(r#""size_bytes":2,"inputs":{{"a":["{first}","{second}"]}}}}}}"#);
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.ends_with(&end), "{text}");
    let without = checkpoint::to_bytes(&Log::of(&["a=x"]).history);
    assert!(without.ends_with(br#""size_bytes":1}}"#));
}

fn sorted(mut digests: [Digest; 2]) -> [Digest; 2] {
    digests.sort();
    digests
}
