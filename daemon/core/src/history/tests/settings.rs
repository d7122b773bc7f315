//! Fields that go with one action, settings, and the end of a log.

use super::*;
use crate::commit::{CheckpointRef, MergeRule, Moved, NamedBackend, Promote, SharedMode};

fn moved(log: &Log) -> Commit {
    let moved = Some(Moved { to: "nas".to_owned(), seq: 9, id: Ulid(9) });
    Commit { moved, ..log.draft(Action::Moved) }
}

#[test]
fn first_entry_has_settings() {
    let log = Log::default();
    let first = Log::new().entries[0].clone().unwrap();
    log.void_once(&first, |first| first.settings = None, "the first entry has no settings");
    log.clone().counts(Commit { action: Action::Push, ..first });
}

#[test]
fn later_settings_need_their_own_action() {
    let mut log = Log::new();
    let mut change = log.draft(Action::Settings);
    change.settings = Some(settings("diary", &["*.md"]));
    let only = "only a settings commit changes settings";
    for action in [Action::Push, Action::Sync, Action::Gc] {
        log.void_once(&change, |change| change.action = action, only);
    }
    log.counts(change);
    assert_eq!(log.history.settings(), Some(&settings("diary", &["*.md"])));
}

#[test]
fn project_has_a_name_that_can_be_shown() {
    let log = Log::default();
    let mut first = Log::new().entries[0].clone().unwrap();
    first.settings = Some(settings(&"x".repeat(255), &["**"]));
    for name in [String::new(), "x".repeat(256), "a\nb".to_owned(), "\u{1b}[2J".to_owned()] {
        let spoil = |first: &mut Commit| first.settings = Some(settings(&name, &["**"]));
        log.void_once(&first, spoil, "the project's name is not allowed");
    }
}

#[test]
fn patterns_can_be_understood() {
    let log = Log::default();
    let first = Log::new().entries[0].clone().unwrap();
    for glob in ["", "a[b", "/a", "docs/", "../a"] {
        let spoil = |first: &mut Commit| first.settings = Some(settings("notes", &["**", glob]));
        log.void_once(&first, spoil, "a pattern cannot be understood");
        let spoil = |first: &mut Commit| {
            first.settings.as_mut().unwrap().exclude.push(glob.to_owned());
        };
        log.void_once(&first, spoil, "a pattern cannot be understood");
    }
}

#[test]
fn settings_for_later_versions_are_looked_at_too() {
    let log = Log::default();
    let mut first = Log::new().entries[0].clone().unwrap();
    let backend = |name: &str, primary| NamedBackend {
        name: name.to_owned(),
        url: "sftp://nas/notes".to_owned(),
        primary,
    };
    let rule = |glob: &str, how: &str| MergeRule { glob: glob.to_owned(), how: how.to_owned() };
    let good = first.settings.as_mut().unwrap();
    good.preset = Some("claude-home".to_owned());
    good.merge = vec![rule("MEMORY.md", "union"), rule("**", "lines")];
    good.backends = vec![backend("nas", true), backend("usb", false)];
    let spoilt = |spoil: &dyn Fn(&mut Settings), reason| {
        log.void_once(&first, |first| spoil(first.settings.as_mut().unwrap()), reason);
    };
    let word = "a word in its settings is not allowed";
    spoilt(&|settings| settings.preset = Some("a b".to_owned()), word);
    spoilt(&|settings| settings.merge[0].how = String::new(), word);
    spoilt(&|settings| settings.backends[0].name = "x".repeat(65), word);
    spoilt(&|settings| settings.shared_mode = SharedMode::Later("a b".to_owned()), word);
    spoilt(&|settings| settings.merge[0].glob = "a[".to_owned(), "a pattern cannot be");
    spoilt(&|settings| settings.backends[1].name = "nas".to_owned(), "have one name");
    spoilt(&|settings| settings.backends[1].primary = true, "is the primary");
    spoilt(&|settings| settings.backends[0].primary = false, "is the primary");
    spoilt(&|settings| settings.backends[0].url = "a\u{1b}".to_owned(), "the URL of a backend");
}

/// Readers would not agree on the log if one of them left the entry out.
#[test]
fn sharing_of_a_later_version_counts_and_is_kept() {
    let mut log = Log::new();
    let mut change = log.draft(Action::Settings);
    let mut later = settings("notes", &["**"]);
    later.shared_mode = SharedMode::from("family".to_owned());
    change.settings = Some(later.clone());
    let read = Commit::parse(&change.to_bytes()).unwrap();
    assert_eq!(read, change);
    log.counts(read);
    assert_eq!(log.history.settings(), Some(&later));
    assert_eq!(serde_json::to_value(&later).unwrap()["shared_mode"], "family");
}

#[test]
fn only_a_snapshot_changes_files() {
    let log = Log::of(&["a=x"]);
    let push = log.push("a=y");
    for action in [Action::Settings, Action::Forget, Action::Gc] {
        log.void_once(&push, |push| push.action = action, "only a snapshot changes files");
    }
    for word in ["sync", "delete", "restore", "snapshot", "import", "external"] {
        let action = serde_json::from_value(word.into()).unwrap();
        log.clone().counts(Commit { action, ..push.clone() });
    }
}

#[test]
fn each_action_has_its_own_fields() {
    let log = Log::of(&["a=x", "a=y"]);
    let push = log.push("a=z");
    log.void_once(&push, |push| push.dropped_packs = vec![Ulid(99)], "only a gc commit drops");
    log.void_once(&push, |push| push.forgotten = vec![2], "only a forget commit forgets");
    let promote = Promote { to: String::new(), missing: Vec::new() };
    log.void_once(&push, |push| push.promote = Some(promote), "promote goes with its own");
    log.void_once(&push, |push| push.moved = moved(&log).moved, "moved goes with its own");
    log.void_once(&push, |push| push.action = Action::Promote, "promote goes with its own");
    log.void_once(&push, |push| push.action = Action::Moved, "moved goes with its own");
}

#[test]
fn entry_vouches_for_the_past_only() {
    let mut log = Log::of(&["a=x"]);
    let vouch = |seq| Some(CheckpointRef { seq, sha256: digest("checkpoint") });
    let push = Commit { checkpoint: vouch(2), ..log.push("a=y") };
    log.void_once(&push, |push| push.checkpoint = vouch(3), "a checkpoint of the future");
    log.void_once(&push, |push| push.checkpoint = vouch(u64::MAX), "of the future");
    log.counts(push);

    let older = Commit { checkpoint: vouch(1), ..log.push("a=z") };
    log.counts(older);
    assert_eq!(log.history.vouched(), vouch(2));
}

#[test]
fn nothing_counts_after_the_log_has_moved() {
    let mut log = Log::of(&["a=x"]);
    let end = moved(&log);
    log.counts(end.clone());
    assert_eq!(log.history.moved(), end.moved.as_ref());
    for action in [Action::Push, Action::Settings] {
        let late = log.draft(action);
        log.voids(late, "the log has moved");
    }
    let late = log.push("a=y");
    log.voids(late, "the log has moved");
    let again = moved(&log);
    log.voids(again, "the log has moved");
}
