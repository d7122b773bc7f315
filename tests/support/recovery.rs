//! Rebuilds a tree from a backend with the commands that it carries itself.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{Tree, is_missing, run};

/// The programs that a recovery by hand may use besides a shell.
const TOOLS: [&str; 3] = ["unzip", "gunzip", "jq"];

/// Runs the commands in `_mirror/FORMAT` for one commit, the newest for
/// `None`. `None` comes back, with the reason told, when a tool is missing.
#[track_caller]
pub(crate) fn recover_by_hand(backend: &Path, commit: Option<u64>, output: &Path) -> Option<Tree> {
    if let Some(missing) = TOOLS.iter().find(|tool| !is_installed(tool)) {
        is_missing(missing);
        return None;
    }
    let mut shell = Command::new("sh");
    shell.arg("-euc").arg(commands_of(backend)).current_dir(backend).env("OUT", output);
    if let Some(commit) = commit {
        shell.env("AT", commit.to_string());
    }
    run(shell).exits(0);
    Some(Tree::read(output))
}

#[track_caller]
fn commands_of(backend: &Path) -> String {
    let format = fs::read(backend.join("_mirror/FORMAT")).expect("FORMAT is there");
    let format: Value = serde_json::from_slice(&format).expect("FORMAT is JSON");
    let lines = format["recover"].as_array().expect("FORMAT has `recover`");
    let lines: Vec<&str> =
        lines.iter().map(|line| line.as_str().expect("a line is text")).collect();
    lines.join("\n")
}

fn is_installed(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(tool).is_file())
}
