//! Every content that an entry refers to is there after it.

use super::*;

const ABSENT: &str = "no pack holds it";

fn entry(push: &mut Commit) -> &mut Entry {
    push.changes[0].to.as_mut().unwrap()
}

/// A push of one file that stands there as these pieces.
fn in_chunks(log: &Log, pieces: &[&str]) -> Commit {
    let whole = pieces.concat();
    let mut push = log.push(&format!("a={whole}"));
    push.packs = vec![pack(push.seq, pieces)];
    entry(&mut push).chunks = Some(inline(pieces));
    push
}

#[test]
fn file_needs_its_content() {
    let log = Log::of(&["a=x"]);
    log.void_once(&log.push("a=y"), |push| push.packs.clear(), ABSENT);
    log.void_once(&log.push("b=x"), |push| entry(push).sha256 = digest("y"), ABSENT);
    assert!(log.push("b=x").packs.is_empty());
}

#[test]
fn content_that_only_a_void_entry_brought_is_not_there() {
    let mut log = Log::new();
    let push = log.push("a=x");
    log.voids(Commit { parent: None, ..push }, "does not follow");
    log.void_once(&log.push("a=x"), |push| push.packs.clear(), ABSENT);
}

#[test]
fn file_is_as_large_as_its_content() {
    let other = "it has another size in its pack";
    let log = Log::of(&["a=xx"]);
    log.void_once(&log.push("a=yy"), |push| entry(push).size = 3, other);
    log.void_once(&log.push("b=xx"), |push| entry(push).size = 0, other);
}

#[test]
fn chunks_add_up_to_the_file() {
    let log = Log::new();
    let push = in_chunks(&log, &["one", "two", "one"]);
    let sum = "its chunks do not add up to its size";
    log.void_once(&push, |push| entry(push).size += 1, sum);
    log.void_once(&push, |push| entry(push).chunks = Some(inline(&["one", "two"])), sum);
    log.void_once(&push, |push| entry(push).chunks = Some(inline(&[])), sum);
    let endless = Chunk { sha256: digest("one"), size: u64::MAX };
    let endless = Some(vec![endless; 2]);
    log.void_once(&push, |push| entry(push).chunks = endless, sum);
}

#[test]
fn file_in_chunks_needs_each_of_them_and_not_the_whole() {
    let log = Log::new();
    let push = in_chunks(&log, &["one", "two"]);
    log.void_once(&push, |push| push.packs[0].contents.truncate(1), ABSENT);
    log.void_once(&push, |push| push.packs = vec![pack(2, &["onetwo"])], ABSENT);
    let lie = |push: &mut Commit| {
        let one = Chunk { sha256: digest("one"), size: 2 };
        let two = Chunk { sha256: digest("two"), size: 4 };
        entry(push).chunks = Some(vec![one, two]);
    };
    log.void_once(&push, lie, "it has another size in its pack");
}

#[test]
fn empty_file_may_have_no_chunks() {
    let mut log = Log::new();
    let push = in_chunks(&log, &[]);
    log.counts(push);
}

#[test]
fn merge_needs_its_inputs() {
    let log = Log::of(&["a=x"]);
    let mut merge = log.merge("a=z", vec![input("x"), input("yy")]);
    merge.packs.push(pack(99, &["yy"]));
    let inputs = |merge: &mut Commit, one| merge.resolved[0].inputs[1] = one;
    log.void_once(&merge, |merge| drop(merge.packs.pop()), ABSENT);
    log.void_once(
        &merge,
        |merge| inputs(merge, Input { size: 3, ..input("yy") }),
        "it has another size in its pack",
    );
    let chunked = |chunks| Input { chunks, ..input("xyy") };
    inputs(&mut merge, chunked(Some(inline(&["x", "yy"]))));
    let sum = "its chunks do not add up";
    log.void_once(&merge, |merge| inputs(merge, chunked(Some(inline(&["x"])))), sum);
    log.void_once(&merge, |merge| inputs(merge, chunked(Some(inline(&["xy", "y"])))), ABSENT);
    log.void_once(
        &merge,
        |merge| merge.resolved[0].inputs[1].size = (1 << 53) + 1,
        "its size is absurd",
    );
}

#[test]
fn content_in_a_pack_that_leaves_is_no_longer_there() {
    let mut log = Log::of(&["a=x", "a=y"]);
    let forget = log.forget(&[2]);
    log.counts(forget);
    let gc = Commit { resolved: log.merge("", vec![input("x")]).resolved, ..log.gc(&[2]) };
    log.void_once(&Commit { resolved: Vec::new(), ..gc.clone() }, |good| *good = gc, ABSENT);
}

#[test]
fn promoted_log_lacks_what_was_missing_until_it_is_brought_again() {
    let mut log = Log::of(&["a=x b=y"]);
    let promote = promotion(&log, &["x", "unheard of"]);
    log.counts(promote);
    assert!(log.history.place(digest("x")).is_none() && log.history.place(digest("y")).is_some());
    assert_eq!(log.files_at(2), "a=x b=y");
    log.void_once(&log.push("c=x"), |push| push.packs.clear(), ABSENT);
    let push = log.push("c=x");
    log.counts(push);
    assert_eq!(log.history.place(digest("x")).map(|place| place.pack), Some(Ulid(4)));
}

fn promotion(log: &Log, missing: &[&str]) -> Commit {
    let missing = missing.iter().map(|text| digest(text)).collect();
    let promote = Some(crate::commit::Promote { to: "nas".to_owned(), missing });
    Commit { promote, ..log.draft(Action::Promote) }
}
