//! What the documents promise to be there is there.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{SourceFile, defines, files, nothing_in, rust_files};
use crate::support::repository;

fn documents() -> Vec<SourceFile> {
    let mut documents = files("docs", "md");
    documents.push(SourceFile::read(&repository().join("README.md")));
    documents
}

/// Where the links of a Markdown text lead.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("](").filter_map(|(place, _)| text[place + 2..].split(')').next())
}

#[test]
fn every_link_in_the_documents_leads_to_a_file() {
    nothing_in(documents().iter().flat_map(|document| {
        let folder = repository().join(document.path.parent().expect("a folder"));
        let local =
            links(&document.text).filter(|link| !link.contains("://") && !link.starts_with('#'));
        let dead = local.filter(|link| {
            let path = link.split('#').next().unwrap_or_default();
            !folder.join(path).exists()
        });
        dead.map(|link| format!("{} links to {link}", document.path.display())).collect::<Vec<_>>()
    }));
}

#[test]
fn readme_leads_to_every_document() {
    let readme = SourceFile::read(&repository().join("README.md"));
    let linked: BTreeSet<&str> = links(&readme.text).collect();
    let pages = documents()
        .into_iter()
        .filter(|page| page.path.parent().is_some_and(|folder| folder.ends_with("docs")));
    nothing_in(pages.filter_map(|page| {
        let path = page.path.to_str().expect("names are UTF-8").to_owned();
        (!linked.contains(path.as_str())).then(|| format!("README.md does not link to {path}"))
    }));
}

#[test]
fn no_two_decisions_have_one_number() {
    let mut numbers: Vec<usize> = files("docs/decisions", "md")
        .iter()
        .filter_map(|decision| decision.path.file_name()?.to_str()?.split('-').next()?.parse().ok())
        .collect();
    let count = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), count, "two decisions share a number");
}

/// What stands between backquotes, each with the text behind it.
fn quoted(text: &str) -> Vec<(&str, &str)> {
    let pieces: Vec<&str> = text.split('`').collect();
    let quoted = pieces.chunks(2).zip(pieces.chunks(2).skip(1));
    quoted.filter_map(|(before, after)| Some((*before.get(1)?, after[0]))).collect()
}

/// Whether it is a path of the repository, rather than one on a backend or a
/// machine.
fn is_path(text: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
    let roots = ["client", "daemon", "docs", "mcp", "packaging", "proto", "tests"];
    text.chars().all(allowed) && text.split_once('/').is_some_and(|(root, _)| roots.contains(&root))
}

/// Every path that a document names, with the words in it that follow in
/// parentheses: `a/b.rs` (`this`, `that`).
fn named(text: &str) -> Vec<(String, Vec<String>)> {
    let mut named: Vec<(String, Vec<String>)> = Vec::new();
    let mut is_open = false;
    for (word, behind) in quoted(text) {
        if is_path(word) {
            named.push((word.to_owned(), Vec::new()));
            is_open = behind.trim() == "(";
        } else if is_open {
            named.last_mut().expect("it follows a path").1.push(word.to_owned());
            is_open = behind.trim() == ",";
        }
    }
    named
}

/// Every path in the blocks that draw a tree: what is indented lies in what
/// stands above it.
fn drawn(text: &str) -> Vec<PathBuf> {
    let mut drawn = Vec::new();
    for block in text.split("```").skip(1).step_by(2) {
        let mut above: Vec<(usize, PathBuf)> = Vec::new();
        for line in block.lines() {
            let Some(name) = line.split_whitespace().next() else { continue };
            let indent = line.len() - line.trim_start().len();
            above.retain(|(outer, _)| *outer < indent);
            let path = above.last().map_or_else(PathBuf::new, |(_, folder)| folder.clone());
            let path = path.join(name);
            if path.components().count() > 1 {
                drawn.push(path.clone());
            }
            above.push((indent, path));
        }
    }
    drawn.retain(|path| path.to_str().is_some_and(is_path));
    drawn
}

#[test]
fn files_and_functions_that_the_architecture_names_are_there() {
    let page = SourceFile::read(&repository().join("docs/architecture.md"));
    let (named, drawn) = (named(&page.text), drawn(&page.text));
    let words = named.iter().map(|(_, words)| words.len()).sum::<usize>();
    assert!(named.len() > 20 && words > 20 && drawn.len() > 20, "too little of it was read");
    let missing = named.iter().flat_map(|(path, words)| {
        let file = repository().join(path);
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let lacks = words.iter().filter(|word| !defines(&text, word));
        let lacks = lacks.map(|word| format!("there is no {word} in {path}"));
        let gone = (!file.exists()).then(|| format!("there is no {path}"));
        gone.into_iter().chain(lacks).collect::<Vec<_>>()
    });
    let undrawn = drawn.iter().filter(|path| !repository().join(path).exists());
    nothing_in(missing.chain(undrawn.map(|path| format!("there is no {}", path.display()))));
}

#[test]
fn bounds_have_tests_that_are_there() {
    let page = SourceFile::read(&repository().join("docs/bounds.md"));
    let rows: Vec<&str> = page.text.lines().filter(|line| line.starts_with("| ")).collect();
    assert!(rows.len() > 10, "the tables of docs/bounds.md were not found");
    let code: Vec<String> = rust_files().iter().map(SourceFile::tests).collect();
    let is_there = |test: &str| code.iter().any(|text| defines(text, test));
    nothing_in(rows.iter().filter(|row| !row.starts_with("| What |")).flat_map(|row| {
        let tests = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap_or_default();
        let tests: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        let untested = tests.is_empty().then(|| format!("no test: {row}"));
        let gone = tests.into_iter().filter(|test| !is_there(test));
        let gone = gone.map(|test| format!("there is no test {test}"));
        untested.into_iter().chain(gone).collect::<Vec<_>>()
    }));
}

#[test]
fn paths_are_read_wherever_a_document_names_them() {
    let text = "See `tests/a.rs` (`one`, `two`) and `log/N`, `x`.\n```\ndaemon/src/\n  a/   `b`\n    b.rs c\n  d.rs\n```\n1. `docs/c.md`: (`three`)\n";
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let expected =
        [("tests/a.rs".to_owned(), words(&["one", "two"])), ("docs/c.md".to_owned(), vec![])];
    assert_eq!(named(text), expected);
    let expected = ["daemon/src", "daemon/src/a", "daemon/src/a/b.rs", "daemon/src/d.rs"];
    let expected = expected.map(PathBuf::from);
    assert_eq!(drawn(text), expected);
}
