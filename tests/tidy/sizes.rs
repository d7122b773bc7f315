//! Nothing too large to take in at once: files, folders, and functions, which
//! clippy counts (`clippy.toml`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{nothing_in, rust_files};

const LONGEST_FILE: usize = 400;
const FULLEST_FOLDER: usize = 14;

/// Folders that may hold more, and why. Those of tests may anyway.
const FULL_FOLDERS: [(&str, &str); 3] = [
    ("client/src/commands", "a file a command"),
    ("client/src/output/json", "a file a noun"),
    ("client/src/output/text", "a file a noun"),
];

fn is_tests(folder: &Path) -> bool {
    folder.starts_with("tests") || folder.iter().any(|part| part == "tests")
}

#[test]
fn no_file_is_too_long_to_read() {
    nothing_in(rust_files().iter().filter_map(|file| {
        let lines = file.text.lines().count();
        (lines > LONGEST_FILE).then(|| format!("{} has {lines} lines", file.path.display()))
    }));
}

#[test]
fn no_folder_is_too_full_to_search() {
    let mut folders: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for file in rust_files() {
        let folder = file.path.parent().expect("a file has a folder");
        *folders.entry(folder.to_owned()).or_default() += 1;
    }
    let full = |folder: &Path| folders.get(folder).is_some_and(|count| *count > FULLEST_FOLDER);
    let may = |folder: &Path| FULL_FOLDERS.iter().any(|(path, _)| folder == Path::new(path));
    nothing_in(
        folders
            .iter()
            .filter(|(folder, _)| full(folder) && !is_tests(folder) && !may(folder))
            .map(|(folder, count)| format!("{} has {count} files", folder.display())),
    );
    nothing_in(
        FULL_FOLDERS
            .iter()
            .filter(|(folder, _)| !full(Path::new(folder)))
            .map(|(folder, _)| format!("{folder} is not so full any more")),
    );
}
