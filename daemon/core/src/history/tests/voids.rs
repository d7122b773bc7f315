//! A void entry stands in the chain and changes nothing (L6). [`Log`] checks
//! the latter for every void entry of every test.

use super::*;

#[test]
fn entry_after_a_void_one_follows_its_bytes() {
    let mut log = Log::of(&["a=x"]);
    let before = log.history.head_digest();
    let stale = Commit { seq: 9, ..log.push("a=y") };
    log.voids(stale, "says it is entry 9");
    log.void_once(&log.push("a=y"), |push| push.parent = before, "does not follow");
}

#[test]
fn entry_that_can_not_be_read_is_void() {
    let mut log = Log::of(&["a=x"]);
    let why = log.append(Err("no JSON".to_owned()));
    assert_eq!(why.as_deref(), Some("it cannot be read: no JSON"));
    let push = log.push("a=y");
    log.counts(push);
}

#[test]
fn void_first_entry_still_is_the_project() {
    let mut log = Log::default();
    log.append(Err("no JSON".to_owned()));
    assert_eq!(log.history.project(), log.history.head_digest());
    assert_eq!(log.history.settings(), None);
}

#[test]
fn void_entry_hides_no_version() {
    let mut log = Log::of(&["a=x"]);
    let void = Commit { parent: None, ..log.push("a=-") };
    let seq = log.voids(void, "does not follow");
    assert_eq!(log.files_at(seq), "a=x");
    assert!(log.history.past().is_empty() && !log.history.snapshots().contains_key(&seq));
}

#[test]
fn what_a_void_entry_refers_to_is_never_garbage() {
    let mut log = Log::of(&["a=x b=y c=z"]);
    let texts = ["x", "y", "z"];
    let mut push = log.push("a=- b=- c=-");
    // Each in a pack of its own, and needed by nobody.
    push.packs = (90..).zip(texts).map(|(name, text)| pack(name, &[text])).collect();
    log.counts(push);
    let forget = log.forget(&[2, 3]);
    log.counts(forget);
    let gc = log.gc(&[90, 91, 92]);
    log.clone().counts(gc);

    let mut void = log.merge("d=x", vec![Input { chunks: Some(inline(&["y"])), ..input("y") }]);
    void.packs.push(pack(93, &["w"]));
    log.voids(Commit { parent: None, ..void }, "does not follow");
    log.void_once(&log.gc(&[92]), |gc| gc.dropped_packs.push(Ulid(90)), "still needed");
    log.void_once(&log.gc(&[92]), |gc| gc.dropped_packs.push(Ulid(91)), "still needed");
    let refers = "a void entry refers to it";
    log.void_once(&log.gc(&[92]), |gc| gc.dropped_packs.push(Ulid(93)), refers);
}

#[test]
fn chunks_of_an_input_of_a_void_entry_are_never_garbage() {
    let mut log = Log::of(&["a=x b=y", "a=- b=-"]);
    let forget = log.forget(&[2, 3]);
    log.counts(forget);
    log.clone().counts(log.gc(&[2]));
    let chunked = Input { chunks: Some(inline(&["x", "y"])), ..input("xy") };
    let void = log.merge("", vec![chunked]);
    log.voids(Commit { parent: None, ..void }, "does not follow");
    let gc = log.gc(&[2]);
    log.voids(gc, "still needed");
}
