//! Rules about the source tree itself, one test a rule.
//!
//! What the compiler can't hold: which crate may know which, where the outside
//! world may be touched, and what may not be forgotten.

mod crates;
mod documents;
mod files;
mod imports;
mod items;
mod licences;
mod outside;
mod removals;
mod rooms;
mod rules;
mod services;
mod sizes;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::repository;

/// What Cargo knows of the workspace and everything below it. `--locked` fails
/// when `Cargo.lock` is out of step with a manifest.
fn metadata() -> &'static Value {
    static METADATA: OnceLock<Value> = OnceLock::new();
    METADATA.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--format-version", "1", "--locked"])
            .current_dir(repository())
            .output()
            .expect("cargo starts");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}");
        serde_json::from_slice(&output.stdout).expect("the metadata is JSON")
    })
}

/// A file of the workspace, named by its path below the root.
struct SourceFile {
    path: PathBuf,
    text: String,
}

impl SourceFile {
    fn read(path: &Path) -> Self {
        let text =
            fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let below = path.strip_prefix(repository()).expect("it lies in the workspace");
        Self { path: below.to_owned(), text }
    }

    /// Whether all of it is compiled for tests alone.
    fn is_tests(&self) -> bool {
        let tests = ["tests", "testing", "stories"];
        let parts = self.path.with_extension("");
        self.path.starts_with("tests")
            || parts.iter().any(|part| tests.iter().any(|one| part == *one))
    }

    /// The text without comments and without its unit tests.
    fn production(&self) -> String {
        if self.is_tests() { String::new() } else { without_comments(halves(&self.text).0) }
    }

    /// Its unit tests, without comments.
    fn tests(&self) -> String {
        without_comments(if self.is_tests() { &self.text } else { halves(&self.text).1 })
    }
}

/// The code of a file, and its unit tests. A `mod x;` for tests stands anywhere
/// and leads to another file; tests within a file end it.
fn halves(text: &str) -> (&str, &str) {
    const MARK: &str = "#[cfg(test)]\nmod ";
    let begins_tests = |(place, _): &(usize, &str)| {
        let line = text[place + MARK.len()..].lines().next().unwrap_or_default();
        line.contains('{')
    };
    let end = text.match_indices(MARK).find(begins_tests).map_or(text.len(), |(place, _)| place);
    text.split_at(end)
}

fn without_comments(code: &str) -> String {
    let lines = code.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// Every file with this ending below a folder of the workspace.
fn files(folder: &str, ending: &str) -> Vec<SourceFile> {
    let mut found = Vec::new();
    collect(&repository().join(folder), ending, &mut found);
    found.sort();
    assert!(!found.is_empty(), "no {ending} files in {folder}: was it renamed?");
    found.iter().map(|path| SourceFile::read(path)).collect()
}

/// Every Rust file of the workspace.
fn rust_files() -> Vec<SourceFile> {
    ["proto", "daemon", "client", "mcp", "tests"]
        .iter()
        .flat_map(|folder| files(folder, "rs"))
        .collect()
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("the listing is complete").path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, ending, found);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
}

/// Whether a text of code has an item of this name, rather than only its use.
fn defines(text: &str, name: &str) -> bool {
    let joins = |letter: char| letter.is_alphanumeric() || letter == '_';
    let has = |kind: &&str| {
        let item = format!("{kind} {name}");
        let is_whole = |(place, _): (usize, &str)| {
            !text[..place].ends_with(joins) && !text[place + item.len()..].starts_with(joins)
        };
        text.match_indices(&item).any(is_whole)
    };
    ["fn", "struct", "enum", "trait", "type", "const", "mod"].iter().any(has)
}

/// Fails with every finding at once.
#[track_caller]
fn nothing_in(findings: impl IntoIterator<Item = String>) {
    let findings: Vec<String> = findings.into_iter().collect();
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}
