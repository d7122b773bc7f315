//! What an entry may say about its packs.

use super::*;

fn first(push: &mut Commit) -> &mut PackedContent {
    &mut push.packs[0].contents[0]
}

#[test]
fn content_lies_within_its_pack() {
    let log = Log::new();
    let push = log.push("a=xxx");
    let beyond = "it reaches beyond its pack";
    log.void_once(&push, |push| push.packs[0].size -= 1, beyond);
    log.void_once(&push, |push| first(push).offset += 1, beyond);
    log.void_once(&push, |push| first(push).offset = u64::MAX, beyond);
    log.void_once(&push, |push| first(push).stored_size = u64::MAX, beyond);
}

#[test]
fn content_that_is_given_again_keeps_its_earlier_places() {
    let mut log = Log::of(&["a=xxx"]);
    let first = log.history.place(digest("xxx")).unwrap().pack;
    let mut names = vec![first];
    for _ in 0..8 {
        let mut again = log.draft(Action::Repair);
        again.packs.push(pack(again.seq, &["xxx"]));
        names.insert(0, again.packs[0].name);
        log.counts(again);
    }
    let places = |log: &Log| -> Vec<Ulid> {
        log.history.places(digest("xxx")).map(|place| place.pack).collect()
    };
    assert_eq!(places(&log), names[..8], "one and seven more");

    let mut known = log.draft(Action::Repair);
    known.packs.push(Pack { name: names[3], ..pack(7, &["xxx"]) });
    log.counts(known);

    let moved = names.remove(3);
    names.insert(0, moved);
    assert_eq!(places(&log), names[..8], "none stands there twice");
}

#[test]
fn content_loses_the_places_that_a_gc_drops() {
    let mut log = Log::of(&["a=xxx"]);
    let first = log.history.place(digest("xxx")).unwrap().pack;
    let mut again = log.draft(Action::Repair);
    again.packs.push(pack(again.seq, &["xxx"]));
    log.counts(again);
    assert!(log.history.places(digest("xxx")).any(|place| place.pack == first));

    log.counts(log.gc(&[2]));

    let left: Vec<Ulid> = log.history.places(digest("xxx")).map(|place| place.pack).collect();
    assert_eq!(left, [Ulid(3)]);
    let needed = log.gc(&[3]);
    log.voids(needed, "still needed");
}

#[test]
fn stored_content_is_as_large_as_it_lies_there() {
    let log = Log::new();
    let push = log.push("a=xxx");
    let other = "it is stored as it is, but with another size";
    log.void_once(&push, |push| first(push).size = 4, other);
    log.void_once(&push, |push| first(push).stored_size = 2, other);
}

#[test]
fn deflated_content_claims_no_more_than_deflate_can_do() {
    let log = Log::new();
    let text = "x".repeat(2_080);
    let mut push = log.push(&format!("a={text}"));
    (first(&mut push).method, first(&mut push).stored_size) = (Method::Deflated, 2);
    log.void_once(&push, |push| first(push).stored_size = 1, "its size is absurd");
    log.void_once(&push, |push| first(push).stored_size = 0, "its size is absurd");
    log.void_once(&push, |push| first(push).size += 1, "its size is absurd");
}

#[test]
fn deflated_content_takes_little_more_room_than_it_has_bytes() {
    let log = Log::new();
    let mut push = log.push("a=x");
    push.packs[0].size = 1 << 20;
    (first(&mut push).method, first(&mut push).stored_size) = (Method::Deflated, 2 + (64 << 10));
    log.void_once(&push, |push| first(push).stored_size += 1, "absurdly much room");
}

#[test]
fn sizes_in_packs_are_not_absurd() {
    let log = Log::new();
    let mut push = log.push("a=x");
    push.packs[0].size = 1 << 53;
    log.void_once(&push, |push| push.packs[0].size += 1, "its size is absurd");
    let content = PackedContent {
        sha256: digest("y"),
        offset: 0,
        stored_size: 1 << 44,
        size: 1 << 53,
        method: Method::Deflated,
    };
    push.packs[0].contents.push(content);
    log.void_once(&push, |push| push.packs[0].contents[1].size += 1, "its size is absurd");
}

#[test]
fn pack_is_described_in_one_way() {
    let log = Log::of(&["a=x"]);
    let mut again = log.push("b=x");
    again.packs = vec![pack(2, &["x"])];
    let otherwise = "an earlier commit describes it otherwise";
    log.void_once(&again, |again| again.packs[0].sha256 = digest("other"), otherwise);
    log.void_once(&again, |again| again.packs[0].size += 1, otherwise);

    let mut twice = log.push("b=y c=z");
    twice.packs = vec![pack(3, &["y", "z"]), pack(3, &["y", "z"])];
    let in_two_ways = "it is described in two ways";
    log.void_once(&twice, |twice| twice.packs[1].size += 1, in_two_ways);
    log.void_once(&twice, |twice| twice.packs[1].sha256 = digest("other"), in_two_ways);
}

#[test]
fn pack_of_a_void_entry_may_be_used_again() {
    let mut log = Log::of(&["a=x"]);
    let push = log.push("a=y");
    let stale = Commit { parent: None, ..push.clone() };
    log.voids(stale, "does not follow");
    let again = log.push("a=y");
    log.counts(Commit { packs: push.packs, ..again });
}

#[test]
fn name_of_a_dropped_pack_is_dead() {
    let mut log = Log::of(&["a=x", "a=y"]);
    let (forget, dead) = (log.forget(&[2]), "it was dropped, and its name is dead");
    log.counts(forget);
    let gc = log.gc(&[2, 99]);
    log.void_once(&gc, |gc| gc.packs = vec![pack(2, &["x"])], dead);
    log.counts(gc);
    assert_eq!((log.history.pack(Ulid(2)), log.history.place(digest("x"))), (None, None));
    for name in [2, 99] {
        let push = log.push("a=x");
        log.void_once(&push, |push| push.packs = vec![pack(name, &["x"])], dead);
    }
}

#[test]
fn content_has_one_size() {
    let log = Log::of(&["a=xxx"]);
    let mut push = log.push("b=y");
    push.packs.push(pack(99, &["xxx", "y"]));
    let shrunk = |content: &mut PackedContent| (content.size, content.stored_size) = (0, 0);
    log.void_once(
        &push,
        |push| shrunk(&mut push.packs[1].contents[0]),
        "an earlier commit gives it another size",
    );
    log.void_once(
        &push,
        |push| shrunk(&mut push.packs[1].contents[1]),
        "its packs give it two sizes",
    );
}

#[test]
fn content_given_again_is_found_in_the_newer_place() {
    let mut log = Log::of(&["a=x"]);
    let mut push = log.push("b=y");
    push.packs.push(pack(99, &["x"]));
    log.counts(push);
    assert_eq!(log.history.place(digest("x")).map(|place| place.pack), Some(Ulid(99)));
    let gc = log.gc(&[2]);
    log.counts(gc);
}
