//! Nothing forgotten, nothing left half done.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{SourceFile, files, nothing_in, rust_files};
use crate::support::repository;

/// Where a crate's module tree begins.
const ROOTS: [&str; 4] = ["lib.rs", "main.rs", "all.rs", "build.rs"];

/// The files that a file's `mod` lines lead to.
fn modules_of(file: &SourceFile) -> Vec<PathBuf> {
    let name = file.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let folder = if ROOTS.contains(&name) || name == "mod.rs" {
        file.path.parent().expect("a file has a folder").to_owned()
    } else {
        file.path.with_extension("")
    };
    let declared = file.text.lines().filter_map(|line| {
        let line = line.trim().strip_suffix(';')?;
        let (visibility, module) =
            line.split_once("mod ").filter(|(_, name)| !name.contains(' '))?;
        (visibility.is_empty() || visibility.starts_with("pub")).then(|| module.to_owned())
    });
    declared
        .flat_map(|module| {
            [folder.join(format!("{module}.rs")), folder.join(module).join("mod.rs")]
        })
        .collect()
}

#[test]
fn every_source_file_is_part_of_its_crate() {
    let files = rust_files();
    let is_root =
        |path: &Path| path.file_name().is_some_and(|name| ROOTS.iter().any(|root| name == *root));
    let reached: BTreeSet<PathBuf> = files.iter().flat_map(modules_of).collect();
    let forgotten =
        files.iter().filter(|file| !is_root(&file.path) && !reached.contains(&file.path));
    nothing_in(forgotten.map(|file| format!("no `mod` leads to {}", file.path.display())));
}

#[test]
fn nothing_is_left_for_later() {
    // Written in two pieces, or this file would find itself.
    let marks = [
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("db", "g!("),
        concat!("#[ig", "nore]"),
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
    ];
    nothing_in(rust_files().iter().flat_map(|file| {
        let found = marks.iter().filter(|mark| file.text.contains(**mark));
        found.map(|mark| format!("{} has {mark}", file.path.display())).collect::<Vec<_>>()
    }));
}

/// Tests that may let time pass, and why.
const MAY_SLEEP: [(&str, &str); 13] = [
    ("tests/benches", "they measure over a stretch of time"),
    ("tests/support/mod.rs", "it polls, with a deadline"),
    ("client/src/tests/testing/pty.rs", "it polls, with a deadline"),
    ("client/src/connect/launch.rs", "it polls"),
    ("tests/scenarios/crashes.rs", "it kills at any moment"),
    ("tests/scenarios/editors.rs", "its programs save at a pace of their own"),
    ("daemon/engine/src/real/tree/tests/editors.rs", "its programs save at a pace of their own"),
    ("daemon/engine/src/project/tests/faulty.rs", "it plays a service that takes its time"),
    ("daemon/storage/src/adapter/sftp/tests/played.rs", "it plays a server that takes its time"),
    ("tests/conformance/sftp/logins.rs", "it plays a server that takes its time"),
    ("daemon/mirrord/src/projects/tests/waiting.rs", "it plays a disk that hangs"),
    ("daemon/mirrord/src/doctor/tests.rs", "its clock stands still"),
    ("daemon/storage/src/adapter/sftp/tests.rs", "its clock stands still"),
];

#[test]
fn tests_wait_for_what_they_need_instead_of_sleeping() {
    let sleep = concat!("sleep", "(");
    let files: Vec<_> = ["daemon", "client", "mcp", "tests"]
        .iter()
        .flat_map(|folder| files(folder, "rs"))
        .collect();
    let sleeps = |file: &&SourceFile| file.tests().contains(sleep);
    let may = |file: &SourceFile| MAY_SLEEP.iter().any(|(path, _)| file.path.starts_with(path));
    let asleep: Vec<_> = files.iter().filter(sleeps).collect();
    nothing_in(
        asleep
            .iter()
            .filter(|file| !may(file))
            .map(|file| format!("{} sleeps", file.path.display())),
    );
    nothing_in(MAY_SLEEP.iter().filter_map(|(path, _)| {
        let is_used = asleep.iter().any(|file| file.path.starts_with(path));
        (!is_used).then(|| format!("nothing sleeps in {path} any more"))
    }));
}

#[test]
fn every_module_says_what_it_is_for() {
    nothing_in(rust_files().iter().filter_map(|file| {
        let exempt = ["build.rs", "tests.rs"].iter().any(|name| file.path.ends_with(name));
        let opens = file.text.starts_with("//!") || exempt;
        (!opens).then(|| format!("{} has no module doc", file.path.display()))
    }));
}

#[test]
fn scripts_can_be_run() {
    use std::os::unix::fs::PermissionsExt;
    let scripts = [
        "packaging/install.sh",
        "tests/agents/run.sh",
        "tests/run.sh",
        "tests/support/programs/ssh",
        "tests/support/programs/under-systemd",
        ".ci/run",
    ];
    nothing_in(scripts.iter().filter_map(|script| {
        let metadata = repository().join(script).metadata().expect("the script is there");
        let runs = metadata.permissions().mode() & 0o100 != 0;
        (!runs).then(|| format!("{script} is not executable"))
    }));
}
