//! What can be gone back to, and its names (S1).

use super::*;

fn tagged(log: &Log, tag: &str) -> Commit {
    Commit { tag: Some(tag.to_owned()), ..log.draft(Action::Snapshot) }
}

#[test]
fn tag_names_a_snapshot_and_nothing_else() {
    let log = Log::of(&["a=x"]);
    let snapshot = tagged(&log, "v1");
    log.void_once(&snapshot, |it| it.action = Action::Settings, "the tag \"v1\" is not allowed");
    for tag in ["", "latest", "YESTERDAY", "...", "30d", "2026-04-15", "a b", "a/b"] {
        log.void_once(&snapshot, |it| it.tag = Some(tag.to_owned()), "is not allowed");
    }
}

#[test]
fn tag_belongs_to_the_lowest_snapshot_that_carries_it() {
    let mut log = Log::new();
    for tag in ["v1", "V1", "V2"] {
        let snapshot = tagged(&log, tag);
        log.counts(snapshot);
    }
    assert_eq!(log.history.holder_of_tag("v1"), Some(2));
    assert_eq!(log.history.holder_of_tag("V1"), Some(2));
    assert_eq!(log.history.holder_of_tag("v2"), Some(4));
    assert_eq!(log.history.holder_of_tag("v3"), None);
}

#[test]
fn tag_passes_to_the_next_that_carries_it_when_its_snapshot_is_forgotten() {
    let mut log = Log::new();
    for _ in 0..2 {
        let snapshot = tagged(&log, "v1");
        log.counts(snapshot);
    }
    let forget = log.forget(&[2]);
    log.counts(forget);
    assert_eq!(log.history.holder_of_tag("v1"), Some(3));
}

#[test]
fn forgetting_frees_a_tag() {
    let mut log = Log::new();
    let first = tagged(&log, "v1");
    log.counts(first);
    let forget = log.forget(&[2]);
    log.counts(forget);
    assert_eq!(log.history.holder_of_tag("v1"), None);
    let second = tagged(&log, "v1");
    log.counts(second);
    assert_eq!(log.history.holder_of_tag("v1"), Some(4));
}

#[test]
fn void_entry_takes_no_tag() {
    let mut log = Log::new();
    let void = Commit { parent: None, ..tagged(&log, "v1") };
    log.voids(void, "does not follow");
    assert_eq!(log.history.holder_of_tag("v1"), None);
}

#[test]
fn only_snapshots_are_listed() {
    let mut log = Log::of(&["a=x", "a=y"]);
    let gc = log.gc(&[99]);
    log.counts(gc);
    let snapshot = log.draft(Action::Snapshot);
    log.counts(snapshot);
    assert!(log.history.snapshots().keys().eq(&[2, 3, 5]));
}

#[test]
fn only_listed_snapshots_can_be_forgotten() {
    let mut log = Log::of(&["a=x", "a=y"]);
    let forget = log.forget(&[2, 3]);
    for unlisted in [0, 1, 4, 5, u64::MAX] {
        log.void_once(&forget, |it| it.forgotten.push(unlisted), "is not listed");
    }
    log.counts(forget);
    let again = log.forget(&[2]);
    log.voids(again, "snapshot #2 is not listed");
}

#[test]
fn forgetting_keeps_the_head_and_what_other_snapshots_have() {
    let mut log = Log::of(&["a=x b=x", "a=y", "a=z", "b=y"]);
    let forget = log.forget(&[3, 5]);
    log.counts(forget);
    assert_eq!(log.files_at(2), "a=x b=x");
    assert_eq!(log.files_at(4), "a=z b=x");
    assert_eq!(log.files_at(log.history.head()), "a=z b=y");
    assert_eq!(log.history.past_of(&path("a")).count(), 1, "the version of 3 alone is gone");
}

#[test]
fn every_earlier_version_of_a_path_is_told_newest_first() {
    let log = Log::of(&["a=x b=x", "a=y", "b=y a=-", "a=z", "a=x"]);
    let past: Vec<_> = log.history.past_of(&path("a")).map(|v| (v.since, v.until)).collect();
    assert_eq!(past, [(5, 6), (3, 4), (2, 3)]);
}

#[test]
fn deleted_path_is_known_as_such_when_all_its_versions_are_forgotten() {
    let mut log = Log::of(&["a=x", "a=- b=y", "c=z"]);
    let forget = log.forget(&[2]);
    log.counts(forget);
    assert_eq!(log.history.past_of(&path("a")).count(), 0);
    assert!(log.history.has_forgotten(&path("a")));
    assert!(!log.history.has_forgotten(&path("b")));
    assert!(!log.history.has_forgotten(&path("never")));
}
