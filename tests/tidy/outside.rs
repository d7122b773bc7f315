//! Where the disk, the clock and chance may be touched: not where decisions
//! are made, so that a simulation can hand in its own.

use super::imports::imported;
use super::{SourceFile, files, nothing_in};

/// What the core may not name, and why.
const NOT_IN_CORE: [(&str, &str); 12] = [
    ("std::fs", "the disk"),
    ("std::net", "the network"),
    ("std::env", "the environment"),
    ("std::process", "other processes"),
    ("std::thread", "threads"),
    ("SystemTime", "the clock"),
    ("Instant", "the clock"),
    ("tokio", "a runtime"),
    ("futures", "a runtime"),
    ("rand", "chance"),
    ("async fn", "waiting"),
    ("Ulid::generate", "the clock and chance"),
];

/// Where the engine touches the outside: what it is handed in production, and
/// the state database, which is a handed-in `Store` too.
const OUTSIDE: [&str; 2] = ["daemon/engine/src/real", "daemon/engine/src/store"];

/// What the engine may name there only, and why.
const NOT_IN_ENGINE: [(&str, &str); 15] = [
    ("std::fs", "the disk is handed in as `Disk` and `Tree`"),
    ("std::os::unix::fs", "the disk is handed in as `Disk` and `Tree`"),
    ("tokio::fs", "the disk is handed in as `Disk` and `Tree`"),
    ("rustix", "the disk is handed in as `Disk` and `Tree`"),
    ("notify", "events are handed in as `Watch`"),
    ("std::net", "the network is behind `Backend`"),
    ("tokio::net", "the network is behind `Backend`"),
    ("std::env", "settings are handed in"),
    ("std::process", "nothing runs other programs"),
    ("tokio::process", "nothing runs other programs"),
    ("SystemTime::now", "time is handed in as `Clock`"),
    ("Instant::now", "time is handed in as `Clock`"),
    ("tokio::time", "waiting is handed in as `Clock`"),
    ("rand", "chance is handed in as `Entropy`"),
    ("Ulid::generate", "chance is handed in as `Entropy`"),
];

fn breaches(file: &SourceFile, rules: &[(&str, &str)]) -> Vec<String> {
    let code = file.production();
    let imports = if file.is_tests() { Vec::new() } else { imported(&file.text) };
    let names = |text: &str, word: &str| {
        text.match_indices(word).any(|(place, _)| is_whole(text, place, word))
    };
    rules
        .iter()
        .filter(|(word, _)| names(&code, word) || imports.iter().any(|path| names(path, word)))
        .map(|(word, why)| format!("{} names {word}: {why}", file.path.display()))
        .collect()
}

/// Whether the word at this place is not a part of a longer one or of a path
/// that begins elsewhere.
fn is_whole(text: &str, place: usize, word: &str) -> bool {
    let joins = |character: char| character.is_alphanumeric() || character == '_';
    let before = text[..place].chars().next_back();
    let after = text[place + word.len()..].chars().next();
    let is_path = !word.starts_with(char::is_uppercase) && !word.contains(' ');
    let continues = |one: char| joins(one) || (is_path && matches!(one, ':' | '.' | '"'));
    let begins = !before.is_some_and(continues);
    // A crate's name counts where a path goes on; elsewhere it is a plain word.
    let crate_name = is_path && !word.contains("::");
    let ends = if crate_name { after == Some(':') } else { after.is_none_or(|one| !joins(one)) };
    begins && ends
}

#[test]
fn core_touches_neither_disk_nor_clock_nor_chance() {
    let files = files("daemon/core/src", "rs");
    nothing_in(files.iter().flat_map(|file| breaches(file, &NOT_IN_CORE)));
}

#[test]
fn engine_touches_the_outside_only_where_it_is_handed_in() {
    let files = files("daemon/engine/src", "rs");
    let inside =
        files.iter().filter(|file| !OUTSIDE.iter().any(|folder| file.path.starts_with(folder)));
    nothing_in(inside.flat_map(|file| breaches(file, &NOT_IN_ENGINE)));
}

#[test]
fn state_database_is_hidden_in_one_module() {
    let files = files("daemon", "rs");
    let users = files.iter().filter(|file| !breaches(file, &[("sled", "")]).is_empty());
    let users: Vec<_> = users.map(|file| file.path.display().to_string()).collect();
    assert!(users.len() <= 1, "sled is named in {users:?}");
}

#[test]
fn breach_is_seen_however_it_is_written() {
    let seen = |text: &str| {
        let file = SourceFile { path: "x.rs".into(), text: text.to_owned() };
        !breaches(&file, &NOT_IN_ENGINE).is_empty()
    };
    for breach in [
        "use std::fs;",
        "use std::{fmt, fs::File};",
        "fn f() { std::fs::read(x) }",
        "use tokio::{sync, time};",
        "let now = Instant::now();",
        "let id = rand::random();",
        "mod a;\n#[cfg(test)]\nmod tests;\nuse std::fs;",
        "#[cfg(test)]\nmod tests;\nuse std::fs;\n#[cfg(test)]\nmod more { }",
    ] {
        assert!(seen(breach), "{breach}");
    }
    for fine in [
        "use std::time::Duration;",
        "// std::fs is not for us",
        "let operand::x = 1;",
        "use tokio::sync::mpsc;",
        "fn f() {}\n#[cfg(test)]\nmod tests { use std::fs; }",
        "#[cfg(test)]\nmod tests;\nfn f() {}\n#[cfg(test)]\nmod more {\n    use std::fs;\n}",
        "fn notify() { self.notify() }",
    ] {
        assert!(!seen(fine), "{fine}");
    }
}
