//! Every place that removes or writes over files stands in
//! `docs/what-we-remove.md`, with what allows it and what attacks it.

use std::collections::{BTreeMap, BTreeSet};

use super::{SourceFile, defines, nothing_in, rust_files};
use crate::support::repository;

const DOCUMENT: &str = "docs/what-we-remove.md";

/// The calls by which something goes, or makes way for something else.
const CALLS: [&str; 25] = [
    "remove_file(",
    "remove_dir(",
    "remove_dir_all(",
    "fs::rename(",
    "fs::write(",
    "File::create(",
    ".truncate(true)",
    "set_len(",
    ".persist(",
    "renameat(",
    "renameat_with(",
    "unlinkat(",
    "hard_link(",
    "session.unlink(",
    "session.rename(",
    "backend.remove(",
    "adapter.remove(",
    "mover.rename(",
    "service.remove(",
    "service.rename(",
    "data.remove(",
    "disk.remove(",
    "store.clear(",
    "tree.take(",
    "tree.put(",
];

/// What takes an account's own folders back.
const ACCOUNTS: [&str; 2] = ["fn clear_own(", "fn clear_root("];

/// The files of the table, each with the tests that it names.
fn rows(document: &str) -> BTreeMap<&str, Vec<&str>> {
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `"));
    let row = |line| -> Option<(&str, Vec<&str>)> {
        let (file, rest): (&str, &str) = str::split_once(line, '`')?;
        let tests = rest.trim_end().trim_end_matches('|').rsplit('|').next()?;
        Some((file, tests.split('`').skip(1).step_by(2).collect()))
    };
    rows.filter_map(row).collect()
}

fn removing(files: &[SourceFile]) -> BTreeSet<&str> {
    let removes = |file: &&SourceFile| {
        let code = file.production();
        CALLS.iter().chain(&ACCOUNTS).any(|call| code.contains(call))
    };
    files.iter().filter(removes).filter_map(|file| file.path.to_str()).collect()
}

#[test]
fn every_place_that_removes_something_says_what_allows_it() {
    let (document, files) = (SourceFile::read(&repository().join(DOCUMENT)), rust_files());
    let (rows, removing) = (rows(&document.text), removing(&files));
    assert!(rows.len() > 20, "the tables can't be read");
    let listed: BTreeSet<&str> = rows.keys().copied().collect();
    let missing = removing.difference(&listed).map(|file| format!("{file} has no row"));
    let stale = listed.difference(&removing).map(|file| format!("{file} removes nothing"));
    nothing_in(missing.chain(stale));
}

#[test]
fn every_removal_is_attacked_by_a_test_that_is_there() {
    let (document, files) = (SourceFile::read(&repository().join(DOCUMENT)), rust_files());
    let tests: Vec<String> = files.iter().map(SourceFile::tests).collect();
    let is_there = |name: &str| tests.iter().any(|text| defines(text, name));
    nothing_in(rows(&document.text).into_iter().flat_map(|(file, named)| {
        let none = named.is_empty().then(|| format!("{file} names no test"));
        let gone = named.into_iter().filter(|name| !is_there(name));
        let gone = gone.map(move |name| format!("{file}: there is no test {name}"));
        none.into_iter().chain(gone).collect::<Vec<_>>()
    }));
}
