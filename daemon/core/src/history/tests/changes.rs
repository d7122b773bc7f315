//! Places in the log, and what a change may do to a path.

use super::*;

const LARGEST: u64 = 1 << 53;

/// A push of a file of this size, whole in a pack of its own.
fn large(log: &Log, names: &str, size: u64) -> Commit {
    let mut push = log.push(names);
    for pack in &mut push.packs {
        (pack.size, pack.contents[0].offset) = (size, 0);
        (pack.contents[0].size, pack.contents[0].stored_size) = (size, size);
    }
    for entry in push.changes.iter_mut().filter_map(|change| change.to.as_mut()) {
        entry.size = size;
    }
    push
}

fn first_entry(commit: &mut Commit) -> &mut Entry {
    commit.changes[0].to.as_mut().unwrap()
}

#[test]
fn entry_stands_where_it_says() {
    let log = Log::of(&["a=x"]);
    let push = log.push("a=y");
    log.void_once(&push, |push| push.seq = 2, "says it is entry 2, but stands at 3");
    log.void_once(&push, |push| push.seq = 4, "says it is entry 4, but stands at 3");
    log.void_once(&push, |push| push.seq = u64::MAX, "but stands at 3");
}

#[test]
fn entry_follows_the_one_before_it() {
    let log = Log::of(&["a=x"]);
    let first = log.history.project();
    let push = log.push("a=y");
    log.void_once(&push, |push| push.parent = None, "does not follow");
    log.void_once(&push, |push| push.parent = first, "does not follow");

    let mut settings = Log::new().entries[0].clone().unwrap();
    settings.parent = Some(digest("x"));
    Log::default().voids(settings, "does not follow");
}

#[test]
fn change_replaces_the_version_at_the_head() {
    let log = Log::of(&["a=x", "a=y"]);
    let push = log.push("a=z b=z");
    let stale = "it does not replace the version at the head";
    log.void_once(&push, |push| push.changes[0].from = None, stale);
    log.void_once(&push, |push| push.changes[0].from = Some(digest("x")), stale);
    log.void_once(&push, |push| push.changes[1].from = Some(digest("y")), stale);
    let deletion = log.push("a=-");
    log.void_once(&deletion, |push| push.changes[0].from = Some(digest("x")), stale);
    log.void_once(&deletion, |push| push.changes[0].from = None, stale);
}

#[test]
fn only_what_is_there_can_be_removed() {
    let log = Log::of(&["a=x"]);
    let absent = "b: it is removed, but was not there";
    log.void_once(&log.push("a=-"), |push| push.changes.extend(log.push("b=-").changes), absent);
}

#[test]
fn removed_path_may_come_back() {
    let log = Log::of(&["a=x", "a=-", "a=x"]);
    assert_eq!((log.files_at(3), log.files_at(4)), (String::new(), "a=x".to_owned()));
}

#[test]
fn path_changes_once_in_an_entry() {
    let log = Log::of(&["a=x"]);
    let twice = |push: &mut Commit| push.changes.push(push.changes[0].clone());
    log.void_once(&log.push("a=y"), twice, "a: it is changed twice");
    log.void_once(&log.push("a=-"), twice, "a: it is changed twice");
}

#[test]
fn exec_bit_alone_is_a_change() {
    let mut log = Log::of(&["a=x"]);
    let mut push = log.push("a=x");
    first_entry(&mut push).exec = true;
    log.counts(push);
    assert!(log.history.manifest().get("a").unwrap().entry.exec);
    assert_eq!(log.history.past().len(), 1);
}

#[test]
fn twins_never_stand_side_by_side() {
    let log = Log::of(&["notes/caf\u{e9}.md=x"]);
    for twin in ["notes/CAF\u{c9}.md", "notes/cafe\u{301}.md", "Notes/caf\u{e9}.md"] {
        let push = log.push("notes/cafe.md=y");
        log.void_once(&push, |push| push.changes[0].path = path(twin), "one name on some disks");
    }
    let both = log.push("b=y c=y");
    log.void_once(&both, |push| push.changes[1].path = path("B"), "B and b are one name");
}

#[test]
fn file_never_stands_where_a_folder_is_needed() {
    let log = Log::of(&["a=x d/e/f=x"]);
    let push = log.push("b=y c=y");
    let below = "would lie below a, which is a file";
    log.void_once(&push, |push| push.changes[0].path = path("a/b"), below);
    log.void_once(&push, |push| push.changes[0].path = path("A/b/c"), below);
    let folder = "would be a file where others need a folder";
    log.void_once(&push, |push| push.changes[0].path = path("D/E"), folder);
    log.void_once(&push, |push| push.changes[0].path = path("c/d"), folder);
    log.void_once(&push, |push| push.changes[1].path = path("b/c"), "would lie below b");
}

#[test]
fn path_may_be_renamed_to_a_twin_of_itself_in_one_entry() {
    for rename in ["a/x=- A/x=y", "A/x=y a/x=-", "a/x=- a=y", "a=y a/x=-", "a/x=- a/x/z=y"] {
        let mut log = Log::of(&["a/x=x b=x"]);
        let push = log.push(rename);
        log.counts(push);
        assert_eq!(log.history.manifest().len(), 2, "{rename}");
    }
    let mut log = Log::of(&["a=x b=y"]);
    let swap = log.push("a=- b=- A=y B=x");
    log.counts(swap);
}

#[test]
fn deletion_elsewhere_makes_no_room() {
    let mut log = Log::of(&["a=x b=x"]);
    let push = log.push("b=- A=y");
    log.voids(push, "A and a are one name");
}

#[test]
fn size_is_one_that_every_reader_can_hold() {
    let log = Log::new();
    let push = large(&log, "a=x", LARGEST);
    log.void_once(&push, |push| *push = large(&log, "a=x", LARGEST + 1), "its size is absurd");
    log.void_once(&push, |push| *push = large(&log, "a=x", u64::MAX), "its size is absurd");

    let half = Chunk { sha256: digest("x"), size: LARGEST };
    let in_chunks = |push: &mut Commit| {
        first_entry(push).size = 2 * LARGEST;
        first_entry(push).chunks = Some(vec![half, half]);
    };
    log.void_once(&push, in_chunks, "a: its size is absurd");
}

#[test]
fn sizes_of_all_files_stay_within_what_can_be_counted() {
    let absurd = "add up to something absurd";
    let mut log = Log::new();
    log.counts(large(&log, "a=x", LARGEST));
    log.void_once(&log.push("b="), |push| *push = log.push("b=y"), absurd);
    log.counts(large(&log, "a=y", LARGEST));
    log.counts(large(&log, "a=- b=x", LARGEST));
    assert_eq!(log.history.size_bytes, LARGEST);

    let log = Log::new();
    let many: Vec<String> = (0..4_000).map(|number| format!("{number}=x")).collect();
    log.clone().voids(large(&log, &many.join(" "), LARGEST), absurd);
}

#[test]
fn snapshot_tells_how_much_it_holds() {
    let mut log = Log::of(&["a=xx b=yyy", "a=-", "b=z c=zzzz"]);
    let totals = |log: &Log| -> Vec<(u64, u64)> {
        let snapshots = log.history.snapshots().values();
        snapshots.map(|snapshot| (snapshot.file_count, snapshot.size_bytes)).collect()
    };
    assert_eq!(totals(&log), [(2, 5), (1, 3), (2, 5)]);
    let push = log.push("b=- c=-");
    log.counts(push);
    assert_eq!((totals(&log)[3], log.history.size_bytes), ((0, 0), 0));
}

#[test]
fn link_is_like_a_link() {
    let log = Log::new();
    let mut link = log.push(&format!("a={}", "x".repeat(4_095)));
    first_entry(&mut link).kind = Kind::Link;
    let unlike = "a: it is not like a link";
    log.void_once(&link, |link| first_entry(link).exec = true, unlike);
    log.void_once(&link, |link| first_entry(link).chunks = Some(inline(&["x"])), unlike);
    log.void_once(&link, |link| first_entry(link).private = true, unlike);
    let mut too_much = log.push(&format!("a={}", "x".repeat(4_096)));
    log.void_once(&too_much, |too_much| first_entry(too_much).kind = Kind::Link, unlike);
    first_entry(&mut too_much).exec = true;
    log.clone().counts(too_much);
}

#[test]
fn head_says_which_commit_set_each_file() {
    let log = Log::of(&["a=x b=x", "a=y", "a=y"]);
    let seqs: Vec<u64> = log.history.manifest().values().map(|placed| placed.seq).collect();
    assert_eq!(seqs, [4, 2]);
}
