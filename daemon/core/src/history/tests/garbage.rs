//! A gc drops only what nothing needs (P2, P3).

use super::*;

const NEEDED: &str = "it is still needed, and not given again";

/// A log whose pack 2 holds `x`, which has left the head since.
fn replaced() -> Log {
    Log::of(&["a=x", "a=y"])
}

/// Adds an entry and forgets the snapshots, after which a gc of pack 2 is void.
#[track_caller]
fn needs_pack_2(mut log: Log, forgotten: &[u64]) {
    let forget = log.forget(forgotten);
    log.counts(forget);
    let gc = log.gc(&[2]);
    log.voids(gc, NEEDED);
}

#[test]
fn forgotten_content_may_be_dropped() {
    let mut log = replaced();
    let forget = log.forget(&[2]);
    log.counts(forget);
    let gc = log.gc(&[2]);
    log.counts(gc);
    assert!(log.history.place(digest("x")).is_none());
    assert!(!log.history.live_contents().contains(&digest("x")));
}

#[test]
fn orphans_may_be_dropped() {
    let mut log = replaced();
    let gc = log.gc(&[77]);
    log.counts(gc);
}

#[test]
fn head_is_never_dropped() {
    let log = Log::of(&["a=x b=x", "a=y"]);
    needs_pack_2(log, &[2, 3]);
}

#[test]
fn listed_snapshot_is_never_dropped() {
    let mut log = replaced();
    let gc = log.gc(&[2]);
    log.voids(gc, NEEDED);
    // The version stood through two commits, and one of them is listed.
    let log = Log::of(&["a=x", "b=z", "a=y"]);
    needs_pack_2(log.clone(), &[2]);
    needs_pack_2(log, &[3]);
}

#[test]
fn merge_input_of_a_listed_snapshot_is_never_dropped() {
    let mut log = replaced();
    let merge = log.merge("a=z", vec![input("x")]);
    let merged = log.counts(merge);
    needs_pack_2(log.clone(), &[2]);
    let forget = log.forget(&[2, merged]);
    log.counts(forget);
    let gc = log.gc(&[2]);
    log.counts(gc);
}

#[test]
fn chunks_of_a_merge_input_are_never_dropped() {
    let mut log = replaced();
    let chunked = Input { chunks: Some(inline(&["x", "y"])), ..input("xy") };
    let merge = log.merge("a=z", vec![chunked]);
    log.counts(merge);
    needs_pack_2(log, &[2]);
}

#[test]
fn chunk_of_a_file_is_never_dropped() {
    let mut log = Log::of(&["b=x", "b=-"]);
    let mut push = log.push("a=xy");
    push.packs = vec![pack(4, &["y"])];
    push.changes[0].to.as_mut().unwrap().chunks = Some(inline(&["x", "y"]));
    log.counts(push);
    needs_pack_2(log, &[2, 3]);
}

#[test]
fn whole_content_may_be_dropped_when_its_chunks_are_there() {
    let mut log = Log::of(&["a=xy", "a=-"]);
    let mut push = log.push("a=xy");
    push.packs = vec![pack(4, &["x", "y"])];
    push.changes[0].to.as_mut().unwrap().chunks = Some(inline(&["x", "y"]));
    log.counts(push);
    let forget = log.forget(&[2, 3]);
    log.counts(forget);
    let gc = log.gc(&[2]);
    log.counts(gc);
}

#[test]
fn file_in_chunks_keeps_nothing_but_its_chunks() {
    let mut log = replaced();
    let mut push = log.push("b=pq");
    push.packs = vec![pack(4, &["p", "q"])];
    push.changes[0].to.as_mut().unwrap().chunks = Some(inline(&["p", "q"]));
    log.counts(push);
    let forget = log.forget(&[2]);
    log.counts(forget);
    let gc = log.gc(&[2]);
    log.counts(gc);
}

#[test]
fn needed_content_may_move_to_another_pack() {
    let mut log = Log::of(&["a=x b=y"]);
    let mut gc = log.gc(&[2]);
    gc.packs = vec![pack(3, &["x", "y"])];
    log.void_once(&gc, |gc| gc.packs = vec![pack(3, &["x"])], NEEDED);
    log.counts(gc);
    for text in ["x", "y"] {
        assert_eq!(log.history.place(digest(text)).map(|place| place.pack), Some(Ulid(3)));
    }
}

/// A log whose text `x` lies in packs 2 and 4, given there by a push and a repair.
fn given_again() -> Log {
    let mut log = Log::of(&["a=x", "b=z"]);
    let mut again = log.draft(Action::Repair);
    again.packs.push(pack(again.seq, &["x"]));
    log.counts(again);
    assert_eq!(places(&log, "x"), [4, 2]);
    log
}

fn places(log: &Log, text: &str) -> Vec<u64> {
    let places = log.history.places(digest(text));
    places.map(|place| u64::try_from(place.pack.0).unwrap()).collect()
}

#[test]
fn content_keeps_its_place_in_a_pack_that_stays() {
    let mut log = given_again();
    let gc = log.gc(&[2]);
    log.counts(gc);
    assert_eq!(places(&log, "x"), [4]);

    // The other way round, of what nothing needs.
    let mut log = given_again();
    let deletion = log.push("a=-");
    log.counts(deletion);
    let forget = log.forget(&[2, 3]);
    log.counts(forget);
    let gc = log.gc(&[4]);
    log.counts(gc);
    assert_eq!(places(&log, "x"), [2], "it was there before, and is there still");
    let push = Commit { packs: Vec::new(), ..log.push("c=x") };
    log.counts(push);
    let gc = log.gc(&[2]);
    log.voids(gc, NEEDED);
}

/// The place before may be why it was given again.
#[test]
fn needed_content_is_given_again_where_its_newest_place_goes() {
    let mut log = given_again();
    let gc = log.gc(&[4]);
    log.voids(gc.clone(), NEEDED);
    let mut gc = log.gc(&[4]);
    gc.packs = vec![pack(gc.seq, &["x"])];
    log.counts(gc);
    assert_eq!(places(&log, "x"), [6, 2], "and the place that stays is behind the new one");
    let both = log.gc(&[2, 6]);
    log.voids(both, NEEDED);
}

#[test]
fn pack_that_a_promote_could_not_read_is_kept_until_its_contents_are_given_again() {
    let mut log = Log::of(&["a=x b=y"]);
    let missing = vec![digest("x"), digest("y")];
    let promote = Some(crate::commit::Promote { to: "nas".to_owned(), missing });
    let promote = Commit { promote, ..log.draft(Action::Promote) };
    log.counts(promote);
    let gc = log.gc(&[2]);
    log.voids(gc, "could not read all of it");
    assert_eq!(log.files_at(log.history.head()), "a=x b=y");
}
